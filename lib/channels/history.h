#pragma once

#include "base/clock.h"
#include "channels/channel_options.h"
#include "channels/message.h"

#include <span>
#include <vector>

namespace relay {

/// What a channel keeps, for the HistoryLedger.
struct Kept
{
    qint64 grownBytes = 0; ///< negative: it shrank
    bool isEmpty = true;
    quint64 oldestSequence = 0;             ///< of what is kept
    TimePoint expiresAt = TimePoint::max(); ///< of the oldest
};

/// The newest messages of one channel, oldest first, without holes.
///
/// Thread: guarded by its owner. Owner: Channel.
/// Limits: ChannelOptions::History: messages, bytes, age. An empty one owns next to no memory.
class History
{
public:
    /// `forgottenSequence`: of the channel's newest message before this history began; 0: none.
    explicit History(const ChannelOptions::History &limits, quint64 forgottenSequence = 0)
        : m_limits(limits)
        , m_forgottenSequence(forgottenSequence)
    {}

    /// Each of these returns by how many bytes (Message::cost()) the history grew, negative when it
    /// shrank.
    qint64 append(const MessagePtr &message);
    qint64 expire(TimePoint now);
    qint64 dropOldest();
    qint64 clear();

    [[nodiscard]] std::span<const MessagePtr> messages() const
    {
        return std::span(m_ring).subspan(m_head);
    }
    [[nodiscard]] bool isEmpty() const { return m_head == m_ring.size(); }
    [[nodiscard]] const MessagePtr &oldest() const { return m_ring[m_head]; }
    /// When the oldest message is too old; never, if there is none or no limit of age.
    [[nodiscard]] TimePoint expiresAt() const;
    [[nodiscard]] qint64 bytes() const { return m_bytes; }
    /// The newest message of this channel that is not kept any more; 0: all are.
    [[nodiscard]] quint64 forgottenSequence() const { return m_forgottenSequence; }

private:
    void release();

    const ChannelOptions::History m_limits;
    std::vector<MessagePtr> m_ring; // what is before m_head is gone
    std::size_t m_head = 0;
    qint64 m_bytes = 0;        // costs
    qint64 m_payloadBytes = 0; // what m_limits.size is about
    quint64 m_forgottenSequence;
};

} // namespace relay
