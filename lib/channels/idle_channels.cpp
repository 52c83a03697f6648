#include "channels/idle_channels.h"

#include <algorithm>

namespace relay {

void IdleChannels::add(Place &place)
{
    const MutexLock lock(m_mutex);
    place.m_since = m_now.value_or(TimePoint::min());
    place.insertBefore(m_end);
    ++m_count;
}

void IdleChannels::remove(Place &place)
{
    const MutexLock lock(m_mutex);
    place.unlink();
    --m_count;
}

bool IdleChannels::removeFirst(Place &place)
{
    const MutexLock lock(m_mutex);
    if (&m_end.next() != &place) {
        return false;
    }
    place.unlink();
    --m_count;
    return true;
}

std::optional<ChannelName> IdleChannels::firstOfTooMany() const
{
    const MutexLock lock(m_mutex);
    return m_count > m_limits.positions ? std::optional(*m_end.next().m_name) : std::nullopt;
}

std::optional<ChannelName> IdleChannels::firstTooOld(TimePoint now)
{
    const MutexLock lock(m_mutex);
    if (!m_now) {
        m_firstNow = now;
    }
    m_now = now;
    if (m_count == 0) {
        return std::nullopt;
    }
    const Place &first = m_end.next();
    // What vanished before the time was first told counts from then.
    const bool isTooOld = std::max(first.m_since, m_firstNow) + m_limits.age <= now;
    return isTooOld ? std::optional(*first.m_name) : std::nullopt;
}

int IdleChannels::count() const
{
    const MutexLock lock(m_mutex);
    return m_count;
}

} // namespace relay
