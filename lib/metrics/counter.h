#pragma once

#include <QtGlobal>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>

namespace relay {

/// A number that only grows, written by one thread and read by any.
///
/// One writer needs no locked instruction: add() is a load and a store. A reader sees some value
/// that it had, and of two counters read in the reverse order of their writes never the later
/// without the earlier.
class Counter
{
public:
    void add(quint64 n = 1)
    {
        m_value.store(m_value.load(std::memory_order_relaxed) + n, std::memory_order_release);
    }
    [[nodiscard]] quint64 value() const { return m_value.load(std::memory_order_acquire); }

private:
    std::atomic<quint64> m_value{0};
};

/// What a Histogram had seen when it was read. Buckets are not cumulative.
template <std::size_t Bounds>
struct HistogramSnapshot
{
    std::array<quint64, Bounds + 1> buckets{}; ///< the last one: above every bound
    double sum = 0;                            ///< in the unit of the observations

    HistogramSnapshot &operator+=(const HistogramSnapshot &other)
    {
        for (std::size_t i = 0; i < buckets.size(); ++i) {
            buckets[i] += other.buckets[i];
        }
        sum += other.sum;
        return *this;
    }
};

/// Upper bounds in seconds of the latency histogram: 10 us to 10 s, as the wire is fast and a slow
/// client is not.
inline constexpr std::array<double, 16> kLatencyBounds{
    10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3,
    5e-3,  10e-3, 25e-3, 50e-3,  100e-3, 500e-3, 1,    10};
using LatencySnapshot = HistogramSnapshot<kLatencyBounds.size()>;

/// Durations by bucket; one writer, any reader, as Counter. A duration equal to a bound is counted
/// below it.
class LatencyHistogram
{
public:
    void observe(std::chrono::nanoseconds duration, quint64 times = 1)
    {
        const double seconds = std::chrono::duration<double>(duration).count();
        std::size_t bucket = 0;
        while (bucket < kLatencyBounds.size() && seconds > kLatencyBounds[bucket]) {
            ++bucket;
        }
        m_buckets[bucket].add(times);
        m_seconds.store(m_seconds.load(std::memory_order_relaxed)
                            + seconds * static_cast<double>(times),
                        std::memory_order_relaxed);
    }

    [[nodiscard]] LatencySnapshot snapshot() const
    {
        LatencySnapshot result;
        for (std::size_t i = 0; i < m_buckets.size(); ++i) {
            result.buckets[i] = m_buckets[i].value();
        }
        result.sum = m_seconds.load(std::memory_order_relaxed);
        return result;
    }

private:
    std::array<Counter, kLatencyBounds.size() + 1> m_buckets;
    /// Not whole nanoseconds: at two million deliveries a second of 10 ms each those would wrap in
    /// ten days.
    std::atomic<double> m_seconds{0};
};

} // namespace relay
