#include "hub/worker.h"

#include "channels/channel.h"
#include "hub/client.h"
#include "hub/web_socket_protocol.h"

#include <QHostAddress>
#include <QLoggingCategory>
#include <QTimer>
#include <QWebSocket>
#include <QWebSocketServer>

#include <algorithm>
#include <pthread.h>
#include <utility>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcHub, "relay.hub")

ResumeResult resultOf(Resumed resumed)
{
    switch (resumed) {
    case Resumed::WithGap:
        return ResumeResult::Gap;
    case Resumed::Unknown:
        return ResumeResult::Unknown;
    default:
        return ResumeResult::Exact;
    }
}

} // namespace

Worker::Worker(int number, const Shared &shared, WorkerObserver &observer)
    : m_shared(shared)
    , m_options(shared.options)
    , m_observer(observer)
    , m_origins(m_options.origins,
                QHostAddress(m_options.address).isLoopback() ? OriginPolicy::OwnHost::LocalOnly
                                                             : OriginPolicy::OwnHost::AnyName)
    , m_maxTurnBytes(std::min(kMaxTurnBytes, m_options.limits.queueSize / 4))
    , m_maxChunkBytes(std::min<qsizetype>(Batch::kMaxChunkBytes, m_options.limits.queueSize / 8))
    , m_closeTimeout(m_options.closeTimeout)
    , m_wheel(kTick, Clock::now())
    , m_receiveBuffer(kReceiveBufferBytes)
    , m_api(m_options, m_origins, shared.channels, shared.idempotency, *this)
    , m_inbox(m_options.limits.inboxSize, shared.backpressure, [this] { wakeUpUnlessInTurn(); })
    , m_thread(QStringLiteral("relay-worker-%1").arg(number), *this)
{}

Worker::~Worker()
{
    stop();
}

void Worker::stop()
{
    m_thread.stop();
}

const QSslConfiguration *Worker::tls() const
{
    return m_options.tls ? &*m_options.tls : nullptr;
}

int Worker::clientCount() const
{
    const quint64 ended =
        m_counters.disconnections.value(); // first: so it is never more than the other
    return static_cast<int>(m_counters.connections.value() - ended) + eventStreamCount();
}

int Worker::eventStreamCount() const
{
    const quint64 ended = m_counters.eventStreamsEnded.value();
    return static_cast<int>(m_counters.eventStreams.value() - ended);
}

// The thread and its turn

void Worker::threadStarted()
{
    clockid_t clock{};
    if (pthread_getcpuclockid(pthread_self(), &clock) == 0) {
        m_cpuClock = clock;
    }
    m_server = std::make_unique<QWebSocketServer>(QStringLiteral("relay"),
                                                  QWebSocketServer::NonSecureMode);
    m_server->setSupportedSubprotocols({QString::fromLatin1(kMetaSubprotocol)});
    QObject::connect(m_server.get(), &QWebSocketServer::newConnection, m_server.get(),
                     [this] { takeUpgraded(); });
    m_tick = std::make_unique<QTimer>();
    m_tick->setTimerType(Qt::CoarseTimer);
    m_tick->setInterval(kTick);
    QObject::connect(m_tick.get(), &QTimer::timeout, m_tick.get(), [this] { turnWheel(); });
}

/// What its own turn puts into the inbox is looked at when the turn ends.
void Worker::wakeUpUnlessInTurn()
{
    if (QThread::currentThread() != &m_thread || !m_isInboxDueThisTurn) {
        m_thread.wakeUp();
    }
}

