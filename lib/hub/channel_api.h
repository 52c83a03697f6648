#pragma once

#include "auth/origin_policy.h"
#include "hub/disconnect.h"
#include "hub/publish_api.h"
#include "hub/subscription.h"
#include "metrics/relay_counters.h"
#include "wire/upgrade_request.h"

namespace relay {

/// What requests to channels' URLs mean: which of them opens a WebSocket, listens, publishes, reads
/// the history or gets the page, and what is answered to those that cannot be met.
///
/// Thread: its worker's. No socket.
/// Owner: Worker.
/// Limits: PublishApi's for bodies; an eighth of limits.queueSize for a history, before it is escaped.
/// Errors: are answers: {"error":"…","message":"…"}, or plain text for who meant to open a WebSocket.
class ChannelApi
{
public:
    ChannelApi(const HubOptions &options,
               const OriginPolicy &origins,
               ChannelRegistry &channels,
               IdempotencyCache &idempotency,
               Publisher &publisher);

    /// To become a WebSocket.
    struct Upgrade
    {
        Subscription subscription;
        QByteArray key; ///< Sec-WebSocket-Key
        /// There is no room: it is upgraded only to be closed with this reason.
        std::optional<DisconnectReason> refusal = std::nullopt;
    };
    /// To become an event stream.
    struct Listen
    {
        Subscription subscription;
        HttpResponse head;
    };
    /// A WebSocket that is not granted, or for which, or for a listener, there is no room; counted as a
    /// failed handshake.
    struct RefusedHandshake
    {
        HandshakeFailure failure{};
        HttpResponse response;
        std::optional<LimitHit> limit = std::nullopt; ///< that was reached
    };
    using ReceiveBody = PublishApi::ReceiveBody;
    using Verdict = std::variant<HttpResponse, Upgrade, Listen, ReceiveBody, RefusedHandshake>;

    [[nodiscard]] Verdict judge(ClientId client, const HttpRequest &request);
    /// The same when limits.connections is reached: how to say so to this client.
    [[nodiscard]] Verdict judgeWithoutRoom(const HttpRequest &request);
    /// For an upgrade that even a refusal has no place for.
    [[nodiscard]] RefusedHandshake refuse(DisconnectReason reason) const;

private:
    [[nodiscard]] bool isAllowed(const HttpRequest &request, const RequestTarget &target) const;
    [[nodiscard]] Verdict judgeHandshake(const HttpRequest &request);
    [[nodiscard]] Verdict
    judgeMethod(ClientId client, const HttpRequest &request, const RequestTarget &target);
    [[nodiscard]] Verdict judgeGet(const HttpRequest &request, const RequestTarget &target);
    [[nodiscard]] Verdict
    judgePost(ClientId client, const HttpRequest &request, const RequestTarget &target);
    [[nodiscard]] Verdict listen(const HttpRequest &request, ChannelRequest channel);
    [[nodiscard]] HttpResponse history(const ChannelRequest &request);
    /// The answer to who may not join.
    [[nodiscard]] std::optional<HttpResponse> refuseToJoin(const ChannelRequest &request,
                                                           bool mayOnlyPublish);
    [[nodiscard]] bool isFull(const ChannelRequest &request);
    [[nodiscard]] RefusedHandshake refuseListener(DisconnectReason reason) const;
    [[nodiscard]] bool echoFor(const ChannelRequest &request) const;

    const HubOptions &m_options;
    const OriginPolicy &m_origins;
    ChannelRegistry &m_channels;
    Publisher &m_publisher;
    PublishApi m_publishing;
};

} // namespace relay
