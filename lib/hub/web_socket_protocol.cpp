#include "hub/web_socket_protocol.h"

#include "channels/channel.h"
#include "hub/client.h"
#include "hub/room.h"
#include "hub/worker.h"
#include "wire/close_code.h"

#include <algorithm>
#include <utility>

namespace relay {

namespace {

/// A control frame as QWebSocket reads it: it does not insist on a mask, and the parser has taken
/// it off.
QByteArray controlFrame(Opcode opcode, QByteArrayView payload)
{
    QByteArray frame(kMaxFrameHeadBytes, Qt::Uninitialized);
    frame.resize(writeFrameHead(frame.data(), opcode, static_cast<quint64>(payload.size())));
    frame.append(payload);
    return frame;
}

QString closeReasonIn(QByteArrayView payload)
{
    const QString text = QString::fromLatin1(describe(DisconnectReason::PeerClosed).text);
    return payload.size() <= 2 ? text
                               : text % QLatin1String(": ") % QString::fromUtf8(payload.sliced(2));
}

quint16 closeCodeIn(QByteArrayView payload)
{
    if (payload.size() < 2) {
        return close_code::kNoStatus;
    }
    return static_cast<quint16>((static_cast<quint8>(payload[0]) << 8)
                                | static_cast<quint8>(payload[1]));
}

} // namespace

WebSocketProtocol::WebSocketProtocol(Client &client,
                                     Subscription subscription,
                                     std::optional<DisconnectReason> refusal)
    : m_client(client)
    , m_worker(client.worker())
    , m_subscription(std::make_unique<Subscription>(std::move(subscription)))
    , m_assembler(static_cast<quint64>(m_worker.options().limits.messageSize))
    , m_lastAlive(m_worker.now())
    , m_refusal(refusal)
{}

WebSocketProtocol::~WebSocketProtocol()
{
    if (m_refusal) {
        m_worker.endFarewell();
    }
}

// The upgrade

void WebSocketProtocol::start(const QByteArray &key, QByteArray sentBehind)
{
    m_unhandled = std::move(sentBehind);
    const bool isMeta = m_subscription->format == MessageFormat::WebSocketMeta;
    m_client.socket().preload(
        minimalUpgradeHead(key, isMeta ? QByteArray(kMetaSubprotocol) : QByteArray()));
    m_worker.upgrade(m_client.socket());
}

void WebSocketProtocol::upgraded(std::unique_ptr<QWebSocket> webSocket)
{
    m_webSocket = std::move(webSocket);
    if (!m_client.isOpen()) {
        return; // its time ran out before QWebSocketServer, which answers from a queued call, was asked
    }
    m_client.socket().freeHandshakeBuffer();
    m_client.setMaxRead(Worker::kReceiveBufferBytes);
    m_client.watchDeadline(m_worker.options().keepalive.interval);
    queueControl();
    m_worker.requestAnswered(HttpMethod::Get, 101);
    if (m_refusal) {
        m_client.refuse(*m_refusal);
        return;
    }
    m_client.join(*std::exchange(m_subscription, nullptr));
    if (!m_unhandled.isEmpty()) {
        m_client.goOnLater();
    }
}

void WebSocketProtocol::failHandshake(HandshakeFailure failure, const QString &reason)
{
    m_worker.handshakeFailed(m_client, failure, reason);
    m_client.end(reason);
}

// Reading

void WebSocketProtocol::received(std::span<const char> bytes)
{
    if (!isUpgrading()) {
        readFrames(bytes);
        if (!bytes.empty()) {
            m_unhandled = QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()));
            m_client.goOnLater();
        }
        return;
    }
    // A client need not wait for the answer before it sends frames, but has no reason to send many.
    m_unhandled.append(bytes.data(), static_cast<qsizetype>(bytes.size()));
    if (m_unhandled.size() > m_worker.options().limits.requestHeadSize) {
        failHandshake(HandshakeFailure::HeadTooLarge,
                      QStringLiteral("too much data before the answer"));
    }
}

