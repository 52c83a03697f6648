#pragma once

#include <chrono>

namespace relay {

/// The time that limits and latencies are measured in: monotonic, never set back.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

} // namespace relay
