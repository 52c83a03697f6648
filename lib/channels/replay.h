#pragma once

#include "base/position.h"
#include "channels/message.h"

#include <QByteArray>

#include <span>
#include <vector>

namespace relay {

/// What a listener asks of the past.
struct ReplayRequest
{
    /// As it was given; empty: not asked for. What is no position at all cannot be resumed, either.
    QByteArray since;
    /// Without `since`: up to so many of the newest messages.
    int last = 0;

    [[nodiscard]] bool isResume() const { return !since.isEmpty(); }
};

/// What a replay may be at most, and what is too old for it.
struct ReplayLimits
{
    qint64 bytes = 0; ///< Message::cost() of all; the newest messages are given
    TimePoint now;
};

/// The newest of the messages (oldest first) that together cost no more than `bytes`.
std::span<const MessagePtr> newestWithin(std::span<const MessagePtr> messages, qint64 bytes);

/// How resuming went (relay_resumes_total{result}).
enum class Resumed : quint8 {
    NotAsked,
    Exactly, ///< all that followed the position is given
    WithGap, ///< the position is known, but the history does not reach back to it any more
    Unknown, ///< the position is of a stream that is not known, or no position
};

/// What a listener is given of the past before it hears what is live.
struct Replay
{
    std::vector<MessagePtr> messages; ///< oldest first
    Position start;                   ///< where it begins: just before the first message
    /// With a gap: what cannot be given lies between the position that was asked for and this one.
    /// A pattern's channels do not reach back equally far: it may be behind `start`.
    Position gapEnd;
    Resumed resumed = Resumed::NotAsked;
    /// What a pattern's replay cost: channels and messages that were looked at.
    qint64 looked = 0;

    /// Whether the listener must be told that something between its position and `start` cannot be
    /// given.
    [[nodiscard]] bool hasGap() const
    {
        return resumed == Resumed::WithGap || resumed == Resumed::Unknown;
    }
};

} // namespace relay
