#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace relay::bench {

std::size_t Histogram::bucketOf(std::uint64_t duration)
{
    // Below 2^6 a bucket a nanosecond; above, the leading bit chooses the row and the six bits
    // after it the bucket.
    if (duration < (1U << kSubBits)) {
        return static_cast<std::size_t>(duration);
    }
    const int row = static_cast<int>(std::bit_width(duration)) - 1 - kSubBits;
    return (static_cast<std::size_t>(row) << kSubBits) + static_cast<std::size_t>(duration >> row);
}

Nanoseconds Histogram::lastOf(std::size_t bucket)
{
    if (bucket < (1U << (kSubBits + 1))) {
        return static_cast<Nanoseconds>(bucket);
    }
    const std::size_t row = (bucket >> kSubBits) - 1;
    const std::size_t column = bucket - (row << kSubBits);
    return static_cast<Nanoseconds>((column + 1) << row) - 1;
}

void Histogram::add(Nanoseconds duration)
{
    duration = std::clamp<Nanoseconds>(duration, 0, kLongest);
    ++m_buckets[bucketOf(static_cast<std::uint64_t>(duration))];
    ++m_count;
    m_max = std::max(m_max, duration);
}

void Histogram::merge(const Histogram &other)
{
    for (std::size_t i = 0; i < m_buckets.size(); ++i) {
        m_buckets[i] += other.m_buckets[i];
    }
    m_count += other.m_count;
    m_max = std::max(m_max, other.m_max);
}

Nanoseconds Histogram::percentile(double fraction) const
{
    const double wanted = std::ceil(fraction * static_cast<double>(m_count));
    const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < m_buckets.size(); ++i) {
        seen += m_buckets[i];
        if (seen >= rank) {
            return std::min(lastOf(i), m_max);
        }
    }
    return m_max;
}

std::uint64_t Histogram::countBetween(Nanoseconds from, Nanoseconds to) const
{
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < m_buckets.size(); ++i) {
        if (lastOf(i) > from && lastOf(i) <= to) {
            seen += m_buckets[i];
        }
    }
    return seen;
}

} // namespace relay::bench
