#pragma once

#include "channels/channel_options.h"
#include "channels/message.h"
#include "channels/replay.h"
#include "channels/subscriber.h"

#include <QByteArray>
#include <QByteArrayList>
#include <QList>
#include <QMetaType>

#include <malloc.h>
#include <memory>
#include <vector>

namespace relay::test {

/// A moment from which the tests count.
inline constexpr TimePoint kStart = TimePoint() + std::chrono::hours(1);

inline std::shared_ptr<Message> messageOf(const QByteArray &payload, TimePoint acceptedAt = kStart)
{
    auto message = std::make_shared<Message>();
    message->frame = Frame(Opcode::Text, payload);
    message->acceptedAt = acceptedAt;
    return message;
}

inline ChannelName named(const QByteArray &text)
{
    return ChannelName::fromText(text).value();
}

inline ChannelPattern patternOf(const QByteArray &text)
{
    return ChannelPattern::fromText(text).value();
}

/// Of a channel that keeps so many messages, for so long (0: however old).
inline ChannelOptions keeping(int messages, std::chrono::milliseconds age = {})
{
    ChannelOptions options;
    options.history = {messages, 1 << 20, age};
    return options;
}

/// What a message of so many bytes costs to keep.
inline qint64 costOf(qsizetype payloadBytes)
{
    return messageOf(QByteArray(payloadBytes, 'x'))->cost();
}

inline ReplayRequest newest(int messages)
{
    return {.since = {}, .last = messages};
}

template <typename Messages>
QByteArrayList payloadsOf(const Messages &messages)
{
    QByteArrayList payloads;
    for (const MessagePtr &message : messages) {
        payloads.append(message->frame.payload().toByteArray());
    }
    return payloads;
}

/// More bytes than a test could meet.
inline constexpr qint64 kNoLimit = qint64{1} << 40;

inline ReplayLimits everything(TimePoint now = kStart)
{
    return {.bytes = kNoLimit, .now = now};
}

inline ReplayRequest since(const Position &position)
{
    return {.since = position.toText()};
}

/// What the process has allocated; 0 under a sanitizer, whose own allocator does not say.
inline std::size_t allocatedBytes()
{
    return ::mallinfo2().uordblks;
}

/// Remembers what it was given, in its order.
///
/// Has no lock: one channel, or one pattern, hands it its messages one after the other, and nothing
/// after it has left. The thread sanitizer sees to that.
class Recorder final : public Subscriber
{
public:
    /// `thread`: who is to be woken for each message.
    explicit Recorder(const Wakeable *thread = nullptr)
        : m_thread(thread)
    {}

    void take(const MessagePtr &message, WakeList &sleepers) override
    {
        taken.push_back(message);
        if (m_thread != nullptr) {
            sleepers.append(m_thread);
        }
    }

    std::vector<MessagePtr> taken;

private:
    const Wakeable *m_thread;
};

} // namespace relay::test

Q_DECLARE_METATYPE(relay::Resumed)
