#pragma once

#include "base/clock.h"

#include <QAbstractEventDispatcher>
#include <QList>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

class QObject;

namespace relay {

/// The timers of one event dispatcher: who gets a QTimerEvent, and when.
///
/// A binary heap by deadline, and two indexes, by id and by object: adding, removing and firing
/// cost O(log n). Time is passed in; it must not go back.
///
/// Thread: the dispatcher's.
/// Owner: EpollDispatcher, by value.
/// Errors: an unknown id is answered with false, or -1.
class TimerQueue
{
public:
    TimerQueue() = default;
    ~TimerQueue() = default;
    TimerQueue(const TimerQueue &) = delete;
    TimerQueue &operator=(const TimerQueue &) = delete;

    /// Starts a timer; one with the same id is replaced. `interval` 0 is due in every turn.
    void add(int id,
             std::chrono::milliseconds interval,
             Qt::TimerType type,
             QObject *object,
             TimePoint now);
    bool remove(int id);
    /// False if there was no timer at all, of this object or another (Qt's own dispatcher answers
    /// so).
    bool removeAll(const QObject *object);

    [[nodiscard]] QList<QAbstractEventDispatcher::TimerInfo> timersOf(const QObject *object) const;
    /// Rounded up; 0 when overdue, -1 when there is no such timer.
    [[nodiscard]] std::chrono::milliseconds remaining(int id, TimePoint now) const;
    /// When fire() should be called next. None while no timer waits: those being delivered do not
    /// count.
    [[nodiscard]] std::optional<TimePoint> nextDeadline() const;

    struct Fired
    {
        int timers = 0; ///< events delivered
        int events = 0; ///< of these, from timers with an interval: what processEvents() counts
    };
    /// Sends a QTimerEvent for each timer that is due at `now`, in order of deadline.
    ///
    /// A timer fires at most once a call however late it is, and not again until its event was
    /// handled. Handlers may add and remove any timer, their own too, delete any object, and call
    /// fire() again; what they add is not due in this call.
    Fired fire(TimePoint now);

    /// When a timer that is expected at `expected` fires, so that many fire in one wake-up: within
    /// 5 % of `interval`, on the roundest fraction of a second that the clock has there
    /// (VeryCoarseTimer: on the nearest second).
    static TimePoint
    roundedDeadline(TimePoint expected, std::chrono::milliseconds interval, Qt::TimerType type);

private:
    struct Timer
    {
        int id = 0;
        Qt::TimerType type = Qt::CoarseTimer;
        std::chrono::milliseconds interval{};
        QObject *object = nullptr;
        /// When it should fire by its interval; the next one is counted from here, so that rounding
        /// does not add up.
        TimePoint expected;
        TimePoint deadline;
        /// Order of (re-)arming: parts equal deadlines, and what was armed during fire() from what
        /// was due before.
        std::uint64_t sequence = 0;
        /// Tells a timer from an earlier one with the same id.
        std::uint64_t registration = 0;
        /// Place in m_heap; kNotInHeap while its event is being delivered.
        std::size_t place = 0;
        Timer *previousOfObject = nullptr;
        Timer *nextOfObject = nullptr;
    };
    static constexpr std::size_t kNotInHeap = static_cast<std::size_t>(-1);

    static bool isBefore(const Timer *a, const Timer *b);
    static void setNextDeadline(Timer &timer, TimePoint now);
    void arm(Timer &timer);
    void disarm(Timer &timer);
    void put(std::size_t place, Timer *timer);
    void siftUp(std::size_t place);
    void siftDown(std::size_t place);
    void link(Timer &timer);
    void unlink(Timer &timer);

    std::unordered_map<int, Timer> m_timers;
    std::unordered_map<const QObject *, Timer *> m_firstOfObject;
    std::vector<Timer *> m_heap;
    std::uint64_t m_nextSequence = 0;
    std::uint64_t m_nextRegistration = 0;
};

} // namespace relay
