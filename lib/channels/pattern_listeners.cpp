#include "channels/pattern_listeners.h"

namespace relay {

PatternListeners::PatternListeners()
    : m_epoch(newEpoch())
{}

quint64 PatternListeners::changed()
{
    return m_order.listenersChanged(++m_version);
}

quint64 PatternListeners::join(const ChannelPattern &pattern, Subscriber &subscriber, int clients)
{
    const MutexLock lock(m_mutex);
    if (const auto known = m_audiences.find(&subscriber); known != m_audiences.end()) {
        known->second->clients = clients;
        return m_order.lastSequence();
    }
    auto audience = std::make_unique<Audience>(Audience{&subscriber, clients});
    m_index.add(pattern, audience.get());
    m_audiences.emplace(&subscriber, std::move(audience));
    return changed();
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
    (void)changed();
}

int PatternListeners::publish(const std::shared_ptr<Message> &message,
                              Matches &matches,
                              ChannelOrder::Place &place,
                              WakeList &sleepers)
{
    if (matches.m_audiences.empty()) {
        if (const auto sequence = m_order.number(place, matches.m_version)) {
            message->sequence = *sequence;
            return 0;
        }
    }
    const MutexLock lock(m_mutex);
    if (matches.m_version != m_version) {
        matches.m_audiences.clear();
        m_index.match(message->channel, matches.m_audiences);
        matches.m_version = m_version;
    }
    message->sequence = m_order.number(place);
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
