#include "hub/idempotency_cache.h"

#include <QCryptographicHash>

namespace relay {

namespace {

/// Keys and names are the client's; a digest takes the same room for all of them.
QByteArray digest(const ChannelName &channel, QByteArrayView key)
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(channel.bytes());
    hash.addData(QByteArrayView("\0", 1)); // no name holds one
    hash.addData(key);
    return hash.result();
}

} // namespace

IdempotencyCache::Begun IdempotencyCache::begin(const ChannelName &channel,
                                                QByteArrayView key,
                                                QByteArrayView payload,
                                                TimePoint now)
{
    Begun begun{.state = State::First, .token = digest(channel, key), .answer = {}};
    if (m_maxKeys == 0) {
        return begun;
    }
    const std::size_t fingerprint = qHash(payload, QHashSeed::globalSeed());
    const MutexLock lock(m_mutex);
    forgetUpTo(now - m_age);
    const auto found = m_entries.find(begun.token);
    if (found == m_entries.end()) {
        while (m_byAge.size() >= m_maxKeys) {
            forgetOldest();
        }
        m_entries.emplace(begun.token, Entry{fingerprint, now, false, {}});
        m_byAge.emplace_back(now, begun.token);
        return begun;
    }
    const Entry &entry = found->second;
    begun.answer = entry.answer;
    if (entry.fingerprint != fingerprint) {
        begun.state = State::Different;
    } else {
        begun.state = entry.isAnswered ? State::Answered : State::InProgress;
    }
    return begun;
}

void IdempotencyCache::complete(const QByteArray &token, const Answer &answer)
{
    const MutexLock lock(m_mutex);
    const auto entry = m_entries.find(token);
    if (entry != m_entries.end()) {
        entry->second.isAnswered = true;
        entry->second.answer = answer;
    }
}

void IdempotencyCache::abandon(const QByteArray &token)
{
    const MutexLock lock(m_mutex);
    m_entries.erase(token);
}

std::size_t IdempotencyCache::size() const
{
    const MutexLock lock(m_mutex);
    return m_entries.size();
}

void IdempotencyCache::forgetUpTo(TimePoint time)
{
    while (!m_byAge.empty() && m_byAge.front().first <= time) {
        forgetOldest();
    }
}

void IdempotencyCache::forgetOldest()
{
    const auto &[since, token] = m_byAge.front();
    const auto entry = m_entries.find(token);
    // An abandoned key may have begun again: then a later place in the order is its own.
    if (entry != m_entries.end() && entry->second.since == since) {
        m_entries.erase(entry);
    }
    m_byAge.pop_front();
}

} // namespace relay
