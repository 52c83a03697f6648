#include "hub/http_protocol.h"

#include "hub/client.h"
#include "hub/event_stream_protocol.h"
#include "hub/web_socket_protocol.h"
#include "hub/worker.h"

#include <utility>

namespace relay {

namespace {

/// What a request costs, in TurnBudget's units: a small one about 20 us. The clock is then read every
/// fourth time.
constexpr int kWorkOfRequest = TurnBudget::kWorkPerLook / HttpProtocol::kRequestsAtOnce;

const char *codeOf(int failureStatus)
{
    switch (failureStatus) {
    case 413:
        return "too_big";
    case 431:
        return "head_too_large";
    case 501:
        return "not_implemented";
    default:
        return "bad_request";
    }
}

} // namespace

HttpProtocol::HttpProtocol(Client &client, bool isOverLimit)
    : m_client(client)
    , m_worker(client.worker())
    , m_reader({m_worker.options().limits.requestHeadSize,
                m_worker.options().limits.requestHeaderFields})
    , m_isOverLimit(isOverLimit)
{
    m_client.watchDeadline(m_worker.options().limits.handshakeTimeout);
}

// Requests

void HttpProtocol::received(std::span<const char> bytes)
{
    if (m_client.isOpen()) {
        m_reader.append(bytes);
        serve();
    }
}

void HttpProtocol::serve()
{
    int requests = 0;
    while (m_client.isOpen() && wantsInput()) {
        switch (m_reader.next()) {
        case HttpRequestReader::Status::NeedMore:
            waitForMore();
            return;
        case HttpRequestReader::Status::HeadComplete:
            if (!beginRequest()) {
                return;
            }
            break;
        case HttpRequestReader::Status::Complete:
            completeRequest();
            if (++requests == kRequestsAtOnce && m_client.isOpen() && !m_reader.isIdle()) {
                m_client.goOnLater();
                return;
            }
            break;
        case HttpRequestReader::Status::Failed:
            refuseGarbage();
            return;
        }
    }
}

void HttpProtocol::waitForMore()
{
    if (m_reader.isIdle()) {
        enter(m_hasAnswered ? Phase::Idle : Phase::First);
    } else if (!m_answerBody) {
        enter(Phase::Head);
    }
}

void HttpProtocol::completeRequest()
{
    m_worker.spend(kWorkOfRequest);
    const auto answerBody = std::exchange(m_answerBody, nullptr);
    answer(answerBody(m_reader.body()));
}

void HttpProtocol::refuseGarbage()
{
    const int status = m_reader.failureStatus();
    if (!m_hasAnswered && !m_answerBody) {
        m_worker.handshakeFailed(
            m_client, status == 431 ? HandshakeFailure::HeadTooLarge : HandshakeFailure::BadRequest,
            QString::number(status));
    }
    refuse(errorResponse(status, codeOf(status), m_reader.problem()));
}

bool HttpProtocol::beginRequest()
{
    m_isHeadKnown = true;
    return std::visit([this](auto verdict) { return act(std::move(verdict)); },
                      m_isOverLimit ? m_worker.api().judgeWithoutRoom(m_reader.request())
                                    : m_worker.api().judge(m_client.id(), m_reader.request()));
}

bool HttpProtocol::act(ChannelApi::Upgrade &&upgrade)
{
    if (upgrade.refusal && !m_worker.beginFarewell()) {
        return act(m_worker.api().refuse(*upgrade.refusal));
    }
    auto webSocket = std::make_unique<WebSocketProtocol>(m_client, std::move(upgrade.subscription),
                                                         upgrade.refusal);
    WebSocketProtocol &next = *webSocket;
    m_client.setUserAgent(m_reader.request().value("User-Agent"));
    const QByteArray sentBehind = m_reader.takeRest();
    m_client.become(std::move(webSocket)); // this one lives to the end of the turn
    next.start(upgrade.key, sentBehind);
    return false;
}

bool HttpProtocol::act(ChannelApi::Listen &&listen)
{
    m_worker.requestAnswered(method(), listen.head.status);
    m_client.setUserAgent(m_reader.request().value("User-Agent"));
    auto stream = std::make_unique<EventStreamProtocol>(m_client);
    EventStreamProtocol &next = *stream;
    m_client.become(std::move(stream));
    next.start(listen.head, listen.subscription);
    return false;
}

bool HttpProtocol::act(ChannelApi::ReceiveBody &&body)
{
    m_answerBody = std::move(body.answer);
    m_reader.acceptBody(body.maxBytes);
    if (m_reader.expectsContinue()) {
        m_client.queueLast(kContinueAnswer.toByteArray());
    }
    enter(Phase::Body);
    return true;
}

bool HttpProtocol::act(ChannelApi::RefusedHandshake &&refused)
{
    if (refused.limit) {
        m_worker.counters().limitHits[static_cast<std::size_t>(*refused.limit)].add();
    }
    m_worker.handshakeFailed(m_client, refused.failure, QString::number(refused.response.status));
    refuse(std::move(refused.response));
    return false;
}

bool HttpProtocol::act(HttpResponse &&response)
{
    if (m_reader.hasBody()) { // it is not read, so what follows its head is no request
        refuse(std::move(response));
        return false;
    }
    m_answerBody = [response = std::move(response)](const QByteArray &) { return response; };
    m_reader.acceptBody(0);
    return true;
}

/// Of the request that is being answered; Other before its head is known.
HttpMethod HttpProtocol::method() const
{
    if (!m_isHeadKnown) {
        return HttpMethod::Other;
    }
    for (std::size_t i = 0; i < kHttpMethodLabels.size(); ++i) {
        if (m_reader.request().method == kHttpMethodLabels[i]) {
            return static_cast<HttpMethod>(i);
        }
    }
    return HttpMethod::Other;
}

void HttpProtocol::answer(HttpResponse response)
{
    const HttpRequest &request = m_reader.request();
    response.keepAlive = request.keepAlive;
    m_hasAnswered = true;
    m_worker.requestAnswered(method(), response.status);
    m_client.queueLast(response.serialize(request.method == "HEAD"));
    if (!response.keepAlive) {
        m_client.beginClosing(0, QStringLiteral("answered"));
        return;
    }
    m_reader.finish();
    m_isHeadKnown = false;
    m_isBacklogged = m_client.queuedBytes() > kMaxBacklogBytes;
    enter(Phase::Idle);
}

void HttpProtocol::refuse(HttpResponse response)
{
    response.keepAlive = false;
    m_worker.requestAnswered(method(), response.status);
    m_client.queueLast(response.serialize());
    m_client.beginClosing(0, QStringLiteral("refused"));
}

void HttpProtocol::written()
{
    if (std::exchange(m_isBacklogged, false)) {
        resume();
    }
}

void HttpProtocol::goOn()
{
    if (m_client.isOpen()) {
        serve();
    }
}

void HttpProtocol::resume()
{
    serve(); // what was sent meanwhile
    if (m_client.isOpen() && wantsInput()) {
        m_client.resumeReading();
    }
}

// Silence, and the end

void HttpProtocol::enter(Phase phase)
{
    if (phase == m_phase && phase != Phase::Idle) {
        return;
    }
    m_phase = phase;
    switch (phase) {
    case Phase::First:
        break;
    case Phase::Head:
        if (m_hasAnswered) { // the first one's time is counted from the connection's beginning
            m_client.watchDeadline(m_worker.options().limits.handshakeTimeout);
        }
        break;
    case Phase::Body:
        m_client.watchDeadline(m_worker.options().http.bodyTimeout);
        break;
    case Phase::Idle:
        m_client.watchDeadline(m_worker.options().http.idleTimeout);
        break;
    }
}

void HttpProtocol::expired()
{
    switch (m_phase) {
    case Phase::First: // nobody who could understand an answer (or no TLS session)
        fail(HandshakeFailure::Timeout, QStringLiteral("handshake timeout"));
        m_client.end(QStringLiteral("handshake timeout"));
        break;
    case Phase::Head:
        fail(HandshakeFailure::Timeout, QStringLiteral("408"));
        refuse(plainResponse(408, "The request took too long (limits.handshake_timeout)."));
        break;
    case Phase::Body:
        refuse(errorResponse(408, "body_timeout",
                             "The request's body took too long (http.body_timeout)."));
        break;
    case Phase::Idle: // or it does not take its answer
        m_client.end(QStringLiteral("idle"));
        break;
    }
}

void HttpProtocol::peerEnded()
{
    if (m_client.queuedBytes() > 0) { // it may have ended only its side, and still listen
        m_client.beginClosing(0, QStringLiteral("answered"));
        return;
    }
    fail(HandshakeFailure::Disconnected, QStringLiteral("gone before the handshake"));
    m_client.end(QStringLiteral("gone before the handshake"));
}

void HttpProtocol::socketFailed(const QString &reason)
{
    const bool isTls = m_worker.tls() != nullptr && m_phase == Phase::First;
    fail(isTls ? HandshakeFailure::Tls : HandshakeFailure::Disconnected, reason);
    m_client.end(reason);
}

void HttpProtocol::shutDown()
{
    if (m_phase == Phase::Idle) {
        m_client.beginClosing(0, QStringLiteral("the relay is shutting down"));
        return;
    }
    fail(HandshakeFailure::ShuttingDown, QStringLiteral("503"));
    refuse(plainResponse(503, "The relay is shutting down."));
}

/// Counts what never came to anything; not a connection that was of use before.
void HttpProtocol::fail(HandshakeFailure failure, const QString &reason)
{
    if (!m_hasAnswered) {
        m_worker.handshakeFailed(m_client, failure, reason);
    }
}

} // namespace relay