void Worker::turnEnded()
{
    (void)m_turn.now(); // it may have begun with nothing but messages of other workers
    serveQueue();
    const auto abandoned = std::exchange(m_abandonedRooms, {}); // to the end of this call
    m_isInboxDueThisTurn = false;
    // All is drained before any of it is done: what comes in meanwhile belongs to the next turn.
    m_inbox.drain(m_incoming);
    for (Arrival &arrival : m_incoming.arrivals) {
        admit(std::move(arrival));
    }
    m_incoming.arrivals.clear();
    deliver(m_incoming.deliveries);
    for (const Task &task : m_incoming.tasks) {
        task();
    }
    m_incoming.tasks.clear();
    if (const auto grace = std::exchange(m_incoming.closeWithin, std::nullopt)) {
        closeAll(*grace);
    }
    flushClients();
    resumeReaders();
    bury();
    const TurnBudget::Turn turn = m_turn.end();
    m_counters.turnSeconds.observe(turn.length);
    m_longestTurn.observe(turn.length, turn.end);
    if (!m_queue.empty()) {
        m_counters.turnWaits.add(m_queue.size());
        m_thread.wakeUp();
    }
    m_isInboxDueThisTurn = true;
}

/// What its clients publish is written at the end of this turn. One is served even if the turn has
/// read for long enough, so that they all have their turn whatever else there is to do.
void Worker::serveQueue()
{
    while (!m_queue.empty()) {
        Client *client = m_queue.front();
        m_queue.pop_front();
        client->takeTurn();
        if (m_turn.isSpent()) {
            break;
        }
    }
}

void Worker::threadFinishing()
{
    endAll();
    bury();
    m_rooms.clear();
    m_abandonedRooms.clear();
    m_cpuClock = 0;
    m_drainTimer.reset();
    m_graceTimer.reset();
    m_tick.reset();
    m_server.reset();
}

std::optional<std::chrono::nanoseconds> Worker::cpuTime() const
{
    timespec time{};
    if (m_cpuClock < 0 && clock_gettime(m_cpuClock, &time) == 0) {
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    }
    return std::nullopt;
}

void Worker::schedule(WheelTimer &timer, std::chrono::milliseconds delay)
{
    m_wheel.schedule(timer, delay, now());
    if (!m_tick->isActive()) {
        m_tick->start();
    }
}

void Worker::unschedule(WheelTimer &timer)
{
    m_wheel.cancel(timer);
}

void Worker::turnWheel()
{
    m_wheel.advance(now());
    if (m_wheel.isEmpty()) {
        m_tick->stop();
    }
}

// Connections

void Worker::admit(Arrival arrival)
{
    auto client = std::make_unique<Client>(*this, std::move(arrival));
    client->slot = m_clients.size();
    m_clients.push_back(std::move(client));
    if (m_isClosing) {
        m_clients.back()->shutDown();
    }
}

void Worker::upgrade(WireSocket &socket)
{
    m_server->handleConnection(&socket);
}

void Worker::takeUpgraded()
{
    // QWebSocketServer does not say which socket this one stands on; it has just written the answer
    // to it.
    std::unique_ptr<QWebSocket> webSocket(m_server->nextPendingConnection());
    webSocket->setParent(nullptr);
    std::exchange(m_upgrading, nullptr)->upgraded(std::move(webSocket));
}

void Worker::handshakeFailed(const Client &client, HandshakeFailure failure, const QString &reason)
{
    m_counters.handshakeFailures[static_cast<std::size_t>(failure)].add();
    qCInfo(lcHub).noquote() << "client" << toNumber(client.id()) << client.peer()
                            << "handshake failed:"
                            << kHandshakeFailureLabels[static_cast<std::size_t>(failure)] << reason;
}

void Worker::requestAnswered(HttpMethod method, int status)
{
    m_counters.httpRequests[static_cast<std::size_t>(method)][statusIndex(status)].add();
}

// Rooms

