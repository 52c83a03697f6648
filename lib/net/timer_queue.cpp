#include "net/timer_queue.h"

#include <QCoreApplication>
#include <QTimerEvent>

#include <algorithm>
#include <array>

namespace relay {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Longer than any machine runs, and far enough from the clock's end that sums cannot overflow.
constexpr milliseconds kLongestInterval = std::chrono::hours(24 * 365 * 100);

/// Below this, 5 % is less than the millisecond that timers are kept in.
constexpr milliseconds kShortestCoarseInterval{20};

milliseconds keptInterval(milliseconds interval, Qt::TimerType type)
{
    const milliseconds bounded = std::clamp(interval, milliseconds::zero(), kLongestInterval);
    if (type != Qt::VeryCoarseTimer || bounded == milliseconds::zero()) {
        return bounded;
    }
    return std::max(std::chrono::round<seconds>(bounded), seconds(1));
}

Clock::duration nearestMultiple(Clock::duration time, Clock::duration grid)
{
    return (time + grid / 2) / grid * grid;
}

} // namespace

TimePoint TimerQueue::roundedDeadline(TimePoint expected, milliseconds interval, Qt::TimerType type)
{
    // From the fraction of a second that most timers can meet at to the one that hardly matters.
    static constexpr std::array kGrids = {milliseconds(1000), milliseconds(500), milliseconds(250),
                                          milliseconds(200),  milliseconds(100), milliseconds(50),
                                          milliseconds(25),   milliseconds(4),   milliseconds(2)};
    const Clock::duration time = expected.time_since_epoch();
    if (type == Qt::VeryCoarseTimer && interval > milliseconds::zero()) {
        return TimePoint(nearestMultiple(time, seconds(1)));
    }
    if (type == Qt::PreciseTimer || interval <= kShortestCoarseInterval) {
        return expected;
    }

    const Clock::duration slack = Clock::duration(interval) / 20;
    for (const milliseconds grid : kGrids) {
        const Clock::duration rounded = nearestMultiple(time, grid);
        if (std::chrono::abs(rounded - time) <= slack) {
            return TimePoint(rounded);
        }
    }
    return expected;
}

void TimerQueue::add(
    int id, milliseconds interval, Qt::TimerType type, QObject *object, TimePoint now)
{
    remove(id);
    Timer &timer = m_timers[id];
    timer.id = id;
    timer.type = type;
    timer.interval = keptInterval(interval, type);
    timer.object = object;
    timer.registration = ++m_nextRegistration;
    timer.expected = now + timer.interval;
    timer.deadline = std::max(now, roundedDeadline(timer.expected, timer.interval, timer.type));
    link(timer);
    arm(timer);
}

bool TimerQueue::remove(int id)
{
    const auto found = m_timers.find(id);
    if (found == m_timers.end()) {
        return false;
    }
    disarm(found->second);
    unlink(found->second);
    m_timers.erase(found);
    return true;
}

bool TimerQueue::removeAll(const QObject *object)
{
    if (m_timers.empty()) {
        return false;
    }
    for (auto first = m_firstOfObject.find(object); first != m_firstOfObject.end();
         first = m_firstOfObject.find(object))
    {
        remove(first->second->id);
    }
    return true;
}

QList<QAbstractEventDispatcher::TimerInfo> TimerQueue::timersOf(const QObject *object) const
{
    QList<QAbstractEventDispatcher::TimerInfo> infos;
    const auto first = m_firstOfObject.find(object);
    const Timer *timer = first == m_firstOfObject.end() ? nullptr : first->second;
    for (; timer; timer = timer->nextOfObject) {
        infos.emplaceBack(timer->id, static_cast<int>(timer->interval.count()), timer->type);
    }
    return infos;
}

milliseconds TimerQueue::remaining(int id, TimePoint now) const
{
    const auto found = m_timers.find(id);
    if (found == m_timers.end()) {
        return milliseconds(-1);
    }
    const Clock::duration left = found->second.deadline - now;
    return std::max(milliseconds::zero(), std::chrono::ceil<milliseconds>(left));
}