void WebSocketProtocol::goOn()
{
    if (isUpgrading()) {
        return; // upgraded() looks at it
    }
    QByteArray unhandled = std::exchange(m_unhandled, {});
    std::span<const char> bytes(unhandled.constData(), static_cast<std::size_t>(unhandled.size()));
    readFrames(bytes);
    if (!bytes.empty()) {
        unhandled.remove(0,
                         unhandled.size() - static_cast<qsizetype>(bytes.size())); // moves nothing
        m_unhandled = std::move(unhandled);
        m_client.goOnLater();
    }
}

/// Takes what it has handled, or will not look at, off `bytes`.
void WebSocketProtocol::readFrames(std::span<const char> &bytes)
{
    int frames = kFramesAtOnce;
    if (!m_peerClosed) { // data after a close frame is ignored (RFC 6455, section 5.5.1)
        const auto violation = m_assembler.feed(bytes, frames, *this);
        if (violation) {
            ruleBroken(*violation);
        }
    }
    m_worker.spend(kFramesAtOnce - frames);
    if (m_peerClosed || m_client.hasEnded()) {
        bytes = {};
    }
}

void WebSocketProtocol::ruleBroken(Violation violation)
{
    m_worker.counters().protocolViolations[static_cast<std::size_t>(violation)].add();
    m_peerClosed = true; // its bytes make no sense any more: no answer is waited for (RFC 6455,
                         // section 7.1.7)
    m_client.deliverOwnMessages();
    if (!m_client.isOpen()) {
        m_client.requestFlush();
        return;
    }
    const ViolationInfo &info = describe(violation);
    if (const auto limit = describe(reasonOf(violation)).limit) {
        m_worker.counters().limitHits[static_cast<std::size_t>(*limit)].add();
    }
    const QString reason = QString::fromLatin1(info.text);
    m_client.beginClosing(info.closeCode, reason);
    sendClose(info.closeCode, reason);
}

MessageSink::Next WebSocketProtocol::messageReceived(Frame message)
{
    if (m_client.isOpen()) {
        const Channel *channel = m_client.room()->channel();
        if (channel == nullptr) {
            m_client.close(DisconnectReason::PatternPublish);
        } else if (!channel->options().publish) {
            m_client.close(DisconnectReason::PublishForbidden);
        } else {
            m_client.notePublished();
            m_worker.publish(m_client, message);
        }
    }
    return m_client.hasEnded() ? Next::Stop : Next::GoOn;
}

MessageSink::Next WebSocketProtocol::controlReceived(Opcode opcode, QByteArrayView payload)
{
    if (opcode == Opcode::Close) {
        closeReceived(payload);
        return Next::Stop;
    }
    if (!m_client.isOpen()) {
        return Next::GoOn; // it was told to close: only its close frame counts
    }
    if (!m_controlFrames.admit(m_worker.options().limits.controlFrames, m_worker.now())) {
        m_client.close(DisconnectReason::ControlFrames);
    } else if (opcode == Opcode::Ping) {
        m_client.socket().feed(controlFrame(opcode, payload));
        queueControl();
    } else if (m_pingedAt != TimePoint()) {
        m_client.notePing(std::chrono::duration_cast<std::chrono::microseconds>(
            Clock::now() - std::exchange(m_pingedAt, TimePoint())));
    }
    return m_client.hasEnded() ? Next::Stop : Next::GoOn;
}

void WebSocketProtocol::closeReceived(QByteArrayView payload)
{
    m_peerClosed = true;
    // A message that was whole before it is not lost with its echo.
    m_client.deliverOwnMessages();
    if (!m_client.isOpen()) {
        m_client.requestFlush();
        return;
    }
    const quint16 code = closeCodeIn(payload);
    m_client.beginClosing(code, closeReasonIn(payload));
    // Not fed to QWebSocket, which (in 6.4) takes the registered codes 1012 to 1014 for errors.
    sendClose(code == close_code::kNoStatus ? close_code::kNormal : code, {});
}

