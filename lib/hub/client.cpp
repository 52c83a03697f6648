#include "hub/client.h"

#include "hub/http_protocol.h"
#include "hub/room.h"
#include "hub/worker.h"
#include "wire/close_code.h"

#include <QDateTime>

#include <algorithm>
#include <array>
#include <utility>

namespace relay {

namespace {

/// What one write takes from an outbox: beyond some dozens a further call costs little by
/// comparison.
constexpr std::size_t kMaxPiecesAWrite = 64;

/// How long a peer that has heard our last word has to end the connection: a round trip or two.
constexpr std::chrono::milliseconds kLingerTime{500};

/// A read of so many bytes costs about as much as a small frame (see TurnBudget).
constexpr std::size_t kBytesPerWork = 512;

/// What is kept of a User-Agent: enough to tell clients apart.
constexpr qsizetype kMaxUserAgentBytes = 120;

} // namespace

Client::Client(Worker &worker, Arrival arrival)
    : m_worker(worker)
    , m_id(arrival.id)
    , m_peer(arrival.accepted.peer)
    , m_socket(std::move(arrival.accepted.socket), worker.tls(), *this)
    , m_outbox(worker.options().limits.queueSize)
    , m_connectedAt(QDateTime::currentMSecsSinceEpoch())
{
    m_protocol = std::make_unique<HttpProtocol>(*this, arrival.isOverLimit);
}

Client::~Client() = default;

void Client::become(std::unique_ptr<ClientProtocol> protocol)
{
    m_worker.buryLater(std::exchange(m_protocol, std::move(protocol)));
}

// Reading

void Client::socketReadable()
{
    if (m_state == State::Ended || (m_state == State::Open && mustWait())) {
        return;
    }
    if (m_isTurnQueued || m_worker.mustQueueTurns()) {
        m_isReadDue = true;
        queueTurn();
    } else {
        read();
    }
}

void Client::read()
{
    const std::span<char> buffer = m_worker.receiveBuffer().first(m_maxRead);
    const IoResult result = m_socket.receive(buffer);
    switch (result.status) {
    case IoStatus::Done:
        noteSignOfLife();
        m_worker.counters().receivedBytes.add(result.bytes);
        m_worker.spend(1 + static_cast<int>(result.bytes / kBytesPerWork));
        m_traffic.bytesIn += result.bytes;
        if (result.bytes == kFirstReadBytes && m_maxRead == kFirstReadBytes) {
            m_isReadDue = true; // there is more, in all likelihood
            queueTurn();
        }
        received(buffer.first(result.bytes));
        break;
    case IoStatus::WouldBlock:
        break;
    case IoStatus::Ended:
        if (m_state == State::Closing && !m_outbox.isEmpty() && !m_protocol->awaitsAnswer()) {
            m_socket.setReadInterest(false); // it has only ended its side, and still listens
            break;
        }
        peerEnded();
        break;
    case IoStatus::Failed:
        peerEnded();
        break;
    }
}

bool Client::mustWait()
{
    if (m_isReadingPaused) {
        return true;
    }
    // Who does not take what waits for him is not let make more of it, be it his own echo or pongs;
    // unless the oldest of it is to be dropped.
    const bool isBehind =
        !m_protocol->wantsInput() || (m_outbox.pastMarkSince().has_value() && !dropsOldest());
    if (!isBehind && !m_worker.isCongested()) {
        return false;
    }
    m_isReadingPaused = true;
    m_socket.setReadInterest(false);
    if (isBehind) {
        m_protocol->readingPaused();
    } else {
        m_worker.resumeLater(*this);
    }
    return true;
}

void Client::resumeReading()
{
    if (m_isReadingPaused) {
        m_isReadingPaused = false;
        noteSignOfLife(); // whether it is alive could not be seen
        m_socket.setReadInterest(true);
        if (m_isGoOnDue || m_isReadDue) {
            queueTurn();
        }
    }
}

void Client::goOnLater()
{
    m_isGoOnDue = true;
    queueTurn();
}

void Client::queueTurn()
{
    if (!std::exchange(m_isTurnQueued, true)) {
        m_worker.queueTurn(*this);
    }
}

void Client::takeTurn()
{
    m_isTurnQueued = false;
    if (m_state == State::Ended || (m_state == State::Open && mustWait())) {
        return; // resumeReading() queues it again
    }
    if (std::exchange(m_isGoOnDue, false)) {
        if (m_state == State::Open || m_state == State::Closing) {
            m_protocol->goOn();
        }
    } else if (std::exchange(m_isReadDue, false)) {
        read();
    }
    if (m_state != State::Ended && (m_isGoOnDue || m_isReadDue)) {
        queueTurn();
    }
}

void Client::received(std::span<const char> bytes)
{
    if (m_state == State::Open || m_state == State::Closing) {
        m_protocol->received(bytes);
    }
}

void Client::noteSignOfLife()
{
    if (m_state == State::Open) {
        m_protocol->signOfLife();
    }
}

void Client::peerEnded()
{
    if (m_state == State::Open) {
        m_protocol->peerEnded();
    } else {
        end(m_closeReason);
    }
}

void Client::socketFailed(const QString &reason)
{
    if (m_state == State::Open) {
        m_protocol->socketFailed(reason);
    } else {
        end(m_closeReason);
    }
}

// Its room

void Client::join(const Subscription &subscription)
{
    m_format = subscription.format;
    m_wantsEcho = subscription.echo;
    const auto entered = m_worker.join(*this, subscription, m_outbox.markBytes());
    if (!entered) {
        refuse(DisconnectReason::ChannelFull);
        return;
    }
    m_room = entered->room;
    m_startSequence = entered->joined.sequence;
    m_mayBeEarly = true;
    queueLast(formatted({.channel = channelName(),
                         .clients = entered->joined.clients,
                         .askedFor = subscription.replay.since,
                         .replay = entered->joined.replay,
                         .retryMilliseconds = m_worker.options().eventSource.retry.count()},
                        m_format, m_room->audience()));
    m_worker.counters().deliveries.add(queueFrom(entered->past.chunks(), 0));
}

bool Client::takeIsChoosy(const Message &first)
{
    m_mayBeEarly = m_mayBeEarly && first.sequence <= m_startSequence;
    const bool hasPublished = std::exchange(m_hasPublished, false);
    return m_mayBeEarly || (hasPublished && !m_wantsEcho);
}

bool Client::wants(const Message &message) const
{
    return message.sequence > m_startSequence && (m_wantsEcho || message.sender != m_id);
}

void Client::leaveRoom()
{
    if (Room *room = std::exchange(m_room, nullptr)) {
        m_worker.leave(*this, *room);
    }
}

void Client::deliverOwnMessages()
{
    if (m_state == State::Open && m_hasPublished) {
        m_worker.deliverNow();
    }
}

// Who watches

void Client::setUserAgent(const QByteArray &userAgent)
{
    m_userAgent = userAgent.first(std::min(userAgent.size(), kMaxUserAgentBytes));
}

ClientSnapshot Client::snapshot(bool withSocket) const
{
    const auto slowSince = m_outbox.pastMarkSince();
    return {.id = m_id,
            .address = peer(),
            .channel = channelName(),
            .format = m_format,
            .userAgent = m_userAgent,
            .connectedAt = m_connectedAt,
            .traffic = m_traffic,
            .queuedMessages = m_outbox.messages(),
            .queuedBytes = m_outbox.bytes(),
            .slowFor = slowSince
                           ? std::optional(std::chrono::duration_cast<std::chrono::milliseconds>(
                               m_worker.now() - *slowSince))
                           : std::nullopt,
            .ping = m_ping,
            .socket = withSocket ? m_socket.tcpView() : std::nullopt};
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
            m_worker.neverQueued(DropReason::Disconnected, batch.messages());
            close(DisconnectReason::PeerVanished);
            return 0;
        }
        written = result.bytes;
        m_worker.counters().sentBytes.add(written);
        m_traffic.bytesOut += written;
        if (written == static_cast<std::size_t>(batch.bytes())) {
            m_traffic.messagesOut += batch.messages();
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
            m_worker.counters().queued.add(chunk.messages);
            accepted += chunk.messages;
        } else if (m_state != State::Open) {
            m_worker.neverQueued(DropReason::SlowConsumer,
                                 chunk.messages); // closed by a chunk before
        } else if (tryQueue(chunk)) {
            accepted += chunk.messages;
        }
    }
    requestFlush();
    m_traffic.messagesOut += accepted;
    return accepted;
}

