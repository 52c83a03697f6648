#pragma once

#include "base/channel_name.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/position.h"

#include <QByteArray>

#include <chrono>
#include <deque>
#include <unordered_map>

namespace relay {

/// What was answered to requests with an Idempotency-Key, so that the same request publishes once,
/// however often it is sent (draft-ietf-httpapi-idempotency-key-header).
///
/// A key is one channel's: the same key for another channel is another request.
/// Thread: any.
/// Owner: Hub.
/// Limits: `age` and `maxKeys`, past which the oldest are forgotten; about 200 bytes each.
class IdempotencyCache
{
public:
    IdempotencyCache(std::chrono::milliseconds age, int maxKeys)
        : m_age(age)
        , m_maxKeys(static_cast<std::size_t>(maxKeys))
    {}

    struct Answer
    {
        Position position;
        int clients = 0;
    };
    enum class State {
        First,      ///< publish, and then complete() or abandon()
        Answered,   ///< `answer` is what it was
        InProgress, ///< another connection is just publishing it
        Different,  ///< the key was used for another message
    };
    struct Begun
    {
        State state = State::First;
        QByteArray token; ///< for complete() and abandon()
        Answer answer;
    };
    /// `payload` with its kind: what must be the same for the request to be.
    [[nodiscard]] Begun
    begin(const ChannelName &channel, QByteArrayView key, QByteArrayView payload, TimePoint now);
    void complete(const QByteArray &token, const Answer &answer);
    /// It was not published: the next one with this key is the first again.
    void abandon(const QByteArray &token);

    [[nodiscard]] std::size_t size() const;

private:
    struct Entry
    {
        std::size_t fingerprint = 0;
        TimePoint since;
        bool isAnswered = false;
        Answer answer;
    };
    struct Hash
    {
        std::size_t operator()(const QByteArray &token) const noexcept { return qHash(token); }
    };

    void forgetUpTo(TimePoint time) RELAY_REQUIRES(m_mutex);
    void forgetOldest() RELAY_REQUIRES(m_mutex);

    const std::chrono::milliseconds m_age;
    const std::size_t m_maxKeys;
    mutable Mutex m_mutex;
    std::unordered_map<QByteArray, Entry, Hash> m_entries RELAY_GUARDED_BY(m_mutex);
    /// In the order of their beginning; what was abandoned is still here, and skipped.
    std::deque<std::pair<TimePoint, QByteArray>> m_byAge RELAY_GUARDED_BY(m_mutex);
};

} // namespace relay
