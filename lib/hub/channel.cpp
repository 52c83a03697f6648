#include "hub/channel.h"

#include <QVarLengthArray>

#include <algorithm>

namespace relay {

namespace {

using Sleepers = QVarLengthArray<const Inbox *, 16>;

void wake(const Sleepers &sleepers)
{
    for (const Inbox *inbox : sleepers) {
        inbox->wake();
    }
}

} // namespace

void Channel::join(Inbox &inbox)
{
    const MutexLock lock(m_mutex);
    m_inboxes.push_back(&inbox);
}

void Channel::leave(Inbox &inbox)
{
    const MutexLock lock(m_mutex);
    m_inboxes.erase(std::remove(m_inboxes.begin(), m_inboxes.end(), &inbox), m_inboxes.end());
}

qint64 Channel::publish(const Delivery &delivery, const Inbox *own)
{
    qint64 waiting = 0;
    Sleepers sleepers;
    {
        const MutexLock lock(m_mutex);
        for (Inbox *inbox : m_inboxes) {
            const Inbox::Pushed pushed = inbox->push(delivery);
            if (inbox == own) {
                waiting = pushed.waitingBytes;
            } else if (pushed.needsWake) {
                sleepers.append(inbox);
            }
        }
    }
    wake(sleepers);
    return waiting;
}

bool Channel::tryPublish(const Delivery &delivery)
{
    Sleepers sleepers;
    {
        const MutexLock lock(m_mutex);
        if (std::any_of(m_inboxes.cbegin(), m_inboxes.cend(),
                        [](const Inbox *inbox) { return inbox->isFull(); }))
        {
            return false;
        }
        for (Inbox *inbox : m_inboxes) {
            if (inbox->push(delivery).needsWake) {
                sleepers.append(inbox);
            }
        }
    }
    wake(sleepers);
    return true;
}

} // namespace relay
