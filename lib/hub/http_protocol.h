#pragma once

#include "base/clock.h"
#include "hub/channel_api.h"
#include "hub/client_protocol.h"
#include "wire/http_request_reader.h"
#include "wire/http_response.h"

#include <chrono>
#include <functional>

namespace relay {

class Client;
class Worker;

/// HTTP/1 on the clients' port: what each connection begins with. Requests are answered one after
/// the other, until one turns the connection into a WebSocket or an event stream.
///
/// What a request means is the ChannelApi's to say; this is about the connection: bodies, keep-alive,
/// pipelining, deadlines.
///
/// Thread: its client's worker.
/// Owner: Client.
/// Limits: limits.requestHeadSize, requestHeaderFields and handshakeTimeout for a head; http's for a
/// body and for silence. While kMaxBacklogBytes of answers wait nothing more is read. Of the requests
/// that came together kRequestsAtOnce are answered before the worker's other clients have their turn.
/// Errors: are answered (400, 408, 413, 431, 501) and end the connection.
class HttpProtocol final : public ClientProtocol
{
public:
    static constexpr qint64 kMaxBacklogBytes = 65536;
    static constexpr int kRequestsAtOnce = 4;

    /// `isOverLimit`: limits.connections was reached; whatever is asked is refused.
    HttpProtocol(Client &client, bool isOverLimit);

    void received(std::span<const char> bytes) override;
    void written() override;
    void goOn() override;
    [[nodiscard]] bool wantsInput() const override { return !m_isBacklogged; }
    void expired() override;
    void peerEnded() override;
    void socketFailed(const QString &reason) override;
    void shutDown() override;

private:
    enum class Phase : quint8 {
        First, ///< nothing has arrived yet
        Idle,  ///< an answer was given, and nothing more has arrived
        Head,
        Body,
    };

    void serve();
    void resume();
    void waitForMore();
    void completeRequest();
    void refuseGarbage();
    /// Each returns whether this protocol goes on.
    bool beginRequest();
    bool act(ChannelApi::Upgrade &&upgrade);
    bool act(ChannelApi::Listen &&listen);
    bool act(ChannelApi::ReceiveBody &&body);
    bool act(ChannelApi::RefusedHandshake &&refused);
    bool act(HttpResponse &&response);
    void answer(HttpResponse response);
    /// Answers, and closes: what follows cannot be told apart, or is not wanted.
    void refuse(HttpResponse response);
    void enter(Phase phase);
    [[nodiscard]] HttpMethod method() const;
    void fail(HandshakeFailure failure, const QString &reason);

    Client &m_client;
    Worker &m_worker;
    HttpRequestReader m_reader;
    std::function<HttpResponse(const QByteArray &)> m_answerBody; // while one is being read
    Phase m_phase = Phase::First;
    bool m_isOverLimit;
    bool m_isHeadKnown = false;
    bool m_hasAnswered = false;
    bool m_isBacklogged = false;
};

} // namespace relay
