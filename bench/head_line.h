#pragma once

#include "stream_position.h"

#include <optional>
#include <string_view>

namespace relay::bench {

/// What the JSON line in front of a message says to a client that asked for the subprotocol
/// relay.meta, as far as a resume depends on it.
struct HeadLine
{
    /// The connection's first frame, which carries no message, or else a message's.
    bool isGreeting = false;
    /// Greeting: what follows goes on from here. Message: its own.
    StreamPosition position;
    /// Greeting: the position that was asked for cannot be resumed; it goes on from this one.
    std::optional<StreamPosition> gapTo = std::nullopt;
};

/// Reads the few keys that are wanted and skips the rest; it does not judge whether the line is
/// JSON otherwise. Nothing if they are missing.
std::optional<HeadLine> parseHeadLine(std::string_view line);

/// `{"from":…,"to":"<position>"}`, the data of an EventSource's `gap` event: the position in `to`.
std::optional<StreamPosition> parseGap(std::string_view json);

} // namespace relay::bench
