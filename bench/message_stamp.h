#pragma once

#include "nanoseconds.h"

#include <cstddef>
#include <cstdint>

namespace relay::bench {

/// What every message begins with, as 48 hexadecimal digits (a relay may insist on text): who sent
/// it, as which of its messages, and when it was due. Receivers check each publisher's sequence
/// with it, and time the message.
struct MessageStamp
{
    std::uint32_t run =
        0; ///< random for each run: traffic of others on the channel is not ours to judge
    std::uint32_t publisher = 0; ///< the client's number, or kProbe
    std::uint64_t sequence = 0;  ///< 0, 1, 2 … of this publisher; of a probe, its channel
    Nanoseconds due = 0;

    /// Not a publisher: asks, before the load begins, who receives and whether the sender does.
    static constexpr std::uint32_t kProbe = 0xFFFFFFFF;
};

inline constexpr std::size_t kStampBytes = 48;

/// Writes kStampBytes to `out`.
void writeStamp(char *out, const MessageStamp &stamp);

/// Reads kStampBytes. What is not hexadecimal gives some number or other: the run tells ours from
/// others'.
MessageStamp readStamp(const char *bytes);

} // namespace relay::bench
