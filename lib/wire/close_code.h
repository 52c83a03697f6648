#pragma once

#include <QtGlobal>

namespace relay {

/// Status codes of a closing handshake (RFC 6455, section 7.4.1).
namespace close_code {

inline constexpr quint16 kNormal = 1000;
inline constexpr quint16 kGoingAway = 1001;
inline constexpr quint16 kProtocolError = 1002;
/// Reported, never sent: the peer's close frame held no code.
inline constexpr quint16 kNoStatus = 1005;
/// Reported, never sent: the connection ended without a close frame.
inline constexpr quint16 kAbnormal = 1006;
inline constexpr quint16 kInvalidPayload = 1007;
inline constexpr quint16 kPolicyViolation = 1008;
inline constexpr quint16 kMessageTooBig = 1009;
/// IANA registry: come back later.
inline constexpr quint16 kTryAgainLater = 1013;

} // namespace close_code

/// Whether a peer may send this code (RFC 6455, section 7.4; 1012 to 1014 from the IANA registry).
constexpr bool isSendableCloseCode(quint16 code)
{
    if (code >= 3000 && code <= 4999) {
        return true;
    }
    return code >= 1000 && code <= 1014 && code != 1004 && code != close_code::kNoStatus
           && code != close_code::kAbnormal;
}

} // namespace relay
