#include "hub/worker.h"

#include "hub/client.h"

#include <QHostAddress>
#include <QLoggingCategory>
#include <QTimer>
#include <QWebSocket>
#include <QWebSocketServer>

#include <algorithm>
#include <utility>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcHub, "relay.hub")

std::vector<Delivery> withoutOwn(std::span<const Delivery> deliveries, ClientId sender)
{
    std::vector<Delivery> others;
    std::copy_if(deliveries.begin(), deliveries.end(), std::back_inserter(others),
                 [&](const Delivery &d) { return d.sender != sender; });
    return others;
}

} // namespace

Worker::Worker(int number,
               const HubOptions &options,
               Channel &channel,
               Backpressure &backpressure,
               WorkerObserver &observer)
    : m_options(options)
    , m_channel(channel)
    , m_backpressure(backpressure)
    , m_observer(observer)
    , m_origins(options.origins,
                QHostAddress(options.address).isLoopback() ? OriginPolicy::OwnHost::LocalOnly
                                                           : OriginPolicy::OwnHost::AnyName)
    , m_maxTurnBytes(std::min(kMaxTurnBytes, options.limits.queueSize / 4))
    , m_maxChunkBytes(std::min<qsizetype>(Batch::kMaxChunkBytes, options.limits.queueSize / 8))
    , m_closeTimeout(options.closeTimeout)
    , m_wheel(kTick, Clock::now())
    , m_receiveBuffer(kReceiveBufferBytes)
    , m_inbox(options.limits.inboxSize, backpressure, [this] { m_thread.wakeUp(); })
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
    return static_cast<int>(m_counters.connections.value() - ended);
}

// The thread and its turn

void Worker::threadStarted()
{
    m_server = std::make_unique<QWebSocketServer>(QStringLiteral("relay"),
                                                  QWebSocketServer::NonSecureMode);
    QObject::connect(m_server.get(), &QWebSocketServer::newConnection, m_server.get(),
                     [this] { takeUpgraded(); });
    m_tick = std::make_unique<QTimer>();
    m_tick->setTimerType(Qt::CoarseTimer);
    m_tick->setInterval(kTick);
    QObject::connect(m_tick.get(), &QTimer::timeout, m_tick.get(), [this] { turnWheel(); });
}

void Worker::turnEnded()
{
    // All is drained before any of it is done: what comes in meanwhile belongs to the next turn.
    m_inbox.drain(m_incoming);
    for (Arrival &arrival : m_incoming.arrivals) {
        admit(std::move(arrival));
    }
    m_incoming.arrivals.clear();
    deliverToAll(m_incoming.deliveries);
    m_incoming.deliveries.clear();
    if (const auto grace = std::exchange(m_incoming.closeWithin, std::nullopt)) {
        closeAll(*grace);
    }
    flushClients();
    resumeReaders();
    bury();
    m_now.reset();
}

void Worker::threadFinishing()
{
    endAll();
    bury();
    m_graceTimer.reset();
    m_tick.reset();
    m_server.reset();
}

TimePoint Worker::now()
{
    if (!m_now) {
        m_now = Clock::now();
    }
    return *m_now;
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

void Worker::join(Client &client)
{
    if (m_members.empty()) {
        m_channel.join(m_inbox);
    }
    client.memberIndex = m_members.size();
    m_members.push_back(&client);
    m_counters.connections.add();
    qCInfo(lcHub).noquote() << "client" << toNumber(client.id()) << client.peer() << "connected";
    m_observer.clientConnected(client);
}

void Worker::leave(Client &client)
{
    m_members.back()->memberIndex = client.memberIndex;
    std::swap(m_members[client.memberIndex], m_members.back());
    m_members.pop_back();
    if (m_members.empty()) {
        m_channel.leave(m_inbox);
    }
}

void Worker::ended(Client &client, bool wasClient, quint16 closeCode, const QString &reason)
{
    m_ended.push_back(&client);
    if (m_upgrading == &client) {
        m_upgrading = nullptr;
    }
    if (!wasClient) {
        return;
    }
    m_counters.disconnections.add();
    m_counters.disconnectionsByCode[closeCodeIndex(closeCode)].add();
    qCInfo(lcHub).noquote() << "client" << toNumber(client.id()) << client.peer()
                            << "disconnected:" << closeCode << reason;
    m_observer.clientDisconnected(client, closeCode, reason);
}

void Worker::bury()
{
    if (m_ended.empty()) {
        return;
    }
    const auto hasEnded = [](const Client *client) { return client->hasEnded(); };
    std::erase_if(m_flushDue, hasEnded);
    std::erase_if(m_pausedReaders, hasEnded);
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

void Worker::endAll()
{
    for (const auto &client : m_clients) {
        client->endNow();
    }
}

// Messages

void Worker::publish(Client &sender, const Frame &message)
{
    m_counters.messages.add();
    if (m_observer.wantsMessages()) {
        m_observer.messageReceived(sender, message);
    }
    const qint64 waiting = m_channel.publish({message, sender.id(), now()}, &m_inbox);
    if (waiting >= m_maxTurnBytes) {
        deliverNow();
    }
}

void Worker::deliverNow()
{
    std::vector<Delivery> deliveries;
    m_inbox.drainDeliveries(deliveries);
    deliverToAll(deliveries);
}

void Worker::deliverToAll(DeliveriesView deliveries)
{
    if (deliveries.empty() || m_members.empty()) {
        return;
    }
    const Batch batch(deliveries, m_maxChunkBytes);
    quint64 delivered = 0;
    for (std::size_t i = 0; i < m_members.size();) {
        Client &client = *m_members[i];
        if (client.takeHasPublished() && !m_options.echo) {
            delivered +=
                client.deliver(Batch(withoutOwn(deliveries, client.id()), m_maxChunkBytes));
        } else {
            delivered += client.deliver(batch);
        }
        // A member whose write failed has left, and another one has taken its place.
        i += (i < m_members.size() && m_members[i] == &client) ? 1 : 0;
    }
    m_counters.deliveries.add(delivered);
    observeLatency(deliveries);
}

void Worker::observeLatency(DeliveriesView deliveries)
{
    const TimePoint written = Clock::now();
    for (const Delivery &delivery : deliveries) {
        m_counters.publishToWrite.observe(written - delivery.acceptedAt);
    }
}

void Worker::flushClients()
{
    // A flush may end a client, but never asks for another one.
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

void Worker::dropped(DropReason reason, quint64 messages)
{
    m_counters.dropped[static_cast<std::size_t>(reason)].add(messages);
}

} // namespace relay
