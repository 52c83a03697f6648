#pragma once

#include "base/clock.h"
#include "base/ids.h"
#include "hub/batch.h"
#include "hub/disconnect.h"
#include "hub/inbox.h"
#include "hub/opening_handshake.h"
#include "hub/outbox.h"
#include "metrics/relay_counters.h"
#include "net/peer_address.h"
#include "net/timer_wheel.h"
#include "net/wire_socket.h"
#include "wire/http_response.h"
#include "wire/message_assembler.h"

#include <QByteArray>
#include <QWebSocket>

#include <memory>
#include <span>

namespace relay {

class Worker;

/// One connection, from accept to its end: first a request head, then a QWebSocket.
///
/// QWebSocket does the upgrade, pings and pongs, and the closing handshake; what it writes (whole
/// control frames) is queued here in order with the messages. Messages never pass through it.
///
/// Life: Handshaking, Upgrading, Open, Closing (a close frame is on its way out), Lingering
/// (nothing more will be sent; what still comes is thrown away, so that a reset does not destroy
/// our last words), Ended. Each state but Open has its deadline.
///
/// Thread: its worker's.
/// Owner: Worker, which destroys an ended client at the end of the turn, never within a call.
/// Limits: HubOptions::limits, keepalive, slowClients, closeTimeout.
/// Errors: end the client, with a DisconnectReason or a HandshakeFailure that is counted and
/// logged.
class Client final : private WireSocketOwner, private MessageSink, private WheelTimer
{
public:
    Client(Worker &worker, Arrival arrival);
    ~Client();
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    [[nodiscard]] ClientId id() const { return m_id; }
    [[nodiscard]] QString peer() const { return m_peer.toString(); }
    [[nodiscard]] bool isOpen() const { return m_state == State::Open; }
    [[nodiscard]] bool hasEnded() const { return m_state == State::Ended; }

    /// Called by the worker when its QWebSocketServer has upgraded this connection.
    void upgraded(std::unique_ptr<QWebSocket> webSocket);

    /// Writes a turn's messages, or queues what the kernel does not take; returns how many of them.
    /// Never blocks. Nothing happens unless isOpen().
    quint64 deliver(const Batch &batch);
    /// Writes what waits: once a turn for clients that asked Worker::flushAtTurnEnd().
    void flush();

    /// Starts the closing handshake, or ends at once when the reason is abrupt.
    void close(DisconnectReason reason);
    /// The relay goes away: answers an unfinished handshake with 503, closes a client with 1001.
    void shutDown();
    /// Ends at once, without a word.
    void endNow();

    void resumeReading();

    /// Whether it sent something this turn; the fan-out with echo off then looks closer.
    bool takeHasPublished() { return std::exchange(m_hasPublished, false); }

    /// Its places in the worker's lists, kept by Worker.
    std::size_t slot = 0;
    std::size_t memberIndex = 0;

private:
    enum class State : quint8 {
        Handshaking,
        Upgrading,
        Open,
        Closing,
        Lingering,
        Ended
    };

    // WireSocketOwner
    void socketReadable() override;
    void socketWritable() override;
    void socketFailed(const QString &reason) override;
    void controlWritten(QByteArray bytes) override;
    void closeRequested() override;
    // MessageSink
    Next messageReceived(Frame message) override;
    Next controlReceived(Opcode opcode, QByteArrayView payload) override;
    // WheelTimer
    void expired() override;

    void received(std::span<const char> bytes);
    bool mustWait();
    void readHead(std::span<const char> bytes);
    void startUpgrade(const OpeningHandshake::Upgrade &upgrade);
    void refuse(HandshakeFailure failure, const HttpResponse &response);
    void failHandshake(HandshakeFailure failure, const QString &reason);
    void readFrames(std::span<const char> bytes);
    void deliverOwnMessages();
    void peerEnded();

    void settle(quint16 code, const QString &reason);
    void leaveMembers();
    void linger();
    void end(const QString &reason);
    quint64 queueFrom(std::span<const Chunk> chunks, std::size_t written);
    bool queue(const Chunk &chunk);
    /// Queues what QWebSocket has just written as one piece: it writes a frame's head and payload apart.
    void queueControl();
    void requestFlush();
    void waitUntilWritable();
    void punishSlowness();
    [[nodiscard]] bool dropsOldest() const;
    [[nodiscard]] bool hasBeenSlowTooLong() const;
    void watchDeadline(std::chrono::milliseconds delay);
    void keepAlive();
    void noteSignOfLife();

    Worker &m_worker;
    const ClientId m_id;
    const PeerAddress m_peer;
    WireSocket m_socket;
    std::unique_ptr<QWebSocket> m_webSocket; // destroyed before m_socket, on which it stands
    MessageAssembler m_assembler;
    Outbox m_outbox;
    OpeningHandshake m_handshake;
    QByteArray m_pipelined; // sent behind the head, until the upgrade is done
    QByteArray m_control;   // written by QWebSocket, not queued yet
    QString m_closeReason;
    TimePoint m_lastAlive;
    quint16 m_closeCode = 0; // 0: no close frame was sent or received yet
    State m_state = State::Handshaking;
    bool m_isOverLimit;
    bool m_isFlushDue = false;
    bool m_isWriteBlocked = false;
    bool m_isPinged = false;
    bool m_isReadingPaused = false;
    bool m_peerClosed = false;
    bool m_hasPublished = false;
};

} // namespace relay
