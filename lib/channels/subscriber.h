#pragma once

#include "channels/message.h"

#include <QVarLengthArray>

namespace relay {

/// A thread that may have to be told that something waits for it. Outlives every Subscriber.
class Wakeable
{
public:
    /// Thread: any. Called with no lock held.
    virtual void wake() const = 0;

protected:
    ~Wakeable() = default;
};

/// Who has to be woken once all locks are released.
using WakeList = QVarLengthArray<const Wakeable *, 16>;

inline void wakeAll(const WakeList &sleepers)
{
    for (const Wakeable *sleeper : sleepers) {
        sleeper->wake();
    }
}

/// Who is given every message of a channel, or of all that match a pattern: in the relay, a worker's
/// Room.
///
/// Thread: called on any, under the channel's lock; must not call back.
class Subscriber
{
public:
    /// Appends who has to be woken to `sleepers`.
    virtual void take(const MessagePtr &message, WakeList &sleepers) = 0;

protected:
    ~Subscriber() = default;
};

} // namespace relay