void WebSocketProtocol::peerEnded()
{
    if (isUpgrading()) {
        failHandshake(HandshakeFailure::Disconnected, QStringLiteral("gone before the handshake"));
    } else {
        m_client.close(DisconnectReason::PeerVanished);
    }
}

void WebSocketProtocol::socketFailed(const QString &reason)
{
    if (isUpgrading()) {
        failHandshake(HandshakeFailure::Disconnected, reason);
    } else {
        peerEnded();
    }
}

// Writing

void WebSocketProtocol::controlWritten(QByteArray bytes)
{
    if (isUpgrading()) {
        m_worker.upgradeAnswered(*this);
    }
    m_control.append(bytes);
}

void WebSocketProtocol::queueControl()
{
    Chunk chunk{std::exchange(m_control, {}), {}, 0};
    chunk.bytes = chunk.storage;
    if (chunk.bytes.isEmpty()) {
        return;
    }
    if (m_client.isOpen()) {
        m_client.queue(chunk);
    } else {
        m_client.queueLast(chunk.storage);
    }
}

void WebSocketProtocol::sendClose(quint16 code, const QString &reason)
{
    m_webSocket->close(static_cast<QWebSocketProtocol::CloseCode>(code), reason);
    queueControl();
}

void WebSocketProtocol::sayGoodbye(const DisconnectInfo &info)
{
    sendClose(info.closeCode, QString::fromLatin1(info.text));
}

void WebSocketProtocol::closeRequested()
{
    if (isUpgrading()) { // QWebSocketServer will have none of it
        failHandshake(HandshakeFailure::BadRequest, QStringLiteral("refused by QWebSocketServer"));
    }
}

void WebSocketProtocol::shutDown()
{
    if (isUpgrading()) {
        failHandshake(HandshakeFailure::ShuttingDown, QStringLiteral("shutting down"));
    } else {
        m_client.close(DisconnectReason::ServerShutdown);
    }
}

// Silence

void WebSocketProtocol::expired()
{
    if (isUpgrading()) {
        failHandshake(HandshakeFailure::Timeout, QStringLiteral("handshake timeout"));
    } else {
        keepAlive();
    }
}

void WebSocketProtocol::readingPaused()
{
    if (m_worker.options().keepalive.interval.count() == 0) {
        m_client.watchDeadline(
            m_worker.options().slowClients.grace); // no other deadline would look after it
    }
}

void WebSocketProtocol::keepAlive()
{
    const auto &keepalive = m_worker.options().keepalive;
    const auto silence =
        std::chrono::duration_cast<std::chrono::milliseconds>(m_worker.now() - m_lastAlive);
    if (m_client.hasBeenSlowTooLong()) {
        m_client.punishSlowness();
    }
    if (!m_client.isOpen()) {
        return;
    }
    if (m_client.isReadingPaused()) {
        const bool isPinging = keepalive.interval.count() > 0;
        m_client.watchDeadline(isPinging ? keepalive.interval
                                         : m_worker.options().slowClients.grace);
    } else if (keepalive.interval.count() == 0) {
        return;
    } else if (m_isPinged) {
        m_client.close(DisconnectReason::KeepaliveTimeout);
    } else if (silence < keepalive.interval) {
        m_client.watchDeadline(keepalive.interval - silence);
    } else {
        m_isPinged = true;
        m_pingedAt = Clock::now();
        m_worker.counters().pingsSent.add();
        m_webSocket->ping();
        queueControl();
        m_client.watchDeadline(keepalive.timeout);
    }
}

void WebSocketProtocol::signOfLife()
{
    m_lastAlive = m_worker.now();
    if (m_isPinged) {
        m_isPinged = false;
        m_client.watchDeadline(m_worker.options().keepalive.interval);
    }
}

} // namespace relay