std::optional<Worker::Entered>
Worker::join(Client &client, const Subscription &subscription, qint64 maxReplayBytes)
{
    Room &room = roomOf(subscription);
    auto joined = room.join(client, {maxReplayBytes, now()}, subscription.replay);
    if (!joined) {
        abandonIfEmpty(room);
        return std::nullopt;
    }
    client.noteJoined(room.target());
    (client.isEventStream() ? m_counters.eventStreams : m_counters.connections).add();
    qCInfo(lcHub).noquote() << "client" << toNumber(client.id()) << client.peer()
                            << (client.isEventStream() ? "listens to" : "connected to")
                            << client.channelName();
    m_observer.clientConnected(client);

    Batch past =
        batchOf(joined->replay, client.format(), room.audience(), m_maxChunkBytes, maxReplayBytes);
    if (joined->replay.resumed != Resumed::NotAsked) {
        m_counters.resumes[static_cast<std::size_t>(resultOf(joined->replay.resumed))].add();
    }
    return Entered{&room, *std::move(joined), std::move(past)};
}

Room &Worker::roomOf(const Subscription &subscription)
{
    std::unique_ptr<Room> &room = m_rooms[Room::keyOf(subscription.target)];
    if (!room) {
        room = std::make_unique<Room>(m_inbox, m_shared.channels, subscription.target);
    }
    return *room;
}

void Worker::leave(Client &client, Room &room)
{
    room.leave(client);
    abandonIfEmpty(room);
}

void Worker::abandonIfEmpty(Room &room)
{
    if (room.memberCount() > 0) {
        return;
    }
    const auto known = m_rooms.find(room.key());
    room.abandon();
    m_abandonedRooms.push_back(std::move(known->second));
    m_rooms.erase(known);
}

void Worker::ended(Client &client, quint16 closeCode, const QString &reason)
{
    m_ended.push_back(&client);
    if (m_upgrading != nullptr && &m_upgrading->client() == &client) {
        m_upgrading = nullptr;
    }
    if (!client.hasJoined()) {
        return;
    }
    if (client.isEventStream()) {
        m_counters.eventStreamsEnded.add();
    } else {
        m_counters.disconnections.add();
        m_counters.disconnectionsByCode[closeCodeIndex(closeCode)].add();
    }
    qCInfo(lcHub).noquote() << "client" << toNumber(client.id()) << client.peer()
                            << "disconnected:" << closeCode << reason;
    m_observer.clientDisconnected(client, closeCode, reason);
}

void Worker::becameSlow(const Client &client)
{
    m_observer.clientBecameSlow(client);
}

void Worker::bury()
{
    m_buriedProtocols.clear();
    if (m_ended.empty()) {
        return;
    }
    const auto hasEnded = [](const Client *client) { return client->hasEnded(); };
    std::erase_if(m_flushDue, hasEnded);
    std::erase_if(m_pausedReaders, hasEnded);
    std::erase_if(m_queue, hasEnded);
    for (const Client *client : std::exchange(m_ended, {})) {
        const std::size_t slot = client->slot;
        m_clients.back()->slot = slot;
        std::swap(m_clients[slot], m_clients.back());
        m_clients.pop_back();
        m_endedConnections.add();
    }
    if (m_isClosing && m_clients.empty() && !std::exchange(m_isDrainedTold, true)) {
        m_observer.workerDrained();
    }
}

void Worker::closeAll(std::chrono::milliseconds grace)
{
    m_isClosing = true;
    m_closeTimeout = std::max(grace, kTick); // the grace timer is what ends the waiting
    // Backwards: a client that ends at once leaves the lists, which moves only what was visited.
    for (std::size_t i = m_clients.size(); i > 0; --i) {
        m_clients[i - 1]->shutDown();
    }
    if (!m_graceTimer) {
        m_graceTimer = std::make_unique<QTimer>();
        m_graceTimer->setSingleShot(true);
        QObject::connect(m_graceTimer.get(), &QTimer::timeout, m_graceTimer.get(),
                         [this] { endAll(); });
    }
    if (!m_graceTimer->isActive() || grace < m_graceTimer->remainingTimeAsDuration()) {
        m_graceTimer->start(grace);
    }
    if (m_clients.empty() && !std::exchange(m_isDrainedTold, true)) {
        m_observer.workerDrained();
    }
}

