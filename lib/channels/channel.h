#pragma once

#include "base/mutex.h"
#include "base/position.h"
#include "channels/channel_options.h"
#include "channels/channel_order.h"
#include "channels/history.h"
#include "channels/message.h"
#include "channels/pattern_listeners.h"
#include "channels/replay.h"
#include "channels/subscriber.h"

#include <optional>
#include <vector>

namespace relay {

/// Where a listener's stream begins: what is behind `sequence` it will take live, and what it asked
/// of the past is in `replay`.
struct Joined
{
    quint64 sequence = 0;
    Replay replay;
    int clients = 0; ///< who listen, this one included
};

/// What became of a message.
struct Publication
{
    Position position;
    int clients = 0; ///< members and pattern listeners that it was handed to
    Kept kept;
    bool isToBeFiled = false; ///< the ledger does not know of this channel's history yet
};

/// A room: one total order of messages, given to every subscriber, and a history of the newest.
///
/// Its lock is what makes the order total: all subscribers take a message before any of them takes
/// the next. Joining is under it, too, so that what is replayed and what is live meet without a hole
/// or a double.
/// Thread: any.
/// Owner: ChannelRegistry; others have a ChannelHandle.
/// Limits: ChannelOptions.
class Channel
{
public:
    /// Goes on after `start`, the position of its newest message: none of the messages up to it is kept.
    /// `place` outlives it.
    Channel(ChannelName name,
            const ChannelOptions &options,
            PatternListeners &patterns,
            ChannelOrder::Place &place,
            const Position &start);

    [[nodiscard]] const ChannelName &name() const { return m_name; }
    [[nodiscard]] const ChannelOptions &options() const { return m_options; }
    [[nodiscard]] Epoch epoch() const { return m_epoch; }

    /// The subscriber takes every message from here on, for so many clients, one of which has just
    /// come. Nothing when the channel is full.
    [[nodiscard]] std::optional<Joined> join(Subscriber &subscriber,
                                             int clients,
                                             const ReplayLimits &limits,
                                             const ReplayRequest &request);
    /// One of the subscriber's clients has left, and so many are left; with 0, nothing touches the
    /// subscriber any more when this returns.
    void leave(Subscriber &subscriber, int clients);

    /// Numbers the message and hands it to all who listen. `message` has its frame, sender and
    /// acceptedAt, and gets the rest.
    Publication publish(const std::shared_ptr<Message> &message);

    struct State
    {
        Position position; ///< of the newest message
        int clients = 0;   ///< members; pattern listeners are not among them
        /// Of the newest message, and of the newest that is not kept any more.
        quint64 sequence = 0;
        quint64 forgottenSequence = 0;
        qint64 historyMessages = 0;
        qint64 historyBytes = 0; ///< costs
    };
    [[nodiscard]] State state() const;
    struct Past
    {
        State state;
        Replay replay;
    };
    [[nodiscard]] Past read(const ReplayLimits &limits, const ReplayRequest &request) const;
    /// What a pattern's replay wants of a channel.
    struct Wanted
    {
        quint64 after = 0; ///< sequence numbers
        quint64 upTo = 0;
        std::size_t most = 0; ///< messages; the newest are given
        TimePoint now;
    };
    /// Appends the kept messages that are wanted, and returns forgottenSequence. Nothing of a channel
    /// that nobody may listen to.
    quint64 collect(const Wanted &wanted, std::vector<MessagePtr> &into) const;
    [[nodiscard]] bool isFull() const;

    /// Forgets all messages that are kept; positions go on. Returns what that changed.
    Kept clearHistory();

    /// For the HistoryLedger: drops what is too old, or what is up to a sequence number. When
    /// nothing is left the ledger need not know of this channel.
    Kept expire(TimePoint now);
    Kept dropUpTo(quint64 sequence);

private:
    struct Attendance
    {
        Subscriber *subscriber;
        int clients;
    };

    void attend(Subscriber &subscriber, int clients) RELAY_REQUIRES(m_mutex);
    int handOut(const std::shared_ptr<Message> &message, WakeList &sleepers)
        RELAY_REQUIRES(m_mutex);
    [[nodiscard]] int clients() const RELAY_REQUIRES(m_mutex);
    [[nodiscard]] State currentState() const RELAY_REQUIRES(m_mutex);
    [[nodiscard]] Replay replay(const ReplayLimits &limits, const ReplayRequest &request) const
        RELAY_REQUIRES(m_mutex);
    [[nodiscard]] Kept kept(qint64 grownBytes) const RELAY_REQUIRES(m_mutex);
    [[nodiscard]] Kept trimmed(qint64 grownBytes) RELAY_REQUIRES(m_mutex);

    const ChannelName m_name;
    const ChannelOptions &m_options;
    const Epoch m_epoch;
    PatternListeners &m_patterns;
    ChannelOrder::Place &m_place;

    mutable Mutex m_mutex; // taken before the pattern listeners', the order's and an inbox's; no
                           // thread is woken under it
    quint64 m_offset RELAY_GUARDED_BY(m_mutex);   // the newest message's
    quint64 m_sequence RELAY_GUARDED_BY(m_mutex); // the newest message's
    History m_history RELAY_GUARDED_BY(m_mutex);
    bool m_isFiled RELAY_GUARDED_BY(m_mutex) = false; // the ledger knows of the history
    std::vector<Attendance> m_attendances RELAY_GUARDED_BY(m_mutex);
    PatternListeners::Matches m_matches RELAY_GUARDED_BY(m_mutex);
};

} // namespace relay
