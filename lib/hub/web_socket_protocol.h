#pragma once

#include "base/clock.h"
#include "hub/client_protocol.h"
#include "hub/subscription.h"
#include "metrics/relay_counters.h"
#include "wire/message_assembler.h"
#include "wire/upgrade_request.h"

#include <QWebSocket>

#include <memory>

namespace relay {

class Client;
class Worker;

/// A WebSocket (RFC 6455), from the moment its opening handshake was found valid.
///
/// QWebSocket does the upgrade, pings and pongs, and the closing handshake; what it writes (whole
/// control frames) is queued in order with the messages. Messages never pass through it.
///
/// Thread: its client's worker.
/// Owner: Client.
/// Limits: limits.messageSize, limits.handshakeTimeout until the upgrade is done, keepalive.
class WebSocketProtocol final : public ClientProtocol, private MessageSink
{
public:
    WebSocketProtocol(Client &client, Subscription subscription);
    ~WebSocketProtocol() override;
    Q_DISABLE_COPY_MOVE(WebSocketProtocol)

    /// Hands the connection to the worker's QWebSocketServer. `sentBehind`: what came behind the
    /// request without waiting for the answer.
    void start(const QByteArray &key, QByteArray sentBehind);
    /// The worker's QWebSocketServer has upgraded the connection.
    void upgraded(std::unique_ptr<QWebSocket> webSocket);
    [[nodiscard]] const Client &client() const { return m_client; }

    // ClientProtocol
    void received(std::span<const char> bytes) override;
    void readingPaused() override;
    void signOfLife() override;
    void expired() override;
    void peerEnded() override;
    void socketFailed(const QString &reason) override;
    void shutDown() override;
    void sayGoodbye(const DisconnectInfo &info) override;
    [[nodiscard]] bool awaitsAnswer() const override { return !m_peerClosed; }
    void controlWritten(QByteArray bytes) override;
    void closeRequested() override;

private:
    // MessageSink
    Next messageReceived(Frame message) override;
    Next controlReceived(Opcode opcode, QByteArrayView payload) override;

    [[nodiscard]] bool isUpgrading() const { return m_webSocket == nullptr; }
    void failHandshake(HandshakeFailure failure, const QString &reason);
    void readFrames(std::span<const char> bytes);
    void closeReceived(QByteArrayView payload);
    void sendClose(quint16 code, const QString &reason);
    /// Queues what QWebSocket has just written as one piece: it writes a frame's head and payload
    /// apart.
    void queueControl();
    void keepAlive();

    Client &m_client;
    Worker &m_worker;
    std::unique_ptr<QWebSocket> m_webSocket;      // null until the upgrade is done
    std::unique_ptr<Subscription> m_subscription; // until then
    MessageAssembler m_assembler;
    QByteArray m_sentBehind; // until then
    QByteArray m_control;    // written by QWebSocket, not queued yet
    TimePoint m_lastAlive;
    TimePoint m_pingedAt; // no round trip is measured once it was answered
    bool m_isPinged = false;
    bool m_peerClosed = false;
};

} // namespace relay
