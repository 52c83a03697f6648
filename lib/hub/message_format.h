#pragma once

#include "base/position.h"
#include "channels/message.h"
#include "channels/replay.h"
#include "hub/batch.h"

#include <QByteArray>
#include <QJsonObject>

namespace relay {

/// How a listener is given its messages.
enum class MessageFormat : quint8 {
    WebSocket,       ///< one frame each, byte for byte as it was published
    WebSocketMeta,   ///< subprotocol relay.meta: a head line in JSON before the payload
    EventStream,     ///< EventSource events; the id is the position
    EventStreamMeta, ///< the same with that head line before the payload (?meta=1)
};
inline constexpr int kMessageFormatCount = static_cast<int>(MessageFormat::EventStreamMeta) + 1;

/// The subprotocol (RFC 6455, section 1.9) that asks for WebSocketMeta.
inline constexpr const char *kMetaSubprotocol = "relay.meta";

/// Whose messages are formatted: the members of a channel, or the listeners of a pattern, whose
/// positions are in the order of all messages (PatternListeners) and who are told each message's
/// channel.
struct Audience
{
    bool isPattern = false;
    Epoch patternEpoch{};

    /// Where a listener goes on after this message.
    [[nodiscard]] Position positionAfter(const Message &message) const
    {
        return isPattern ? Position{patternEpoch, message.sequence} : message.position();
    }
};

/// One message as it goes to the wire.
Chunk formatted(const Message &message, MessageFormat format, const Audience &audience);

/// {"from":…,"to":…,"reason":…}: what cannot be given lies between the position that was asked for
/// (null if it was none) and this one. The reason is "not_kept" (messages are missing) or
/// "unknown_position" (messages may be missing).
QJsonObject gapObject(const QByteArray &askedFor, const Replay &replay);

/// What a listener is told first: where its stream begins, and what of it cannot be given.
///
/// Nothing for WebSocket; a text frame for WebSocketMeta; for EventSource the id to come back with,
/// `retry` and, after a gap, a `gap` event.
struct Welcome
{
    QString channel;     ///< name or pattern
    int clients = 0;     ///< of a channel
    QByteArray askedFor; ///< ReplayRequest::since
    const Replay &replay;
    qint64 retryMilliseconds = 0;
};
QByteArray formatted(const Welcome &welcome, MessageFormat format, const Audience &audience);

} // namespace relay