void Client::queue(const Chunk &chunk)
{
    if (m_state == State::Open) {
        tryQueue(chunk);
        requestFlush();
    }
}

void Client::queueLast(const QByteArray &bytes)
{
    if (!bytes.isEmpty() && (m_state == State::Open || m_state == State::Closing)) {
        m_outbox.pushLast(bytes);
        requestFlush();
    }
}

bool Client::tryQueue(const Chunk &chunk)
{
    const bool wasSlow = m_outbox.pastMarkSince().has_value();
    Outbox::Push pushed = m_outbox.push(chunk, m_worker.now());
    if (pushed == Outbox::Push::QueuedPastMark && !wasSlow) {
        m_worker.becameSlow(*this);
    }
    if (pushed == Outbox::Push::Refused) {
        if (!dropsOldest()) {
            m_worker.neverQueued(DropReason::SlowConsumer, chunk.messages);
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
        m_worker.neverQueued(DropReason::DropOldest, chunk.messages);
        return false;
    }
    m_worker.counters().queued.add(chunk.messages);
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
    m_protocol->controlWritten(std::move(bytes));
}

void Client::closeRequested()
{
    m_protocol->closeRequested();
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
    m_isFlushDue = true; // what is queued meanwhile is written here
    while ((m_state == State::Open || m_state == State::Closing) && writeQueued()) {
        m_protocol->written();
        if (m_outbox.isEmpty()) {
            break;
        }
    }
    m_isFlushDue = false;
    if (m_state == State::Closing && m_outbox.isEmpty() && !m_protocol->awaitsAnswer()) {
        linger();
    }
}

/// Returns whether everything was written.
bool Client::writeQueued()
{
    while (!m_isWriteBlocked && !m_outbox.isEmpty()) {
        std::array<iovec, kMaxPiecesAWrite> pieces; // NOLINT(*-member-init): gather() fills it
        const Outbox::Gathered gathered = m_outbox.gather(pieces);
        const IoResult result = m_socket.send({pieces.data(), gathered.pieces});
        if (result.status == IoStatus::Failed) {
            peerEnded();
            return false;
        }
        m_worker.counters().sentBytes.add(result.bytes);
        m_traffic.bytesOut += result.bytes;
        const quint64 before = m_outbox.messages();
        m_outbox.consume(result.bytes);
        m_worker.counters().writtenLater.add(before - m_outbox.messages());
        if (result.bytes < gathered.bytes) {
            waitUntilWritable();
        }
    }
    return !m_isWriteBlocked;
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
    if (m_state == State::Open && m_protocol->wantsInput() && !m_outbox.pastMarkSince()) {
        resumeReading();
    }
}

void Client::waitUntilWritable()
{
    m_isWriteBlocked = true;
    m_socket.setWriteInterest(true);
}

// The end

void Client::refuse(DisconnectReason reason)
{
    m_worker.handshakeFailed(*this, failureOf(reason), QString::fromLatin1(describe(reason).text));
    close(reason);
}

void Client::close(DisconnectReason reason)
{
    if (m_state != State::Open) {
        return;
    }
    const DisconnectInfo &info = describe(reason);
    if (info.limit) {
        m_worker.counters().limitHits[static_cast<std::size_t>(*info.limit)].add();
    }
    beginClosing(info.closeCode, QString::fromLatin1(info.text));
    if (info.isAbrupt) {
        end(m_closeReason);
        return;
    }
    if (info.dropsQueue) {
        m_worker.dropped(DropReason::SlowConsumer, m_outbox.dropUnwritten());
    }
    m_protocol->sayGoodbye(info);
}

void Client::beginClosing(quint16 code, const QString &reason)
{
    m_closeCode = code;
    m_closeReason = reason;
    leaveRoom();
    m_state = State::Closing;
    watchDeadline(m_worker.closeTimeout());
    requestFlush();
}

void Client::shutDown()
{
    if (m_state == State::Open) {
        m_protocol->shutDown();
    }
}

void Client::linger()
{
    m_state = State::Lingering;
    m_socket.shutdownWrite();
    m_socket.setReadInterest(true);
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
    leaveRoom();
    m_state = State::Ended;
    m_worker.unschedule(*this);
    m_worker.dropped(DropReason::Disconnected, m_outbox.messages());
    m_socket.end();
    m_worker.ended(*this, m_closeCode == 0 ? close_code::kAbnormal : m_closeCode, reason);
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
    if (m_state == State::Open) {
        m_protocol->expired();
    } else {
        end(m_closeReason);
    }
}

} // namespace relay
