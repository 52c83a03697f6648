#pragma once

#include <atomic>
#include <functional>

namespace relay {

/// Tells all workers whether any worker's inbox is full: then none of them reads from clients, so
/// that what cannot be written yet waits with its senders.
///
/// Thread: any.
/// Owner: Hub.
class Backpressure
{
public:
    /// `onRelieved` is called, on any thread, when the last full inbox was drained; it makes every
    /// worker take another turn.
    explicit Backpressure(std::function<void()> onRelieved)
        : m_onRelieved(std::move(onRelieved))
    {}

    [[nodiscard]] bool isOn() const { return m_fullInboxes.load(std::memory_order_acquire) > 0; }
    void inboxFilled() { m_fullInboxes.fetch_add(1, std::memory_order_acq_rel); }
    void inboxDrained()
    {
        if (m_fullInboxes.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            m_onRelieved();
        }
    }

private:
    std::atomic<int> m_fullInboxes{0};
    std::function<void()> m_onRelieved;
};

} // namespace relay
