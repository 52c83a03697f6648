#pragma once

#include "base/clock.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relay {

class TimerWheel;

namespace detail {

/// A link of a circular list; alone it points to itself.
struct WheelLink
{
    WheelLink *previous = this;
    WheelLink *next = this;

    [[nodiscard]] bool isAlone() const { return next == this; }
    void insertBefore(WheelLink &other)
    {
        previous = other.previous;
        next = &other;
        previous->next = this;
        other.previous = this;
    }
    void remove()
    {
        previous->next = next;
        next->previous = previous;
        previous = next = this;
    }
};

} // namespace detail

/// A timer on a TimerWheel: 40 bytes, part of the object that it is for, which derives from it or
/// has it as a member.
///
/// Thread: the wheel's.
/// Owner: who needs it, by value; its end cancels it.
class WheelTimer : private detail::WheelLink
{
public:
    WheelTimer() = default;
    WheelTimer(const WheelTimer &) = delete;
    WheelTimer &operator=(const WheelTimer &) = delete;

    [[nodiscard]] bool isArmed() const { return m_wheel != nullptr; }

protected:
    ~WheelTimer();

private:
    friend class TimerWheel;

    /// Called once for each schedule() that ran out. The timer is not armed any more: it may be
    /// scheduled again, and it and any other timer may be cancelled or deleted.
    virtual void expired() = 0;

    TimerWheel *m_wheel = nullptr;
    std::uint64_t m_expiryTick = 0;
};

/// Coarse timers for very many clients, at the price of one: each worker turns one wheel, once a
/// tick.
///
/// A timer is never early, and late by at most a tick, both by the time that the wheel was told. A
/// delay may be of any length: what lies beyond one turn of the wheel (256 ticks) stays in its slot
/// for as many rounds as it takes. schedule() and cancel() cost O(1); advance() costs the slots
/// that it passes, each at most once, and the timers in them.
///
/// Thread: confined to one.
/// Owner: the worker. Timers that are armed when it ends never fire. Time is passed in and must not
/// go back.
class TimerWheel
{
public:
    /// Precondition: `tick` is positive.
    TimerWheel(std::chrono::milliseconds tick, TimePoint now);
    ~TimerWheel();
    TimerWheel(const TimerWheel &) = delete;
    TimerWheel &operator=(const TimerWheel &) = delete;

    [[nodiscard]] std::chrono::milliseconds tick() const { return m_tick; }

    /// Lets `timer` expire after `delay` (negative: 0), counted from the last advance(): by a clock
    /// on the wall it may be early by what has passed since then. A timer that is armed is armed
    /// anew.
    void schedule(WheelTimer &timer, std::chrono::milliseconds delay);
    /// The same counted from `now`, which is not before the last advance(): never early by any
    /// clock.
    void schedule(WheelTimer &timer, std::chrono::milliseconds delay, TimePoint now);
    void cancel(WheelTimer &timer);

    /// Tells the time; timers that are due expire before it returns. A timer scheduled meanwhile
    /// waits for a later tick, even with no delay.
    void advance(TimePoint now);

    [[nodiscard]] bool isEmpty() const { return m_armed == 0; }

private:
    /// At the worker's 100 ms one turn is 25.6 s: most limits are met in the first round.
    static constexpr std::size_t kSlots = 256;

    detail::WheelLink &slotOf(std::uint64_t tick) { return m_slots[tick % kSlots]; }
    void collectDue(detail::WheelLink &slot);

    const std::chrono::milliseconds m_tick;
    const TimePoint m_start;
    TimePoint m_now;
    std::uint64_t m_currentTick = 0;
    std::size_t m_armed = 0;
    std::array<detail::WheelLink, kSlots> m_slots;
    /// Taken off their slots by advance() and not yet told. Still armed: they can be cancelled.
    detail::WheelLink m_due;
};

} // namespace relay
