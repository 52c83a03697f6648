#include "channels/history.h"

namespace relay {

namespace {

/// An emptied ring of more than this gives its memory back.
constexpr std::size_t kKeptCapacity = 16;

qint64 payloadBytes(const MessagePtr &message)
{
    return message->frame.payload().size();
}

} // namespace

qint64 History::append(const MessagePtr &message)
{
    if (m_limits.messages == 0 || payloadBytes(message) > m_limits.size) {
        const qint64 grown = clear();
        m_forgottenSequence = message->sequence;
        return grown;
    }
    qint64 grown = 0;
    const auto most = static_cast<std::size_t>(m_limits.messages);
    while (!isEmpty()
           && (messages().size() >= most || m_payloadBytes + payloadBytes(message) > m_limits.size))
    {
        grown += dropOldest();
    }
    m_ring.push_back(message);
    m_bytes += message->cost();
    m_payloadBytes += payloadBytes(message);
    return grown + message->cost();
}

TimePoint History::expiresAt() const
{
    const bool ages = !isEmpty() && m_limits.age.count() > 0;
    return ages ? oldest()->acceptedAt + m_limits.age : TimePoint::max();
}

qint64 History::expire(TimePoint now)
{
    qint64 grown = 0;
    while (expiresAt() <= now) {
        grown += dropOldest();
    }
    return grown;
}

qint64 History::dropOldest()
{
    const MessagePtr message = std::move(m_ring[m_head++]);
    m_bytes -= message->cost();
    m_payloadBytes -= payloadBytes(message);
    m_forgottenSequence = message->sequence;
    release();
    return -message->cost();
}

qint64 History::clear()
{
    qint64 grown = 0;
    while (!isEmpty()) {
        grown += dropOldest();
    }
    return grown;
}

/// Closes the gap at the front once it is as long as what is kept: each message is moved at most
/// once, on average.
void History::release()
{
    if (m_head * 2 < m_ring.size()) {
        return;
    }
    m_ring.erase(m_ring.begin(), m_ring.begin() + static_cast<std::ptrdiff_t>(m_head));
    m_head = 0;
    if (m_ring.empty() && m_ring.capacity() > kKeptCapacity) {
        std::vector<MessagePtr>().swap(m_ring);
    }
}

} // namespace relay
