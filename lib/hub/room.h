#pragma once

#include "base/channel_name.h"
#include "channels/channel_handle.h"
#include "channels/channel_registry.h"
#include "channels/replay.h"
#include "channels/subscriber.h"
#include "hub/inbox.h"
#include "hub/message_format.h"
#include "hub/subscription.h"

#include <optional>
#include <span>
#include <vector>

namespace relay {

class Client;

/// The clients of one worker that have joined the same channel, or listen to the same pattern.
///
/// A turn's messages are collected first, and then given to each member in one write; each format
/// is written once, whatever the number of members that want it.
/// Thread: its worker's; take() is called on any.
/// Owner: Worker, which keeps it until no message for it can be in its inbox any more.
class Room final : public Subscriber
{
public:
    /// `channels` must outlive it.
    Room(Inbox &inbox, ChannelRegistry &channels, const ChannelTarget &target);
    ~Room();
    Q_DISABLE_COPY_MOVE(Room)

    /// Null for a pattern.
    [[nodiscard]] Channel *channel() const { return m_channel.get(); }
    /// The name or pattern, decoded: no pattern is a name.
    static QByteArray keyOf(const ChannelTarget &target);
    [[nodiscard]] const QByteArray &key() const { return m_key; }
    /// Precondition: not abandoned.
    [[nodiscard]] ChannelTarget target() const;
    [[nodiscard]] const Audience &audience() const { return m_audience; }

    [[nodiscard]] int memberCount() const { return static_cast<int>(m_members.size()); }
    /// Nothing when the channel is full. Members are served in the order in which they came.
    [[nodiscard]] std::optional<Joined>
    join(Client &client, const ReplayLimits &limits, const ReplayRequest &request);
    void leave(Client &client);
    /// Nobody is left, or ever came: lets go of the channel.
    void abandon() { m_channel.reset(); }

    // Subscriber
    void take(const MessagePtr &message, WakeList &sleepers) override;

    /// Puts a message that was taken out of the inbox to this turn's; returns whether it is the
    /// first.
    bool collect(MessagePtr message);
    /// Gives the turn's messages to all members; returns how many deliveries that made.
    quint64 deliver(qsizetype maxChunkBytes);

private:
    Inbox &m_inbox;
    ChannelRegistry &m_channels;
    const QByteArray m_key;
    ChannelHandle m_channel; // or else:
    std::optional<ChannelPattern> m_pattern;
    Audience m_audience;
    std::vector<Client *> m_members;
    std::vector<MessagePtr> m_turn; // empty but within Worker::deliver
};

/// The messages as a batch in one format.
Batch batchOf(std::span<const MessagePtr> messages,
              MessageFormat format,
              const Audience &audience,
              qsizetype maxChunkBytes);

/// The same of what a client is given of the past. In a format a message may be far longer than it is
/// kept (an event has a field for each line): what would cost more than `maxBytes` to queue is taken
/// off the replay, oldest first, as a gap.
Batch batchOf(Replay &replay,
              MessageFormat format,
              const Audience &audience,
              qsizetype maxChunkBytes,
              qint64 maxBytes);

} // namespace relay
