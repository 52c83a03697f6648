#include "wire/close_code.h"
#include "wire/frame_parser.h"

#include <array>

namespace relay {

namespace {

/// In the order of Violation. The texts speak to the author of a client, who finds them in the
/// close frame.
constexpr std::array<ViolationInfo, kViolationCount> kViolations{{
    {close_code::kProtocolError, "reserved_bits", "reserved bit set without an extension"},
    {close_code::kProtocolError, "unknown_opcode", "unknown opcode"},
    {close_code::kProtocolError, "not_masked", "frame is not masked"},
    {close_code::kProtocolError, "non_minimal_length", "length is not in its shortest encoding"},
    {close_code::kProtocolError, "fragmented_control", "control frame is fragmented"},
    {close_code::kProtocolError, "oversized_control", "control frame exceeds 125 bytes"},
    {close_code::kProtocolError, "unexpected_continuation", "continuation without a message"},
    {close_code::kProtocolError, "interrupted_message", "new message inside a fragmented one"},
    {close_code::kProtocolError, "invalid_close_payload", "close frame with an invalid code"},
    {close_code::kInvalidPayload, "invalid_utf8", "text is not UTF-8"},
    {close_code::kMessageTooBig, "message_too_big", "message exceeds the size limit"},
}};

} // namespace

const ViolationInfo &describe(Violation violation)
{
    return kViolations[static_cast<std::size_t>(violation)];
}

} // namespace relay
