#pragma once

#include "base/channel_name.h"
#include "base/mutex.h"
#include "channels/channel.h"
#include "channels/channel_handle.h"
#include "channels/channel_options.h"
#include "channels/channel_order.h"
#include "channels/first_epochs.h"
#include "channels/history_ledger.h"
#include "channels/idle_channels.h"
#include "channels/pattern_listeners.h"

#include <QList>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

namespace relay {

/// All channels by name: made at first use, gone when nobody is there and nothing is kept.
///
/// What is left of a channel that had messages is its position, for some time: whoever comes back with
/// it missed nothing, and is told so. A channel without messages leaves nothing, as its epoch can be
/// computed again.
///
/// Thread: any. The names are spread over parts with a lock each, taken before a channel's.
/// Owner: Hub; it must outlive every ChannelHandle.
/// Limits: a channel costs memory while a client has joined it, which limits.connections bounds, or
/// while it keeps messages, which `historyBytes` does; then some 200 bytes and its name as an idle
/// position, which IdleLimits bound. No operation depends on how many channels there are.
class ChannelRegistry
{
public:
    /// `rules`: the first that matches a name says what its channel is like, `others` if none does.
    ChannelRegistry(QList<ChannelRule> rules,
                    ChannelOptions others,
                    qint64 historyBytes,
                    const IdleLimits &idleLimits = {});
    ~ChannelRegistry();
    ChannelRegistry(const ChannelRegistry &) = delete;
    ChannelRegistry &operator=(const ChannelRegistry &) = delete;

    /// Makes the channel if there is none of that name.
    [[nodiscard]] ChannelHandle acquire(const ChannelName &name);
    /// Null if there is none of that name.
    [[nodiscard]] ChannelHandle find(const ChannelName &name);
    /// What a channel of that name is like, or would be.
    [[nodiscard]] const ChannelOptions &optionsOf(const ChannelName &name) const;

    /// Channel::publish(), and the keeping of history within its limits.
    Publication publish(Channel &channel, const std::shared_ptr<Message> &message);

    /// As Channel::join(), for the listeners of a pattern. Positions are the process' order's.
    [[nodiscard]] Joined join(const ChannelPattern &pattern,
                              Subscriber &subscriber,
                              int clients,
                              const ReplayLimits &limits,
                              const ReplayRequest &request);
    /// As Channel::leave().
    void leave(const ChannelPattern &pattern, Subscriber &subscriber, int clients);
    /// The same as join() without joining; `sequence` is the last number drawn.
    [[nodiscard]] Joined
    read(const ChannelPattern &pattern, const ReplayLimits &limits, const ReplayRequest &request);
    PatternListeners &patterns() { return m_patterns; }
    [[nodiscard]] const PatternListeners &patterns() const { return m_patterns; }

    /// Drops messages and idle positions that are too old, of at most so many channels; returns
    /// whether there may be more. To be called about once a second, by one thread.
    bool expire(TimePoint now, int maxChannels);

    /// Returns whether there is such a channel.
    bool clearHistory(const ChannelName &name);

    /// Calls `visit` for each channel of one of kParts parts, with no lock held.
    static constexpr std::size_t kParts = 64;
    void visitPart(std::size_t part, const std::function<void(const Channel &)> &visit);
    [[nodiscard]] std::size_t channelCount() const;
    [[nodiscard]] qint64 historyBytes() const { return m_ledger.bytes(); }
    [[nodiscard]] int idlePositions() const { return m_idle.count(); }
    /// Idle positions that were forgotten because there were too many.
    [[nodiscard]] quint64 droppedPositions() const { return m_droppedPositions.load(); }
    /// Channels and messages that the replays of patterns have looked at: what they cost.
    [[nodiscard]] quint64 replayLooks() const { return m_replayLooks.load(); }

private:
    friend struct ChannelRelease;

    /// All that there is of a name. Guarded by the part's lock, as far as no member has its own.
    struct Entry
    {
        ChannelOrder::Place place;
        IdleChannels::Place idlePlace;    // linked while it is idle
        Position position;                // of an idle channel
        std::unique_ptr<Channel> channel; // null while it is idle
        int handles = 0;
    };
    using Entries = std::unordered_map<ChannelName, Entry>;
    struct Part
    {
        mutable Mutex mutex;
        Entries entries RELAY_GUARDED_BY(mutex);
        std::size_t idle RELAY_GUARDED_BY(mutex) = 0; // of the entries
    };

    Part &partOf(const ChannelName &name);
    [[nodiscard]] ChannelHandle handleOf(Entry &entry);
    [[nodiscard]] ChannelHandle anotherHandle(const Channel &channel);
    void release(Channel &channel);
    bool forget(const ChannelName &name);
    void forgotten(quint64 sequence);
    [[nodiscard]] Replay replay(const ChannelPattern &pattern,
                                quint64 upTo,
                                const ReplayLimits &limits,
                                const ReplayRequest &request);
    quint64
    collect(const ChannelName &name, const Channel::Wanted &wanted, std::vector<MessagePtr> &into);

    const QList<ChannelRule> m_rules;
    const ChannelOptions m_others;
    PatternListeners m_patterns;
    FirstEpochs m_firstEpochs;
    IdleChannels m_idle;
    std::array<Part, kParts> m_parts;
    /// The newest message of all channels that are forgotten: a listener that wants what is before it
    /// cannot be told whether there was anything.
    std::atomic<quint64> m_forgottenSequence{0};
    std::atomic<quint64> m_droppedPositions{0};
    std::atomic<quint64> m_replayLooks{0};
    HistoryLedger m_ledger; // last: its handles go before what they hold
};

} // namespace relay