void Worker::drain(std::chrono::milliseconds within)
{
    m_drainTimer = std::make_unique<QTimer>();
    m_drainTimer->setInterval(kTick);
    const TimePoint until = Clock::now() + within;
    QObject::connect(m_drainTimer.get(), &QTimer::timeout, m_drainTimer.get(),
                     [this, until] { drainSome(until); });
    m_drainTimer->start();
}

/// Closes as many of those who are left as this tick is of the time that is left.
void Worker::drainSome(TimePoint until)
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    const auto ticks = static_cast<double>(std::max<qint64>(1, left / kTick));
    std::vector<Client *> open;
    for (const auto &client : m_clients) {
        if (client->isOpen()) {
            open.push_back(client.get());
        }
    }
    if (open.empty() && left <= std::chrono::milliseconds::zero()) {
        m_drainTimer->stop();
        return;
    }
    m_drainDue += static_cast<double>(open.size()) / ticks;
    const std::size_t due = std::min(open.size(), static_cast<std::size_t>(m_drainDue));
    m_drainDue -= static_cast<double>(due);
    for (std::size_t i = 0; i < due; ++i) {
        open[i]->shutDown();
    }
}

void Worker::endAll()
{
    for (const auto &client : m_clients) {
        client->endNow();
    }
}

// Messages

Publication Worker::accept(ClientId sender, Channel &channel, const Frame &frame)
{
    m_counters.messages.add();
    if (m_observer.wantsMessages()) {
        m_observer.messageReceived(sender, channel.name(), frame);
    }
    auto message = std::make_shared<Message>();
    message->frame = frame;
    message->sender = sender;
    message->acceptedAt = now();
    const Publication published = m_shared.channels.publish(channel, message);
    if (m_inbox.waitingBytes() >= m_maxTurnBytes) {
        deliverNow();
    }
    return published;
}

void Worker::publish(Client &sender, const Frame &message)
{
    accept(sender.id(), *sender.room()->channel(), message);
}

std::optional<Publication> Worker::publish(ClientId sender, Channel &channel, const Frame &message)
{
    return isCongested() ? std::nullopt : std::optional(accept(sender, channel, message));
}

void Worker::deliverNow()
{
    std::vector<Delivery> deliveries;
    m_inbox.drainDeliveries(deliveries);
    deliver(deliveries);
}

/// Empties `deliveries`.
void Worker::deliver(std::vector<Delivery> &deliveries)
{
    std::vector<Room *> rooms;
    for (const Delivery &delivery : deliveries) {
        if (delivery.room->memberCount() > 0 && delivery.room->collect(delivery.message)) {
            rooms.push_back(delivery.room);
        }
    }
    quint64 delivered = 0;
    for (Room *room : rooms) {
        delivered += room->deliver(m_maxChunkBytes);
    }
    m_counters.deliveries.add(delivered);
    observeLatency(deliveries);
    deliveries.clear();
}

void Worker::observeLatency(std::span<const Delivery> deliveries)
{
    if (deliveries.empty()) {
        return;
    }
    const TimePoint written = Clock::now();
    for (const Delivery &delivery : deliveries) {
        m_counters.publishToWrite.observe(written - delivery.message->acceptedAt);
    }
}

void Worker::flushClients()
{
    // A flush may end a client, or publish what it was sent meanwhile: the inbox then sees to another
    // turn.
    for (Client *client : std::exchange(m_flushDue, {})) {
        client->flush();
    }
}

void Worker::resumeLater(Client &client)
{
    m_counters.inboxPauses.add();
    m_pausedReaders.push_back(&client);
}

void Worker::resumeReaders()
{
    if (m_pausedReaders.empty() || isCongested()) {
        return;
    }
    for (Client *client : std::exchange(m_pausedReaders, {})) {
        client->resumeReading();
    }
}

void Worker::neverQueued(DropReason reason, quint64 messages)
{
    m_counters.neverQueued[static_cast<std::size_t>(reason)].add(messages);
}

void Worker::dropped(DropReason reason, quint64 messages)
{
    m_counters.dropped[static_cast<std::size_t>(reason)].add(messages);
}

} // namespace relay
