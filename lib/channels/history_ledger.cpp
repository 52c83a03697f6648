#include "channels/history_ledger.h"

#include "channels/channel.h"

#include <utility>

namespace relay {

void HistoryLedger::file(ChannelHandle channel, const Kept &kept)
{
    m_bytes.fetch_add(kChannelCost, std::memory_order_relaxed);
    fileAgain({std::move(channel), 0, {}}, kept);
}

void HistoryLedger::fileAgain(Entry entry, const Kept &kept)
{
    Channel *channel = entry.channel.get();
    entry.oldestSequence = kept.oldestSequence;
    entry.expiresAt = kept.expiresAt;
    const MutexLock lock(m_mutex);
    m_order.emplace(entry.oldestSequence, channel);
    m_expiries.emplace(entry.expiresAt, channel);
    m_entries.emplace(channel, std::move(entry));
}

HistoryLedger::Entry HistoryLedger::takeOut(Channel *channel)
{
    const auto found = m_entries.find(channel);
    Entry entry = std::move(found->second);
    m_entries.erase(found);
    m_order.erase({entry.oldestSequence, channel});
    m_expiries.erase({entry.expiresAt, channel});
    return entry;
}

bool HistoryLedger::takeOldest(Entry &entry)
{
    const MutexLock lock(m_mutex);
    if (m_order.empty()) {
        return false;
    }
    entry = takeOut(m_order.begin()->second);
    return true;
}

bool HistoryLedger::takeExpired(TimePoint now, Entry &entry)
{
    const MutexLock lock(m_mutex);
    if (m_expiries.empty() || m_expiries.begin()->first > now) {
        return false;
    }
    entry = takeOut(m_expiries.begin()->second);
    return true;
}

void HistoryLedger::settle(Entry entry, const Kept &kept)
{
    changed(kept);
    if (kept.isEmpty) {
        m_bytes.fetch_sub(kChannelCost, std::memory_order_relaxed);
        return; // the channel may go with its handle
    }
    fileAgain(std::move(entry), kept);
}

void HistoryLedger::enforceLimit()
{
    Entry entry;
    while (bytes() > m_maxBytes && takeOldest(entry)) {
        // If that message is gone already, nothing is dropped, and the entry gets its right place.
        const Kept kept = entry.channel->dropUpTo(entry.oldestSequence);
        settle(std::move(entry), kept);
    }
}

bool HistoryLedger::expire(TimePoint now, int maxChannels)
{
    Entry entry;
    for (int i = 0; i < maxChannels; ++i) {
        if (!takeExpired(now, entry)) {
            return false;
        }
        const Kept kept = entry.channel->expire(now);
        settle(std::move(entry), kept);
    }
    return true;
}

} // namespace relay
