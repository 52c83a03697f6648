#include "hub/inbox.h"

#include <algorithm>
#include <utility>

namespace relay {

Inbox::Inbox(qint64 maxBytes, Backpressure &backpressure, std::function<void()> wake)
    : m_maxBytes(maxBytes)
    , m_backpressure(backpressure)
    , m_wake(std::move(wake))
{}

Inbox::Pushed Inbox::push(const Delivery &delivery)
{
    Pushed pushed{};
    bool isFilledNow = false;
    {
        const MutexLock lock(m_mutex);
        pushed.needsWake = std::exchange(m_isEmpty, false);
        pushed.waitingBytes = m_bytes + delivery.frame.bytes().size() + kDeliveryCost;
        isFilledNow = m_bytes < m_maxBytes && pushed.waitingBytes >= m_maxBytes;
        m_bytes = pushed.waitingBytes;
        m_content.deliveries.push_back(delivery);
    }
    if (isFilledNow) {
        m_backpressure.inboxFilled();
    }
    return pushed;
}

bool Inbox::push(Arrival arrival)
{
    const MutexLock lock(m_mutex);
    m_content.arrivals.push_back(std::move(arrival));
    return std::exchange(m_isEmpty, false);
}

void Inbox::pushClose(std::chrono::milliseconds grace)
{
    {
        const MutexLock lock(m_mutex);
        m_isEmpty = false;
        m_content.closeWithin = std::min(grace, m_content.closeWithin.value_or(grace));
    }
    m_wake();
}

bool Inbox::isFull() const
{
    const MutexLock lock(m_mutex);
    return m_bytes >= m_maxBytes;
}

void Inbox::drain(Content &content)
{
    bool wasFull = false;
    {
        const MutexLock lock(m_mutex);
        if (m_isEmpty) {
            return;
        }
        std::swap(m_content, content);
        m_isEmpty = true;
        wasFull = takeBytes();
    }
    if (wasFull) {
        m_backpressure.inboxDrained();
    }
}

void Inbox::drainDeliveries(std::vector<Delivery> &deliveries)
{
    bool wasFull = false;
    {
        const MutexLock lock(m_mutex);
        std::swap(m_content.deliveries, deliveries);
        wasFull = takeBytes();
    }
    if (wasFull) {
        m_backpressure.inboxDrained();
    }
}

bool Inbox::takeBytes()
{
    return std::exchange(m_bytes, 0) >= m_maxBytes;
}

} // namespace relay
