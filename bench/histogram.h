#pragma once

#include "nanoseconds.h"

#include <cstddef>
#include <vector>

namespace relay::bench {

/// How often each duration was seen, in buckets that grow with the duration: 64 to each doubling,
/// so that a percentile is never more than 1/64 (1.6 %) above the true one, from a nanosecond to
/// over an hour, in 19 KB.
///
/// Thread: confined to its owner's; a worker's is merged into the whole after the worker has ended.
/// Limits: what is negative counts as 0, what is past kLongest as kLongest; max() is exact.
class Histogram
{
public:
    static constexpr Nanoseconds kLongest = (Nanoseconds{1} << 42) - 1; // 73 minutes

    void add(Nanoseconds duration);
    void merge(const Histogram &other);

    [[nodiscard]] std::uint64_t count() const { return m_count; }
    [[nodiscard]] Nanoseconds max() const { return m_max; }

    /// The least duration that at least the `fraction` of all samples (0.99: 99 %) do not exceed,
    /// rounded up to the end of its bucket, and never above max(). 0 without samples.
    [[nodiscard]] Nanoseconds percentile(double fraction) const;

    /// Samples with from < duration <= to, as far as buckets tell: for drawing.
    [[nodiscard]] std::uint64_t countBetween(Nanoseconds from, Nanoseconds to) const;

private:
    static constexpr int kSubBits = 6;
    static constexpr std::size_t kBuckets = (42 - kSubBits + 1) << kSubBits;

    static std::size_t bucketOf(std::uint64_t duration);
    static Nanoseconds lastOf(std::size_t bucket);

    std::vector<std::uint64_t> m_buckets = std::vector<std::uint64_t>(kBuckets);
    std::uint64_t m_count = 0;
    Nanoseconds m_max = 0;
};

} // namespace relay::bench
