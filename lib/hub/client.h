#pragma once

#include "base/clock.h"
#include "base/ids.h"
#include "hub/batch.h"
#include "hub/client_protocol.h"
#include "hub/client_snapshot.h"
#include "hub/disconnect.h"
#include "hub/inbox.h"
#include "hub/message_format.h"
#include "hub/outbox.h"
#include "hub/subscription.h"
#include "net/peer_address.h"
#include "net/timer_wheel.h"
#include "net/wire_socket.h"

#include <QByteArray>
#include <QString>

#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace relay {

class Room;
class Worker;

/// One connection, from accept to its end, whatever is spoken on it.
///
/// Life: Open (its ClientProtocol does the talking; it may join a room), Closing (the last words are
/// on their way out), Lingering (nothing more will be sent; what still comes is thrown away, so that
/// a reset does not destroy our last words), Ended. Closing and Lingering have their deadline.
///
/// Thread: its worker's.
/// Owner: Worker, which destroys an ended client at the end of the turn, never within a call.
/// Limits: HubOptions::limits.queueSize, slowClients, closeTimeout; its protocol's.
/// Errors: end the client, with a reason that is counted and logged.
class Client final : private WireSocketOwner, private WheelTimer
{
public:
    /// What one read takes of a peer that speaks HTTP: enough for any head. Bodies take several reads,
    /// between which others have their turn: in chunks of a byte they cost 100 times as much to read
    /// as in one piece.
    static constexpr std::size_t kFirstReadBytes = std::size_t{16} << 10;

    Client(Worker &worker, Arrival arrival);
    ~Client();
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    [[nodiscard]] ClientId id() const { return m_id; }
    [[nodiscard]] QString peer() const { return m_peer.toString(); }
    [[nodiscard]] bool isOpen() const { return m_state == State::Open; }
    [[nodiscard]] bool hasEnded() const { return m_state == State::Ended; }
    /// Null unless it has joined, and not left.
    [[nodiscard]] Room *room() const { return m_room; }

    /// Whether it has joined a room, which it may have left.
    [[nodiscard]] bool hasJoined() const { return m_joined.has_value(); }
    /// The name or pattern that it has joined, for people; empty without one.
    [[nodiscard]] QString channelName() const { return m_joined ? toString(*m_joined) : QString(); }

    /// Whether it listens by EventSource. Meaningful once it joins.
    [[nodiscard]] bool isEventStream() const
    {
        return m_format == MessageFormat::EventStream || m_format == MessageFormat::EventStreamMeta;
    }

    /// For who watches the relay. `withSocket` asks the kernel, too. Precondition: room() != nullptr.
    [[nodiscard]] ClientSnapshot snapshot(bool withSocket) const;

    // For its room:
    [[nodiscard]] MessageFormat format() const { return m_format; }
    /// Whether it may not want all messages of this turn, the first of which is given: see wants().
    bool takeIsChoosy(const Message &first);
    [[nodiscard]] bool wants(const Message &message) const;
    /// Writes a turn's messages, or queues what the kernel does not take; returns how many of them.
    /// Never blocks. Nothing happens unless isOpen().
    quint64 deliver(const Batch &batch);

    // For its worker:
    void noteJoined(ChannelTarget target) { m_joined = std::move(target); }
    /// Writes what waits: once a turn for clients that asked Worker::flushAtTurnEnd().
    void flush();
    /// The relay goes away.
    void shutDown();
    /// Ends at once, without a word.
    void endNow();
    void resumeReading();
    /// It is its turn in Worker::queueTurn()'s queue.
    void takeTurn();

