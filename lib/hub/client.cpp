#include "hub/client.h"

#include "hub/worker.h"
#include "wire/close_code.h"
#include "wire/upgrade_request.h"

#include <algorithm>
#include <array>

namespace relay {

namespace {

/// What one write takes from an outbox: beyond some dozens a further call costs little by
/// comparison.
constexpr std::size_t kMaxPieces = 64;

/// How long a peer that has heard our last word has to end the connection: a round trip or two.
constexpr std::chrono::milliseconds kLingerTime{500};

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

Client::Client(Worker &worker, Arrival arrival)
    : m_worker(worker)
    , m_id(arrival.id)
    , m_peer(arrival.accepted.peer)
    , m_socket(std::move(arrival.accepted.socket), worker.tls(), *this)
    , m_assembler(static_cast<quint64>(worker.options().limits.messageSize))
    , m_outbox(worker.options().limits.queueSize)
    , m_lastAlive(worker.now())
    , m_isOverLimit(arrival.isOverLimit)
{
    watchDeadline(m_worker.options().limits.handshakeTimeout);
}

Client::~Client() = default;

// Reading

void Client::socketReadable()
{
    if (m_state == State::Ended) {
        return;
    }
    if (m_state == State::Open && mustWait()) {
        return;
    }
    const std::span<char> buffer = m_worker.receiveBuffer();
    const IoResult result = m_socket.receive(buffer);
    switch (result.status) {
    case IoStatus::Done:
        noteSignOfLife();
        m_worker.counters().receivedBytes.add(result.bytes);
        received(buffer.first(result.bytes));
        break;
    case IoStatus::WouldBlock:
        break;
    case IoStatus::Ended:
    case IoStatus::Failed:
        peerEnded();
        break;
    }
}

bool Client::mustWait()
{
    // Who does not take what waits for him is not let make more of it, be it his own echo or pongs;
    // unless the oldest of it is to be dropped.
    const bool isBehind = m_outbox.pastMarkSince().has_value() && !dropsOldest();
    if (!isBehind && !m_worker.isCongested()) {
        return false;
    }
    m_isReadingPaused = true;
    m_socket.setReadInterest(false);
    if (!isBehind) {
        m_worker.resumeLater(*this);
    } else if (m_worker.options().keepalive.interval.count() == 0) {
        watchDeadline(
            m_worker.options().slowClients.grace); // no other deadline would look after it
    }
    return true;
}

void Client::resumeReading()
{
    if (m_isReadingPaused) {
        m_isReadingPaused = false;
        noteSignOfLife(); // whether it is alive could not be seen
        m_socket.setReadInterest(true);
    }
}

void Client::received(std::span<const char> bytes)
{
    switch (m_state) {
    case State::Handshaking:
        readHead(bytes);
        break;
    case State::Upgrading:
        // A client need not wait for the answer before it sends frames, but has no reason to send
        // many.
        m_pipelined.append(bytes.data(), static_cast<qsizetype>(bytes.size()));
        if (m_pipelined.size() > m_worker.options().limits.requestHeadSize) {
            failHandshake(HandshakeFailure::HeadTooLarge,
                          QStringLiteral("too much data before the answer"));
        }
        break;
    case State::Open:
    case State::Closing:
        readFrames(bytes);
        break;
    case State::Lingering:
    case State::Ended:
        break;
    }
}

void Client::readFrames(std::span<const char> bytes)
{
    if (m_peerClosed) {
        return; // data after a close frame is ignored (RFC 6455, section 5.5.1)
    }
    if (const auto violation = m_assembler.feed(bytes, *this)) {
        m_worker.counters().protocolViolations[static_cast<std::size_t>(*violation)].add();
        m_peerClosed = true; // its bytes make no sense any more: no answer is waited for (RFC 6455,
                             // section 7.1.7)
        deliverOwnMessages();
        if (m_state != State::Open) {
            requestFlush();
            return;
        }
        const ViolationInfo &info = describe(*violation);
        settle(info.closeCode, QString::fromLatin1(info.text));
        if (const auto limit = describe(reasonOf(*violation)).limit) {
            m_worker.counters().limitHits[static_cast<std::size_t>(*limit)].add();
        }
        leaveMembers();
        m_state = State::Closing;
        m_webSocket->close(static_cast<QWebSocketProtocol::CloseCode>(info.closeCode),
                           QString::fromLatin1(info.text));
        queueControl();
    }
}

MessageSink::Next Client::messageReceived(Frame message)
{
    if (m_state == State::Open) {
        m_hasPublished = true;
        m_worker.publish(*this, message);
    }
    return m_state == State::Ended ? Next::Stop : Next::GoOn;
}

MessageSink::Next Client::controlReceived(Opcode opcode, QByteArrayView payload)
{
    if (opcode != Opcode::Close) {
        if (m_state == State::Open) {
            m_socket.feed(controlFrame(opcode, payload));
            queueControl();
        }
        return m_state == State::Ended ? Next::Stop : Next::GoOn;
    }
    m_peerClosed = true;
    deliverOwnMessages();
    if (m_state == State::Open) {
        const quint16 code = closeCodeIn(payload);
        settle(code, closeReasonIn(payload));
        leaveMembers();
        m_state = State::Closing;
        // Not fed to QWebSocket, which (in 6.4) takes the registered codes 1012 to 1014 for errors.
        m_webSocket->close(static_cast<QWebSocketProtocol::CloseCode>(
            code == close_code::kNoStatus ? close_code::kNormal : code));
        queueControl();
    } else {
        requestFlush();
    }
    return Next::Stop;
}

/// What it has sent this turn goes out, to itself too, before it stops being a member: a message
/// that was whole before a close frame or a violation is not lost with its echo.
void Client::deliverOwnMessages()
{
    if (m_state == State::Open && m_hasPublished) {
        m_worker.deliverNow();
    }
}

void Client::peerEnded()
{
    switch (m_state) {
    case State::Handshaking:
    case State::Upgrading:
        failHandshake(HandshakeFailure::Disconnected, QStringLiteral("gone before the handshake"));
        break;
    case State::Open:
        close(DisconnectReason::PeerVanished);
        break;
    case State::Closing:
    case State::Lingering:
        end(m_closeReason);
        break;
    case State::Ended:
        break;
    }
}

void Client::socketFailed(const QString &reason)
{
    if (m_state == State::Handshaking || m_state == State::Upgrading) {
        const bool isTls =
            m_worker.tls() != nullptr && m_state == State::Handshaking && m_handshake.isEmpty();
        failHandshake(isTls ? HandshakeFailure::Tls : HandshakeFailure::Disconnected, reason);
    } else {
        peerEnded();
    }
}

// The opening handshake

void Client::readHead(std::span<const char> bytes)
{
    const auto verdict = m_handshake.feed(bytes, m_worker.options().limits, m_worker.origins());
    if (const auto *refusal = std::get_if<OpeningHandshake::Refusal>(&verdict)) {
        refuse(refusal->failure, refusal->response);
    } else if (const auto *upgrade = std::get_if<OpeningHandshake::Upgrade>(&verdict)) {
        startUpgrade(*upgrade);
    }
}

void Client::startUpgrade(const OpeningHandshake::Upgrade &upgrade)
{
    if (m_isOverLimit) {
        refuse(HandshakeFailure::ConnectionLimit,
               plainResponse(503,
                             "The relay has as many connections as it may (limits.connections)."));
        return;
    }
    m_state = State::Upgrading;
    m_pipelined = upgrade.pipelined;
    m_socket.preload(minimalUpgradeHead(upgrade.key));
    m_worker.upgrade(m_socket);
}

void Client::upgraded(std::unique_ptr<QWebSocket> webSocket)
{
    m_webSocket = std::move(webSocket);
    m_socket.freeHandshakeBuffer();
    m_state = State::Open;
    queueControl();
    m_worker.join(*this);
    watchDeadline(m_worker.options().keepalive.interval);
    if (const QByteArray pipelined = std::exchange(m_pipelined, {}); !pipelined.isEmpty()) {
        readFrames({pipelined.constData(), static_cast<std::size_t>(pipelined.size())});
    }
}

void Client::refuse(HandshakeFailure failure, const HttpResponse &response)
{
    m_worker.handshakeFailed(*this, failure, QString::number(response.status));
    m_state = State::Closing;
    m_peerClosed = true; // no answer is expected
    m_control = response.serialize();
    queueControl();
    watchDeadline(m_worker.closeTimeout());
}

void Client::failHandshake(HandshakeFailure failure, const QString &reason)
{
    m_worker.handshakeFailed(*this, failure, reason);
    end(reason);
}

// Writing

quint64 Client::deliver(const Batch &batch)
{
    if (m_state != State::Open || batch.messages() == 0) {
        return 0;
    }
    std::size_t written = 0;
    if (m_outbox.isEmpty() && !m_isWriteBlocked) {
        // The usual case: nothing waits, and the kernel takes it all.
        const IoResult result = m_socket.send(batch.pieces());
        if (result.status == IoStatus::Failed) {
            m_worker.dropped(DropReason::Disconnected, batch.messages());
            close(DisconnectReason::PeerVanished);
            return 0;
        }
        written = result.bytes;
        m_worker.counters().sentBytes.add(written);
        if (written == static_cast<std::size_t>(batch.bytes())) {
            return batch.messages();
        }
        waitUntilWritable();
    }
    return queueFrom(batch.chunks(), written);
}

quint64 Client::queueFrom(std::span<const Chunk> chunks, std::size_t written)
{
    quint64 accepted = 0;
    for (const Chunk &chunk : chunks) {
        const auto size = static_cast<std::size_t>(chunk.bytes.size());
        if (written >= size) {
            written -= size;
            accepted += chunk.messages;
        } else if (written > 0) {
            m_outbox.pushBegun(chunk, std::exchange(written, 0));
            accepted += chunk.messages;
        } else if (m_state != State::Open) {
            m_worker.dropped(DropReason::SlowConsumer, chunk.messages); // closed by a chunk before
        } else if (queue(chunk)) {
            accepted += chunk.messages;
        }
    }
    requestFlush();
    return accepted;
}

bool Client::queue(const Chunk &chunk)
{
    Outbox::Push pushed = m_outbox.push(chunk, m_worker.now());
    if (pushed == Outbox::Push::Refused) {
        if (!dropsOldest()) {
            m_worker.dropped(DropReason::SlowConsumer, chunk.messages);
            close(DisconnectReason::QueueFull);
            return false;
        }
        // Dropping walks the queue: room is made for many messages at once, not for each anew.
        const qint64 room = std::max(Outbox::costOf(chunk), m_outbox.maxBytes() / 8);
        m_worker.dropped(DropReason::DropOldest, m_outbox.dropOldest(room, m_outbox.maxBytes()));
        pushed = m_outbox.push(chunk, m_worker.now());
    }
    if (pushed == Outbox::Push::Refused) {
        // What is left cannot be dropped: a message that is half written, or control frames.
        m_worker.dropped(DropReason::DropOldest, chunk.messages);
        return false;
    }
    if (pushed == Outbox::Push::QueuedPastMark && hasBeenSlowTooLong()) {
        punishSlowness();
    }
    return true;
}

void Client::punishSlowness()
{
    if (dropsOldest()) {
        m_worker.dropped(DropReason::DropOldest, m_outbox.dropOldest(0, m_outbox.markBytes()));
    } else {
        close(DisconnectReason::SlowTooLong);
    }
}

bool Client::dropsOldest() const
{
    return m_worker.options().slowClients.policy == HubOptions::SlowClientPolicy::DropOldest;
}

bool Client::hasBeenSlowTooLong() const
{
    const auto since = m_outbox.pastMarkSince();
    return since && m_worker.now() - *since >= m_worker.options().slowClients.grace;
}

void Client::controlWritten(QByteArray bytes)
{
    if (m_state == State::Upgrading) {
        m_worker.upgradeAnswered(*this);
    }
    m_control.append(bytes);
}

void Client::queueControl()
{
    Chunk chunk{std::exchange(m_control, {}), {}, 0};
    chunk.bytes = chunk.storage;
    if (chunk.bytes.isEmpty() || m_state == State::Ended || m_state == State::Lingering) {
        return;
    }
    if (m_state == State::Closing) {
        m_outbox.pushLast(chunk.storage);
    } else {
        queue(chunk);
    }
    requestFlush();
}

void Client::requestFlush()
{
    if (!m_isFlushDue && !m_isWriteBlocked) {
        m_isFlushDue = true;
        m_worker.flushAtTurnEnd(*this);
    }
}

void Client::flush()
{
    m_isFlushDue = false;
    if (m_state == State::Ended || m_state == State::Lingering || m_isWriteBlocked) {
        return;
    }
    while (!m_outbox.isEmpty()) {
        std::array<iovec, kMaxPieces> pieces; // NOLINT(*-member-init): gather() fills it
        const Outbox::Gathered gathered = m_outbox.gather(pieces);
        const IoResult result = m_socket.send({pieces.data(), gathered.pieces});
        if (result.status == IoStatus::Failed) {
            peerEnded();
            return;
        }
        m_worker.counters().sentBytes.add(result.bytes);
        m_outbox.consume(result.bytes);
        if (result.bytes < gathered.bytes) {
            waitUntilWritable();
            return;
        }
    }
    if (m_state == State::Closing && m_peerClosed) {
        linger();
    }
}

void Client::socketWritable()
{
    if (m_state == State::Ended) {
        return;
    }
    m_isWriteBlocked = false;
    noteSignOfLife(); // whoever takes what waits for him is alive
    flush();
    if (m_state == State::Ended) {
        return;
    }
    if (!m_isWriteBlocked) {
        m_socket.setWriteInterest(false);
    }
    if (!m_outbox.pastMarkSince()) {
        resumeReading();
    }
}

void Client::waitUntilWritable()
{
    m_isWriteBlocked = true;
    m_socket.setWriteInterest(true);
}

// The end

void Client::close(DisconnectReason reason)
{
    if (m_state != State::Open) {
        return;
    }
    const DisconnectInfo &info = describe(reason);
    const QString text = QString::fromLatin1(info.text);
    settle(info.closeCode, text);
    if (info.limit) {
        m_worker.counters().limitHits[static_cast<std::size_t>(*info.limit)].add();
    }
    leaveMembers();
    m_state = State::Closing;
    if (info.isAbrupt) {
        end(text);
        return;
    }
    if (info.closeCode == close_code::kPolicyViolation) {
        m_worker.dropped(DropReason::SlowConsumer, m_outbox.dropUnwritten());
    }
    m_webSocket->close(static_cast<QWebSocketProtocol::CloseCode>(info.closeCode), text);
    queueControl();
}

void Client::shutDown()
{
    if (m_state == State::Handshaking) {
        refuse(HandshakeFailure::ShuttingDown, plainResponse(503, "The relay is shutting down."));
    } else if (m_state == State::Upgrading) {
        failHandshake(HandshakeFailure::ShuttingDown, QStringLiteral("shutting down"));
    } else {
        close(DisconnectReason::ServerShutdown);
    }
}

void Client::closeRequested()
{
    if (m_state == State::Upgrading) { // QWebSocketServer will have none of it
        failHandshake(HandshakeFailure::BadRequest, QStringLiteral("refused by QWebSocketServer"));
    } else if (m_state == State::Closing) {
        watchDeadline(m_worker.closeTimeout());
    }
}

void Client::settle(quint16 code, const QString &reason)
{
    if (m_closeCode == 0) {
        m_closeCode = code;
        m_closeReason = reason;
    }
}

void Client::leaveMembers()
{
    if (m_state == State::Open) {
        m_worker.leave(*this);
    }
}

void Client::linger()
{
    m_state = State::Lingering;
    m_socket.shutdownWrite();
    watchDeadline(std::min(m_worker.closeTimeout(), kLingerTime));
}

void Client::endNow()
{
    end(m_closeReason.isEmpty() ? QStringLiteral("the relay is shutting down") : m_closeReason);
}

void Client::end(const QString &reason)
{
    if (m_state == State::Ended) {
        return;
    }
    leaveMembers();
    m_state = State::Ended;
    m_worker.unschedule(*this);
    m_worker.dropped(DropReason::Disconnected, m_outbox.messages());
    m_socket.end();
    const bool wasClient = m_webSocket != nullptr;
    m_worker.ended(*this, wasClient, m_closeCode == 0 ? close_code::kAbnormal : m_closeCode,
                   reason);
}

// Deadlines

void Client::watchDeadline(std::chrono::milliseconds delay)
{
    if (delay > std::chrono::milliseconds::zero()) {
        m_worker.schedule(*this, delay);
    } else {
        m_worker.unschedule(*this);
    }
}

void Client::expired()
{
    switch (m_state) {
    case State::Handshaking:
        if (m_handshake.isEmpty()) { // nobody who could understand an answer (or no TLS session)
            failHandshake(HandshakeFailure::Timeout, QStringLiteral("handshake timeout"));
            break;
        }
        refuse(HandshakeFailure::Timeout,
               plainResponse(408, "The request took too long (limits.handshake_timeout)."));
        break;
    case State::Upgrading:
        failHandshake(HandshakeFailure::Timeout, QStringLiteral("handshake timeout"));
        break;
    case State::Open:
        keepAlive();
        break;
    case State::Closing:
    case State::Lingering:
        end(m_closeReason);
        break;
    case State::Ended:
        break;
    }
}

void Client::keepAlive()
{
    const auto &keepalive = m_worker.options().keepalive;
    const auto silence =
        std::chrono::duration_cast<std::chrono::milliseconds>(m_worker.now() - m_lastAlive);
    if (hasBeenSlowTooLong()) {
        punishSlowness();
    }
    if (m_state != State::Open) {
        return;
    }
    if (m_isReadingPaused) {
        const bool isPinging = keepalive.interval.count() > 0;
        watchDeadline(isPinging ? keepalive.interval : m_worker.options().slowClients.grace);
    } else if (keepalive.interval.count() == 0) {
        return;
    } else if (m_isPinged) {
        close(DisconnectReason::KeepaliveTimeout);
    } else if (silence < keepalive.interval) {
        watchDeadline(keepalive.interval - silence);
    } else {
        m_isPinged = true;
        m_worker.counters().pingsSent.add();
        m_webSocket->ping();
        queueControl();
        watchDeadline(keepalive.timeout);
    }
}

void Client::noteSignOfLife()
{
    m_lastAlive = m_worker.now();
    if (m_isPinged && m_state == State::Open) {
        m_isPinged = false;
        watchDeadline(m_worker.options().keepalive.interval);
    }
}

} // namespace relay
