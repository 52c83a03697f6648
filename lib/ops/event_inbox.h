#pragma once

#include "base/mutex.h"
#include "ops/model/relay_event.h"

#include <atomic>
#include <utility>
#include <vector>

namespace relay {

/// What happens to a hub's clients: noted by the workers, taken by the hub's thread.
///
/// A queue of its own, as Qt's would take an event for each client of a storm before anything could
/// be left out.
/// Thread: any for isOpen() and push(); the hub's for the rest.
/// Owner: shared by EventFeed and what it has connected to the hub's signals, which outlives it.
/// Limits: kMaxPerSecond events between two calls of endSecond(); more are counted.
class EventInbox
{
public:
    static constexpr int kMaxPerSecond = 200;

    /// While it is closed, as at first, nothing is noted.
    [[nodiscard]] bool isOpen() const { return m_isOpen.load(std::memory_order_relaxed); }
    void setOpen(bool open) { m_isOpen.store(open, std::memory_order_relaxed); }

    void push(RelayEvent event)
    {
        const MutexLock lock(m_mutex);
        if (m_accepted < kMaxPerSecond) {
            ++m_accepted;
            m_events.push_back(std::move(event));
        } else {
            ++m_skipped;
        }
    }

    /// What was noted since it was last called, in order.
    [[nodiscard]] std::vector<RelayEvent> take()
    {
        const MutexLock lock(m_mutex);
        return std::exchange(m_events, {});
    }

    struct Second
    {
        std::vector<RelayEvent> events; ///< that were not taken yet
        qint64 skipped = 0;             ///< left out since it was last called
    };
    /// Ends a second: from now on there is room for kMaxPerSecond again.
    [[nodiscard]] Second endSecond()
    {
        const MutexLock lock(m_mutex);
        m_accepted = 0;
        return {std::exchange(m_events, {}), std::exchange(m_skipped, 0)};
    }

private:
    std::atomic<bool> m_isOpen{false};
    Mutex m_mutex;
    std::vector<RelayEvent> m_events RELAY_GUARDED_BY(m_mutex);
    int m_accepted RELAY_GUARDED_BY(m_mutex) = 0;
    qint64 m_skipped RELAY_GUARDED_BY(m_mutex) = 0;
};

} // namespace relay
