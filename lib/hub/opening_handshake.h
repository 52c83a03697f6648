#pragma once

#include "auth/origin_policy.h"
#include "hub/options.h"
#include "metrics/relay_counters.h"
#include "wire/http_response.h"

#include <QByteArray>

#include <span>
#include <variant>

namespace relay {

/// A connection's request head, from its first byte to the decision what becomes of it. No socket,
/// no clock.
///
/// Thread: confined to its owner's.
/// Owner: Client, by value; empty once it is decided.
/// Limits: requestHeadSize and requestHeaderFields.
/// Errors: a Refusal, with the answer that tells the peer what is wrong.
class OpeningHandshake
{
public:
    struct NeedMore
    {};
    struct Upgrade
    {
        QByteArray key;       ///< Sec-WebSocket-Key
        QByteArray pipelined; ///< what was sent behind the head without waiting for the answer
    };
    struct Refusal
    {
        HandshakeFailure failure{};
        HttpResponse response;
    };
    using Verdict = std::variant<NeedMore, Upgrade, Refusal>;

    /// Takes what has arrived. After anything but NeedMore it must not be fed again.
    [[nodiscard]] Verdict feed(std::span<const char> bytes,
                               const HubOptions::Limits &limits,
                               const OriginPolicy &origins);

    /// Whether nothing was fed yet.
    [[nodiscard]] bool isEmpty() const { return m_head.isEmpty(); }

private:
    QByteArray m_head;
};

} // namespace relay
