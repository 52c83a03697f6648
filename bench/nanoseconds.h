#pragma once

#include <chrono>
#include <cstdint>

namespace relay::bench {

/// A point in time: nanoseconds of the monotonic clock, as they stand in every message.
using Nanoseconds = std::int64_t;

inline constexpr Nanoseconds kMillisecond = 1'000'000;
inline constexpr Nanoseconds kSecond = 1'000'000'000;

inline Nanoseconds now()
{
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

constexpr double toSeconds(Nanoseconds span)
{
    return static_cast<double>(span) / 1e9;
}

} // namespace relay::bench
