#pragma once

#include "base/clock.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relay {

/// The longest of the durations of the last minute; at most kSlot older ones count, too. A reader
/// changes nothing, so any number of them see the same.
///
/// Thread: one writes, any reads.
/// Limits: durations up to 71 minutes; a longer one counts as that.
class LongestRecently
{
public:
    static constexpr std::chrono::seconds kSlot{10};

    void observe(std::chrono::nanoseconds duration, TimePoint now)
    {
        const std::uint64_t slot = slotOf(now);
        std::atomic<std::uint64_t> &kept = m_slots[slot % kSlots];
        const std::uint64_t candidate = (slot << kValueBits) | microseconds(duration);
        // A later slot is a larger number, and so is a longer duration in the same one.
        if (candidate > kept.load(std::memory_order_relaxed)) {
            kept.store(candidate, std::memory_order_relaxed);
        }
    }

    [[nodiscard]] std::chrono::nanoseconds value(TimePoint now) const
    {
        const std::uint64_t slot = slotOf(now);
        std::uint64_t longest = 0;
        for (const std::atomic<std::uint64_t> &kept : m_slots) {
            const std::uint64_t value = kept.load(std::memory_order_relaxed);
            if ((value >> kValueBits) + kSlots > slot) {
                longest = std::max(longest, value & kMaxValue);
            }
        }
        return std::chrono::microseconds(longest);
    }

private:
    static constexpr std::size_t kSlots = 7; ///< a minute's, and the one that is not over
    static constexpr int kValueBits = 32;
    static constexpr std::uint64_t kMaxValue = (std::uint64_t{1} << kValueBits) - 1;

    /// Counted from 1 from the clock's epoch, so that an empty slot is older than any.
    static std::uint64_t slotOf(TimePoint now)
    {
        return static_cast<std::uint64_t>(now.time_since_epoch() / kSlot) + kSlots + 1;
    }
    static std::uint64_t microseconds(std::chrono::nanoseconds duration)
    {
        return std::min(
            static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(duration).count()),
            kMaxValue);
    }

    std::array<std::atomic<std::uint64_t>, kSlots> m_slots{};
};

} // namespace relay
