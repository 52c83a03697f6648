#include "net/timer_wheel.h"

#include <QtGlobal>

#include <algorithm>

namespace relay {

using std::chrono::milliseconds;

WheelTimer::~WheelTimer()
{
    if (m_wheel) {
        m_wheel->cancel(*this);
    }
}

TimerWheel::TimerWheel(milliseconds tick, TimePoint now)
    : m_tick(tick)
    , m_start(now)
    , m_now(now)
{
    Q_ASSERT(tick > milliseconds::zero());
}

TimerWheel::~TimerWheel()
{
    const auto forget = [](detail::WheelLink &list) {
        while (!list.isAlone()) {
            auto &timer = static_cast<WheelTimer &>(*list.next);
            timer.remove();
            timer.m_wheel = nullptr;
        }
    };
    std::for_each(m_slots.begin(), m_slots.end(), forget);
    forget(m_due);
}

void TimerWheel::schedule(WheelTimer &timer, milliseconds delay)
{
    schedule(timer, delay, m_now);
}

void TimerWheel::schedule(WheelTimer &timer, milliseconds delay, TimePoint now)
{
    Q_ASSERT(now >= m_now);
    if (timer.m_wheel) {
        timer.m_wheel->cancel(timer);
    }

    // Whole ticks are counted apart from the rest, so that no delay is long enough to overflow.
    delay = std::max(delay, milliseconds::zero());
    const Clock::duration elapsed = now - m_start;
    const Clock::duration rest = elapsed % m_tick + delay % m_tick;
    const auto restTicks = (rest + Clock::duration(m_tick) - Clock::duration(1)) / m_tick;
    const auto expiry = static_cast<std::uint64_t>(elapsed / m_tick)
                        + static_cast<std::uint64_t>(delay / m_tick)
                        + static_cast<std::uint64_t>(restTicks);

    timer.m_wheel = this;
    timer.m_expiryTick = std::max(expiry, m_currentTick + 1);
    timer.insertBefore(slotOf(timer.m_expiryTick));
    ++m_armed;
}

void TimerWheel::cancel(WheelTimer &timer)
{
    if (!timer.m_wheel) {
        return;
    }
    Q_ASSERT(timer.m_wheel == this);
    timer.remove();
    timer.m_wheel = nullptr;
    --m_armed;
}

void TimerWheel::advance(TimePoint now)
{
    Q_ASSERT(now >= m_now);
    m_now = now;
    const auto target = static_cast<std::uint64_t>((now - m_start) / m_tick);
    const std::uint64_t passed = target - m_currentTick;
    const std::uint64_t first = m_currentTick + 1;
    m_currentTick = target;
    if (isEmpty()) {
        return;
    }

    // After a pause longer than one turn every slot is looked at, once.
    const std::uint64_t slots = std::min<std::uint64_t>(passed, kSlots);
    for (std::uint64_t i = 0; i < slots; ++i) {
        collectDue(slotOf(first + i));
    }

    // A callback may take any timer off m_due, or its own object from the earth: nothing is held
    // over the call.
    while (!m_due.isAlone()) {
        auto &timer = static_cast<WheelTimer &>(*m_due.next);
        cancel(timer);
        timer.expired();
    }
}

void TimerWheel::collectDue(detail::WheelLink &slot)
{
    for (detail::WheelLink *link = slot.next; link != &slot;) {
        auto &timer = static_cast<WheelTimer &>(*link);
        link = link->next;
        if (timer.m_expiryTick > m_currentTick) {
            continue;
        }
        timer.remove();
        timer.insertBefore(m_due);
    }
}

} // namespace relay
