#include "channels/pattern_listeners.h"

namespace relay {

PatternListeners::PatternListeners()
    : m_epoch(newEpoch())
{}

quint64 PatternListeners::join(const ChannelPattern &pattern, Subscriber &subscriber, int clients)
{
    const MutexLock lock(m_mutex);
    if (const auto known = m_audiences.find(&subscriber); known != m_audiences.end()) {
        known->second->clients = clients;
    } else {
        auto audience = std::make_unique<Audience>(Audience{&subscriber, clients});
        m_index.add(pattern, audience.get());
        m_audiences.emplace(&subscriber, std::move(audience));
        m_version.fetch_add(1);
    }
    return m_sequence.load(); // after the version: see publish()
}

void PatternListeners::leave(const ChannelPattern &pattern, Subscriber &subscriber)
{
    const MutexLock lock(m_mutex);
    const auto known = m_audiences.find(&subscriber);
    if (known == m_audiences.end()) {
        return;
    }
    m_index.remove(pattern, known->second.get());
    m_audiences.erase(known);
    m_version.fetch_add(1);
}

int PatternListeners::publish(const std::shared_ptr<Message> &message,
                              Matches &matches,
                              WakeList &sleepers)
{
    if (matches.m_audiences.empty() && matches.m_version == m_version.load()) {
        message->sequence = draw();
        // The number before the version, and join() the other way round: a listener that this look
        // misses was told this number or a higher one.
        if (matches.m_version == m_version.load()) {
            return 0;
        }
    }
    const MutexLock lock(m_mutex);
    if (const quint64 version = m_version.load(); matches.m_version != version) {
        matches.m_audiences.clear();
        m_index.match(message->channel, matches.m_audiences);
        matches.m_version = version;
    }
    message->sequence = draw();
    int clients = 0;
    for (const Audience *audience : matches.m_audiences) {
        audience->subscriber->take(message, sleepers);
        clients += audience->clients;
    }
    return clients;
}

int PatternListeners::clientCount(const ChannelName &name) const
{
    const MutexLock lock(m_mutex);
    if (m_index.isEmpty()) {
        return 0;
    }
    std::vector<Audience *> audiences;
    m_index.match(name, audiences);
    int clients = 0;
    for (const Audience *audience : audiences) {
        clients += audience->clients;
    }
    return clients;
}

} // namespace relay
