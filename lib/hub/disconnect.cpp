#include "hub/disconnect.h"

#include "wire/close_code.h"

#include <array>

namespace relay {

namespace {

// In the order of DisconnectReason.
constexpr std::array<DisconnectInfo, kDisconnectReasonCount> kReasons{{
    {close_code::kNoStatus, "closed by the client", true, false, {}},
    {close_code::kAbnormal, "connection lost", true, true, {}},
    {close_code::kProtocolError, "protocol error", false, false, {}},
    {close_code::kInvalidPayload, "invalid UTF-8", false, false, {}},
    {close_code::kMessageTooBig, "message too big", false, false, LimitHit::MessageSize},
    {close_code::kPolicyViolation, "slow consumer", true, false, LimitHit::QueueSize},
    {close_code::kPolicyViolation, "slow consumer", true, false, LimitHit::SlowGrace},
    {close_code::kAbnormal, "keepalive timeout", true, true, LimitHit::KeepaliveTimeout},
    {close_code::kGoingAway, "the relay is shutting down", true, false, {}},
}};

} // namespace

const DisconnectInfo &describe(DisconnectReason reason)
{
    return kReasons[static_cast<std::size_t>(reason)];
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
