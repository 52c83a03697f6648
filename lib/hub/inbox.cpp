#include "hub/inbox.h"

#include <algorithm>
#include <utility>

namespace relay {

Inbox::Inbox(qint64 maxBytes, Backpressure &backpressure, std::function<void()> wake)
    : m_maxBytes(maxBytes)
    , m_backpressure(backpressure)
    , m_wake(std::move(wake))
{}

bool Inbox::push(Delivery delivery)
{
    bool needsWake = false;
    bool isFilledNow = false;
    {
        const MutexLock lock(m_mutex);
        needsWake = std::exchange(m_isEmpty, false);
        const qint64 before = waitingBytes();
        const qint64 after = before + delivery.message->cost() + kDeliveryCost;
        m_bytes.store(after, std::memory_order_relaxed);
        isFilledNow = before < m_maxBytes && after >= m_maxBytes;
        m_content.deliveries.push_back(std::move(delivery));
    }
    if (isFilledNow) {
        m_backpressure.inboxFilled();
    }
    return needsWake;
}

bool Inbox::push(Arrival arrival)
{
    const MutexLock lock(m_mutex);
    m_content.arrivals.push_back(std::move(arrival));
    return std::exchange(m_isEmpty, false);
}

void Inbox::push(Task task)
{
    {
        const MutexLock lock(m_mutex);
        m_isEmpty = false;
        m_content.tasks.push_back(std::move(task));
    }
    m_wake();
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
    return m_bytes.exchange(0, std::memory_order_relaxed) >= m_maxBytes;
}

} // namespace relay
