#pragma once

#include "base/channel_name.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/position.h"
#include "wire/frame.h"

#include <memory>

namespace relay {

/// A message as its channel has accepted it.
///
/// Thread: immutable once published; history, inboxes and replays share it.
struct Message
{
    Frame frame;
    ChannelName channel;
    Epoch epoch{};      ///< the channel's
    quint64 offset = 0; ///< in the channel: 1, 2, 3 … without holes
    /// Among all messages of the process: grows, with holes. See PatternListeners.
    quint64 sequence = 0;
    qint64 time = 0; ///< when it was accepted, in milliseconds since 1970-01-01 UTC
    ClientId sender = kNoClient;
    TimePoint acceptedAt;

    [[nodiscard]] Position position() const { return {epoch, offset}; }
    /// What it costs to keep or queue it, besides the channel's own overhead.
    [[nodiscard]] qint64 cost() const { return frame.bytes().size() + kOverheadBytes; }

    /// This object, its frame's on the heap, and a few references to it.
    static constexpr qint64 kOverheadBytes = 256;
};

using MessagePtr = std::shared_ptr<const Message>;

} // namespace relay
