#include "hub/disconnect.h"

#include "wire/close_code.h"

#include <array>

namespace relay {

namespace {

// In the order of DisconnectReason.
constexpr std::array<DisconnectInfo, kDisconnectReasonCount> kReasons{{
    {.closeCode = close_code::kNoStatus, .text = "closed by the client", .mayReconnect = true},
    {.closeCode = close_code::kAbnormal,
     .text = "connection lost",
     .mayReconnect = true,
     .isAbrupt = true},
    {.closeCode = close_code::kProtocolError, .text = "protocol error"},
    {.closeCode = close_code::kInvalidPayload, .text = "invalid UTF-8"},
    {.closeCode = close_code::kMessageTooBig,
     .text = "message too big",
     .limit = LimitHit::MessageSize},
    {.closeCode = close_code::kPolicyViolation,
     .text = "slow consumer",
     .mayReconnect = true,
     .dropsQueue = true,
     .limit = LimitHit::QueueSize},
    {.closeCode = close_code::kPolicyViolation,
     .text = "slow consumer",
     .mayReconnect = true,
     .dropsQueue = true,
     .limit = LimitHit::SlowGrace},
    {.closeCode = close_code::kPolicyViolation,
     .text = "too many control frames",
     .limit = LimitHit::ControlFrames},
    {.closeCode = close_code::kAbnormal,
     .text = "keepalive timeout",
     .mayReconnect = true,
     .isAbrupt = true,
     .limit = LimitHit::KeepaliveTimeout},
    {.closeCode = close_code::kPolicyViolation,
     .text = "a pattern can only be listened to: publish to a channel"},
    {.closeCode = close_code::kPolicyViolation, .text = "this channel can only be listened to"},
    {.closeCode = close_code::kTryAgainLater,
     .text = "the channel is full",
     .mayReconnect = true,
     .limit = LimitHit::ChannelClients},
    {.closeCode = close_code::kTryAgainLater, .text = "the relay is full", .mayReconnect = true},
    {.closeCode = close_code::kPolicyViolation, .text = "disconnected by the operator"},
    {.closeCode = close_code::kGoingAway,
     .text = "the relay is shutting down",
     .mayReconnect = true},
}};

} // namespace

const DisconnectInfo &describe(DisconnectReason reason)
{
    return kReasons[static_cast<std::size_t>(reason)];
}

HandshakeFailure failureOf(DisconnectReason reason)
{
    return reason == DisconnectReason::RelayFull ? HandshakeFailure::ConnectionLimit
                                                 : HandshakeFailure::Channel;
}

DisconnectReason reasonOf(Violation violation)
{
    switch (describe(violation).closeCode) {
    case close_code::kInvalidPayload:
        return DisconnectReason::InvalidPayload;
    case close_code::kMessageTooBig:
        return DisconnectReason::MessageTooBig;
    default:
        return DisconnectReason::ProtocolError;
    }
}

} // namespace relay