std::optional<TimePoint> TimerQueue::nextDeadline() const
{
    if (m_heap.empty()) {
        return std::nullopt;
    }
    return m_heap.front()->deadline;
}

TimerQueue::Fired TimerQueue::fire(TimePoint now)
{
    Fired fired;
    // What is armed from here on, by a handler or for its next time, is later than all that is due
    // now: it sorts behind.
    const std::uint64_t firstOfNextTurn = m_nextSequence;
    while (!m_heap.empty()) {
        Timer &timer = *m_heap.front();
        if (timer.deadline > now || timer.sequence >= firstOfNextTurn) {
            break;
        }
        disarm(timer);
        setNextDeadline(timer, now);
        ++fired.timers;
        if (timer.interval > milliseconds::zero()) {
            ++fired.events;
        }

        const int id = timer.id;
        const std::uint64_t registration = timer.registration;
        QTimerEvent event(id);
        QCoreApplication::sendEvent(timer.object, &event);

        const auto found = m_timers.find(id);
        if (found != m_timers.end() && found->second.registration == registration) {
            arm(found->second);
        }
    }
    return fired;
}

void TimerQueue::setNextDeadline(Timer &timer, TimePoint now)
{
    timer.expected += timer.interval;
    if (timer.expected < now) {
        timer.expected =
            now + timer.interval; // late by a whole interval: what was missed is not made up for
    }
    timer.deadline = roundedDeadline(timer.expected, timer.interval, timer.type);
    if (timer.deadline <= now) {
        timer.deadline = timer.expected;
    }
}

bool TimerQueue::isBefore(const Timer *a, const Timer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
}

void TimerQueue::arm(Timer &timer)
{
    timer.sequence = m_nextSequence++;
    timer.place = m_heap.size();
    m_heap.push_back(&timer);
    siftUp(timer.place);
}

void TimerQueue::disarm(Timer &timer)
{
    const std::size_t place = timer.place;
    if (place == kNotInHeap) {
        return;
    }
    timer.place = kNotInHeap;
    Timer *last = m_heap.back();
    m_heap.pop_back();
    if (last == &timer) {
        return;
    }
    put(place, last);
    siftUp(place);
    siftDown(last->place);
}

void TimerQueue::put(std::size_t place, Timer *timer)
{
    m_heap[place] = timer;
    timer->place = place;
}

void TimerQueue::siftUp(std::size_t place)
{
    Timer *timer = m_heap[place];
    while (place > 0) {
        const std::size_t parent = (place - 1) / 2;
        if (!isBefore(timer, m_heap[parent])) {
            break;
        }
        put(place, m_heap[parent]);
        place = parent;
    }
    put(place, timer);
}

void TimerQueue::siftDown(std::size_t place)
{
    Timer *timer = m_heap[place];
    while (true) {
        std::size_t child = 2 * place + 1;
        if (child >= m_heap.size()) {
            break;
        }
        if (child + 1 < m_heap.size() && isBefore(m_heap[child + 1], m_heap[child])) {
            ++child;
        }
        if (!isBefore(m_heap[child], timer)) {
            break;
        }
        put(place, m_heap[child]);
        place = child;
    }
    put(place, timer);
}

void TimerQueue::link(Timer &timer)
{
    Timer *&first = m_firstOfObject[timer.object];
    timer.nextOfObject = first;
    if (first) {
        first->previousOfObject = &timer;
    }
    first = &timer;
}

void TimerQueue::unlink(Timer &timer)
{
    if (timer.nextOfObject) {
        timer.nextOfObject->previousOfObject = timer.previousOfObject;
    }
    if (timer.previousOfObject) {
        timer.previousOfObject->nextOfObject = timer.nextOfObject;
    } else if (timer.nextOfObject) {
        m_firstOfObject[timer.object] = timer.nextOfObject;
    } else {
        m_firstOfObject.erase(timer.object);
    }
}

} // namespace relay
