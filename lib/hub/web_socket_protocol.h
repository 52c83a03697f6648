#pragma once

#include "base/clock.h"
#include "hub/client_protocol.h"
#include "hub/disconnect.h"
#include "hub/rate_window.h"
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
/// Limits: limits.messageSize, limits.controlFrames, limits.handshakeTimeout until the upgrade is done,
/// keepalive. kFramesAtOnce are handled before the worker's other clients have their turn; what one
/// read has brought beyond them is kept until then.
class WebSocketProtocol final : public ClientProtocol, private MessageSink
{
public:
    /// At six bytes each a read brings 43,690 frames, of which each may be a message. This many take
    /// some 50 us; and more than 128 small messages at once would gain little by a shared write.
    static constexpr int kFramesAtOnce = 128;

    /// `refusal`: there is no room; it is upgraded only to be closed with this reason. Its place among
    /// Worker::kMaxFarewells ends with this.
    WebSocketProtocol(Client &client,
                      Subscription subscription,
                      std::optional<DisconnectReason> refusal);
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
    void goOn() override;
    void readingPaused() override;
    void signOfLife() override;
    void expired() override;
    void peerEnded() override;
    void socketFailed(const QString &reason) override;
    void shutDown() override;
    void sayGoodbye(const DisconnectInfo &info) override;
    [[nodiscard]] bool awaitsAnswer() const override { return !m_peerClosed && !m_refusal; }
    void controlWritten(QByteArray bytes) override;
    void closeRequested() override;

private:
    // MessageSink
    Next messageReceived(Frame message) override;
    Next controlReceived(Opcode opcode, QByteArrayView payload) override;

    [[nodiscard]] bool isUpgrading() const { return m_webSocket == nullptr; }
    void failHandshake(HandshakeFailure failure, const QString &reason);
    void readFrames(std::span<const char> &bytes);
    void ruleBroken(Violation violation);
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
    QByteArray m_unhandled; // received, and not looked at yet
    QByteArray m_control;   // written by QWebSocket, not queued yet
    RateWindow m_controlFrames;
    TimePoint m_lastAlive;
    TimePoint m_pingedAt; // no round trip is measured once it was answered
    const std::optional<DisconnectReason> m_refusal;
    bool m_isPinged = false;
    bool m_peerClosed = false;
};

} // namespace relay
