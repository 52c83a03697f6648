#pragma once

#include "base/clock.h"

#include <chrono>
#include <optional>

namespace relay {

/// The time of one turn of a worker's loop: when it began, and whether it may go on reading.
///
/// Reading is cheap, so the clock is not read for each client: work is counted, and the clock is
/// read after every kWorkPerLook units of it. A unit is about what a small frame costs.
///
/// Thread: its worker's.
/// Owner: Worker, by value.
/// Limits: kMaxReading a turn, whoever has sent and over however many connections. Writing comes on
/// top of it.
class TurnBudget
{
public:
    /// Clients that have sent nothing yet wait for the turns of those that have: twice this, and the
    /// writing, is how long a flood delays an echo (about 5 ms in all). Much less would cost large
    /// rooms: each turn writes once to every member.
    static constexpr std::chrono::milliseconds kMaxReading{2};
    static constexpr int kWorkPerLook = 256;

    using Now = TimePoint (*)();

    explicit TurnBudget(Now clock = &Clock::now)
        : m_clock(clock)
    {}

    /// When the turn began. The first call in a turn begins it.
    TimePoint now()
    {
        if (!m_begin) {
            m_begin = m_clock();
        }
        return *m_begin;
    }

    /// Counts work that was done.
    void spend(int work)
    {
        m_untilLook -= work;
        if (m_untilLook <= 0) {
            look();
        }
    }
    /// Whether the turn has read for kMaxReading.
    [[nodiscard]] bool isSpent() const { return m_isSpent; }

    struct Turn
    {
        TimePoint end;
        std::chrono::nanoseconds length;
    };
    /// Ends the turn.
    Turn end()
    {
        const TimePoint begin = now();
        const TimePoint end = m_clock();
        m_begin.reset();
        m_untilLook = kWorkPerLook;
        m_isSpent = false;
        return {end, end - begin};
    }

private:
    void look()
    {
        const TimePoint begin = now();
        m_isSpent = m_isSpent || m_clock() - begin >= kMaxReading;
        m_untilLook = kWorkPerLook;
    }

    Now m_clock;
    std::optional<TimePoint> m_begin;
    int m_untilLook = kWorkPerLook;
    bool m_isSpent = false;
};

} // namespace relay
