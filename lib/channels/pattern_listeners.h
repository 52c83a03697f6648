#pragma once

#include "base/channel_name.h"
#include "base/mutex.h"
#include "base/position.h"
#include "channels/pattern_index.h"
#include "channels/subscriber.h"

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

namespace relay {

/// Who listens to patterns, and the one order of all messages of the process that lets them resume.
///
/// Every message has a sequence number, drawn here. A listener's position is one number: it has got
/// all matching messages up to it, and none behind it. That holds because
/// - a message that somebody listens to by a pattern is numbered and handed over under one lock, so
///   listeners take their messages in the order of their numbers;
/// - a message that nobody does is numbered without that lock, and anew if the listeners changed
///   meanwhile. So when join() returned n, a message is either numbered up to n, and its channel's
///   history has it once the channel's lock can be had; or it is numbered above, and is taken.
///
/// Thread: any. Its lock is taken inside a channel's, and before an inbox's.
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
    /// The last number drawn.
    [[nodiscard]] quint64 lastSequence() const { return m_sequence.load(); }

    /// The subscriber takes every message that matches, for so many clients (one or more). Returns
    /// the last number drawn: what is behind it will be taken. Called again when the number of
    /// clients has changed.
    quint64 join(const ChannelPattern &pattern, Subscriber &subscriber, int clients);
    /// The last client has left. When this returns, nothing touches the subscriber any more.
    void leave(const ChannelPattern &pattern, Subscriber &subscriber);

    /// What a channel remembers of those who listen to it by a pattern.
    class Matches
    {
        friend class PatternListeners;
        quint64 m_version = 0; // of the listeners, at the last look; 0: none yet
        std::vector<Audience *> m_audiences;
    };
    /// Numbers the message, and hands it to all who listen to its channel by a pattern; returns how
    /// many clients these are. `matches` is the channel's, whose lock is held.
    int publish(const std::shared_ptr<Message> &message, Matches &matches, WakeList &sleepers);
    /// Only numbers it: nobody may hear it.
    void number(Message &message) { message.sequence = draw(); }

    /// How many clients listen to the name by a pattern.
    [[nodiscard]] int clientCount(const ChannelName &name) const;

private:
    quint64 draw() { return m_sequence.fetch_add(1) + 1; }

    const Epoch m_epoch;
    std::atomic<quint64> m_sequence{0};
    std::atomic<quint64> m_version{1}; // written under m_mutex

    mutable Mutex m_mutex;
    PatternIndex<Audience> m_index RELAY_GUARDED_BY(m_mutex);
    std::unordered_map<Subscriber *, std::unique_ptr<Audience>>
        m_audiences RELAY_GUARDED_BY(m_mutex);
};

} // namespace relay
