#pragma once

#include "base/mutex.h"
#include "hub/delivery.h"
#include "hub/inbox.h"

#include <vector>

namespace relay {

/// A room: one total order of messages, given to every worker that has members.
///
/// Its lock is what makes the order total: all inboxes get a message before any of them gets the
/// next.
/// Thread: any.
/// Owner: Hub.
class Channel
{
public:
    /// From here on the worker's inbox gets every message.
    void join(Inbox &inbox);
    void leave(Inbox &inbox);

    /// Appends the message to the inbox of each worker with members. `own` is the sender's
    /// worker's, which is not woken: its turn ends soon. Returns the bytes that wait there.
    qint64 publish(const Delivery &delivery, const Inbox *own);

    /// As publish(), for a sender that can be told to wait: nothing is sent while an inbox is full.
    [[nodiscard]] bool tryPublish(const Delivery &delivery);

private:
    Mutex m_mutex; // taken before an inbox's; no worker is woken under it
    std::vector<Inbox *> m_inboxes RELAY_GUARDED_BY(m_mutex);
};

} // namespace relay
