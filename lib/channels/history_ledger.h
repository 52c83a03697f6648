#pragma once

#include "base/clock.h"
#include "base/mutex.h"
#include "channels/channel_handle.h"
#include "channels/history.h"

#include <atomic>
#include <set>
#include <unordered_map>
#include <utility>

namespace relay {

/// Which channels keep messages, by the age of their oldest: so that what is too old goes without a
/// timer for each message, and the oldest of all goes first when all histories together take too
/// much.
///
/// A channel is filed when its history begins, under what was its oldest message then. The entry
/// is not kept up to date: it is looked at anew when its turn comes, which costs each message at most
/// once. The entry's handle keeps the channel alive.
///
/// Thread: any. Nothing is called while its lock is held.
/// Owner: ChannelRegistry.
/// Limits: maxBytes of all histories, kChannelCost for each included.
class HistoryLedger
{
public:
    /// What a channel with a history costs besides its messages.
    static constexpr qint64 kChannelCost = 1024;

    explicit HistoryLedger(qint64 maxBytes)
        : m_maxBytes(maxBytes)
    {}

    /// A channel's history has changed.
    void changed(const Kept &kept)
    {
        if (kept.grownBytes != 0) { // nothing, once a history is full of messages of one length
            m_bytes.fetch_add(kept.grownBytes, std::memory_order_relaxed);
        }
    }
    /// It has begun: Publication::isToBeFiled.
    void file(ChannelHandle channel, const Kept &kept);
    /// Drops the oldest messages of all while they take too much.
    void enforceLimit();

    /// Drops what is too old, of at most so many channels. Returns whether there may be more.
    bool expire(TimePoint now, int maxChannels);

    [[nodiscard]] qint64 bytes() const { return m_bytes.load(std::memory_order_relaxed); }

private:
    struct Entry
    {
        ChannelHandle channel;
        quint64 oldestSequence = 0;
        TimePoint expiresAt;
    };
    using Order = std::set<std::pair<quint64, Channel *>>;
    using Expiries = std::set<std::pair<TimePoint, Channel *>>;

    /// Takes an entry out: it belongs to the caller, who files it again.
    Entry takeOut(Channel *channel) RELAY_REQUIRES(m_mutex);
    bool takeOldest(Entry &entry);
    bool takeExpired(TimePoint now, Entry &entry);
    void settle(Entry entry, const Kept &kept);
    void fileAgain(Entry entry, const Kept &kept);

    const qint64 m_maxBytes;
    std::atomic<qint64> m_bytes{0};

    Mutex m_mutex;
    std::unordered_map<Channel *, Entry> m_entries RELAY_GUARDED_BY(m_mutex);
    Order m_order RELAY_GUARDED_BY(m_mutex);
    Expiries m_expiries RELAY_GUARDED_BY(m_mutex);
};

} // namespace relay