    // For its protocol:
    [[nodiscard]] Worker &worker() { return m_worker; }
    [[nodiscard]] WireSocket &socket() { return m_socket; }
    /// Speaks something else from here on. The one before is destroyed at the end of the turn.
    void become(std::unique_ptr<ClientProtocol> protocol);
    /// Joins a room, and queues the welcome and what was asked of the past. Closes when that cannot
    /// be.
    void join(const Subscription &subscription);
    /// It sent a message to its room this turn.
    void notePublished()
    {
        m_hasPublished = true;
        ++m_traffic.messagesIn;
    }
    /// What it says of itself in its request; only the beginning is kept.
    void setUserAgent(const QByteArray &userAgent);
    void notePing(std::chrono::microseconds roundTrip) { m_ping = roundTrip; }
    /// What it has published this turn goes out, to itself too.
    void deliverOwnMessages();
    /// Queues a piece in order with the messages; slowness is punished.
    void queue(const Chunk &chunk);
    /// Queues what always fits: an answer to a request, or last words.
    void queueLast(const QByteArray &bytes);
    /// flush() is called at the end of the turn.
    void requestFlush();
    /// ClientProtocol::goOn() is called after the other clients have had their turn, unless reading is
    /// paused; then when it goes on. Nothing more is read before.
    void goOnLater();
    /// One read takes at most so many bytes, of Worker::kReceiveBufferBytes.
    void setMaxRead(std::size_t bytes) { m_maxRead = bytes; }
    [[nodiscard]] qint64 queuedBytes() const { return m_outbox.bytes(); }
    [[nodiscard]] bool isReadingPaused() const { return m_isReadingPaused; }
    /// Whether more than half of limits.queue_size has waited for longer than slow_clients.grace.
    [[nodiscard]] bool hasBeenSlowTooLong() const;
    void punishSlowness();
    /// ClientProtocol::expired() is called after so long, or the Closing ends; 0: never.
    void watchDeadline(std::chrono::milliseconds delay);

    /// There is no room for it, neither has it joined: starts to close.
    void refuse(DisconnectReason reason);
    /// Starts to close, or ends at once when the reason is abrupt.
    void close(DisconnectReason reason);
    /// Starts to close: leaves the room; the protocol queues its last words itself.
    void beginClosing(quint16 code, const QString &reason);
    /// Ends at once.
    void end(const QString &reason);

    /// Its places in the worker's and the room's lists, kept by them.
    std::size_t slot = 0;
    std::size_t memberIndex = 0;

private:
    enum class State : quint8 {
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
    // WheelTimer
    void expired() override;

    bool mustWait();
    void queueTurn();
    void read();
    void received(std::span<const char> bytes);
    void peerEnded();
    void noteSignOfLife();

    quint64 queueFrom(std::span<const Chunk> chunks, std::size_t written);
    bool tryQueue(const Chunk &chunk);
    bool writeQueued();
    void waitUntilWritable();
    [[nodiscard]] bool dropsOldest() const;

    void leaveRoom();
    void linger();

    Worker &m_worker;
    const ClientId m_id;
    const PeerAddress m_peer;
    WireSocket m_socket;
    std::unique_ptr<ClientProtocol> m_protocol; // what stands on m_socket goes before it
    Outbox m_outbox;
    std::size_t m_maxRead = kFirstReadBytes;
    Room *m_room = nullptr;
    std::optional<ChannelTarget> m_joined; // stays when it has left
    quint64 m_startSequence = 0;           // messages up to it were before it joined, or replayed
    Traffic m_traffic;
    QByteArray m_userAgent;
    qint64 m_connectedAt; // milliseconds since 1970
    std::optional<std::chrono::microseconds> m_ping;
    QString m_closeReason;
    quint16 m_closeCode = 0; // 0: no close frame was sent or received yet
    State m_state = State::Open;
    MessageFormat m_format = MessageFormat::WebSocket;
    bool m_wantsEcho = true;
    bool m_hasPublished = false;
    bool m_mayBeEarly = false; // messages up to m_startSequence may still come
    bool m_isFlushDue = false;
    bool m_isWriteBlocked = false;
    bool m_isReadingPaused = false;
    bool m_isTurnQueued = false;
    bool m_isReadDue = false; // it was readable, and is read in its turn
    bool m_isGoOnDue = false; // goOnLater()
};

} // namespace relay
