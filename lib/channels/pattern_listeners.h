#pragma once

#include "base/channel_name.h"
#include "base/mutex.h"
#include "base/position.h"
#include "channels/channel_order.h"
#include "channels/message.h"
#include "channels/pattern_index.h"
#include "channels/subscriber.h"

#include <memory>
#include <unordered_map>
#include <vector>

namespace relay {

/// The listeners of patterns. They resume in the order of all messages, ChannelOrder.
///
/// A listener's position is one number: it has got all matching messages up to it, and none after it.
/// That holds because join() and the numbering of a message exclude each other. When join() returned
/// n, a message is either numbered up to n, and its channel's history has it once the channel's lock
/// can be had; or it is numbered above n, and is handed to the listener.
///
/// Thread: any. Its lock is taken inside a channel's, and before an inbox's and the order's. A message
/// that nobody listens to by a pattern does not need it.
/// Owner: ChannelRegistry.
class PatternListeners
{
    struct Audience
    {
        Subscriber *subscriber;
        int clients;
    };

public:
    PatternListeners();

    /// The epoch of pattern listeners' positions, whose offsets are sequence numbers.
    [[nodiscard]] Epoch epoch() const { return m_epoch; }
    ChannelOrder &order() { return m_order; }
    /// The last number given to a message.
    [[nodiscard]] quint64 lastSequence() const { return m_order.lastSequence(); }

    /// The subscriber takes every message that matches, for so many clients (one or more). Returns
    /// the last number given: messages after it will be taken. Called again when the number of
    /// clients has changed.
    quint64 join(const ChannelPattern &pattern, Subscriber &subscriber, int clients);
    /// The last client has left. When this returns, nothing touches the subscriber any more.
    void leave(const ChannelPattern &pattern, Subscriber &subscriber);

    /// What a channel remembers of the listeners whose patterns match it.
    class Matches
    {
        friend class PatternListeners;
        quint64 m_version = 0; // of the listeners, at the last look; 0: none yet
        std::vector<Audience *> m_audiences;
    };
    /// Numbers the message, and hands it to all who listen to its channel by a pattern; returns how
    /// many clients these are. `matches` and `place` are the channel's, whose lock is held.
    int publish(const std::shared_ptr<Message> &message,
                Matches &matches,
                ChannelOrder::Place &place,
                WakeList &sleepers);
    /// Only numbers it: nobody may hear it.
    void number(Message &message) { message.sequence = m_order.numberUnheard(); }

    /// How many clients listen to the name by a pattern.
    [[nodiscard]] int clientCount(const ChannelName &name) const;

private:
    quint64 changed() RELAY_REQUIRES(m_mutex);

    const Epoch m_epoch;
    ChannelOrder m_order;

    mutable Mutex m_mutex;
    quint64 m_version RELAY_GUARDED_BY(m_mutex) = 1;
    PatternIndex<Audience> m_index RELAY_GUARDED_BY(m_mutex);
    std::unordered_map<Subscriber *, std::unique_ptr<Audience>>
        m_audiences RELAY_GUARDED_BY(m_mutex);
};

} // namespace relay
