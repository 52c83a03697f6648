#include "hub/hub.h"

#include "channels/channel.h"
#include "channels/channel_registry.h"
#include "hub/client.h"
#include "hub/http_protocol.h"
#include "hub/idempotency_cache.h"
#include "hub/survey.h"
#include "hub/worker.h"
#include "net/listener.h"
#include "net/open_file_limit.h"
#include "wire/http_date.h"

#include <QLoggingCategory>
#include <QMetaMethod>
#include <QTimer>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcLimits, "relay.hub")

/// Descriptors that are not connections: the listener, the ops port and its scrapes, logs.
constexpr int kReservedDescriptors = 96;
/// Each worker's event loop has its own.
constexpr int kDescriptorsPerWorker = 4;
/// Connections over the limit that are still read from, so that they can be answered 503 in good order. Those
/// beyond them are told 503 without being read from, and closed: see refuse().
constexpr int kRefusalSlots = 64;
/// With fewer there is no point in a relay.
constexpr int kLeastConnections = 8;

/// How late a message may be gone from a history.
constexpr std::chrono::milliseconds kHistoryTick{1000};
/// Channels that are looked after at once: a few milliseconds.
constexpr int kChannelsPerTick = 5000;

ChannelOptions optionsOfOthers(const HubOptions &options)
{
    ChannelOptions others;
    others.echo = options.echo;
    return others;
}

int workerCountFor(const HubOptions &options)
{
    if (options.workers > 0) {
        return options.workers;
    }
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int availableConnections(int workers)
{
    return openFileLimit() - kReservedDescriptors - kDescriptorsPerWorker * workers - kRefusalSlots;
}

} // namespace

class Hub::Private final : public WorkerObserver
{
public:
    Private(Hub &hub, HubOptions hubOptions)
        : q(hub)
        , options(std::move(hubOptions))
        , channels(options.channels,
                   optionsOfOthers(options),
                   options.history.totalSize,
                   {options.history.positions, options.history.positionAge})
        , idempotency(options.http.idempotencyAge, options.http.idempotencyKeys)
        , backpressure([this] { wakeAll(); })
        , survey(hub, channels)
        , listener([this](Listener::Batch &batch) { accept(batch); })
    {}

    void startWorkers();
    void limitConnections(int workerCount);
    void watchWorkers();
    void expireHistory();
    void accept(Listener::Batch &batch);
    void turnAway(AcceptedSocket accepted);
    [[nodiscard]] std::size_t leastLoaded() const;
    [[nodiscard]] quint64 connectionCount() const;
    [[nodiscard]] quint64 loadOf(std::size_t worker) const;
    void wakeAll();
    void oneDrained();

    // WorkerObserver, on the workers' threads:
    void clientConnected(const Client &client) override;
    [[nodiscard]] bool wantsMessages() const override
    {
        return isFollowed.load(std::memory_order_relaxed);
    }
    void
    messageReceived(ClientId client, const ChannelName &channel, const Frame &message) override;
    void
    clientDisconnected(const Client &client, quint16 closeCode, const QString &reason) override;
    void clientBecameSlow(const Client &client) override;
    void workerDrained() override;

    Hub &q;
    const HubOptions options;
    ChannelRegistry channels; // outlives the workers, whose rooms hold channels
    IdempotencyCache idempotency;
    Backpressure backpressure;
    QTimer historyTick;
    Survey survey;
    WorkerWatch watch;
    QTimer watchTick;
    Listener listener;
    int maxConnections = 0;
    quint64 lastClientId = 0;
    std::vector<std::unique_ptr<Worker>> workers; // set once, by listen()
    std::vector<quint64> handedOver;              // connections given to each worker, ever
    Counter turnedAway;                           // connections, for want of even a refusal slot
    DateField date;
    int undrained = 0;
    std::atomic<bool> isServing{false};
    std::atomic<bool> isFollowed{false};       // somebody is connected to messageReceived
    std::atomic<quint64> publishedMessages{0}; // by publish(), on any thread
    bool isClosing = false;
    bool isDraining = false;
};

// Accepting

void Hub::Private::startWorkers()
{
    const int count = workerCountFor(options);
    limitConnections(count);
    handedOver.assign(static_cast<std::size_t>(count), 0);
    const Shared shared{options, channels, idempotency, backpressure};
    for (int i = 0; i < count; ++i) {
        workers.push_back(std::make_unique<Worker>(i + 1, shared, *this));
    }
    std::vector<Worker *> started;
    for (const auto &worker : workers) {
        worker->start();
        started.push_back(worker.get());
    }
    survey.begin(std::move(started));
    watchWorkers();
}

void Hub::Private::limitConnections(int workerCount)
{
    const int wanted = options.limits.connections;
    const int available = availableConnections(workerCount);
    maxConnections = wanted > 0 ? std::min(wanted, available) : available;
    if (wanted > available) {
        qCWarning(lcLimits,
                  "limits.connections is %d, but the limit of %d open files leaves room for %d "
                  "connections: only so many are served. Raise the limit of open files to %d "
                  "(ulimit -n, or LimitNOFILE= in the service unit), or lower limits.connections",
                  wanted, openFileLimit(), available, openFileLimit() + wanted - available);
    }
}

void Hub::Private::watchWorkers()
{
    std::vector<WorkerWatch::Ask> watched;
    for (const auto &worker : workers) {
        watched.emplace_back(
            [worker = worker.get()](Task answer) { worker->inbox().push(std::move(answer)); });
    }
    watch.watch(watched);
    watchTick.start(WorkerWatch::kInterval);
}

void Hub::Private::expireHistory()
{
    const bool isMoreDue = channels.expire(Clock::now(), kChannelsPerTick);
    historyTick.start(isMoreDue ? std::chrono::milliseconds::zero() : kHistoryTick);
}

quint64 Hub::Private::loadOf(std::size_t worker) const
{
    return handedOver[worker] - workers[worker]->endedConnections();
}

void Hub::Private::accept(Listener::Batch &batch)
{
    std::vector<bool> mustWake(workers.size());
    for (AcceptedSocket &accepted : batch) {
        const std::size_t worker = leastLoaded();
        const quint64 connections = connectionCount();
        const auto limit = static_cast<quint64>(maxConnections);
        if (connections >= limit + kRefusalSlots) {
            turnAway(std::move(accepted));
            continue;
        }
        ++handedOver[worker];
        if (workers[worker]->inbox().push(
                Arrival{std::move(accepted), ClientId{++lastClientId}, connections >= limit}))
        {
            mustWake[worker] = true;
        }
    }
    // Woken once for all of the batch.
    for (std::size_t i = 0; i < workers.size(); ++i) {
        if (mustWake[i]) {
            workers[i]->wakeUp();
        }
    }
}

/// Closes a connection for which not even a refusal slot is left. It is told why as far as that needs no waiting; over TLS that
/// would need a handshake.
void Hub::Private::turnAway(AcceptedSocket accepted)
{
    turnedAway.add();
    if (!options.tls) {
        HttpResponse response = HttpProtocol::overLimit();
        response.date = date.value();
        accepted.socket.closeWith(response.serialize());
    }
}

std::size_t Hub::Private::leastLoaded() const
{
    std::size_t idlest = 0;
    for (std::size_t i = 1; i < workers.size(); ++i) {
        if (loadOf(i) < loadOf(idlest)) {
            idlest = i;
        }
    }
    return idlest;
}

quint64 Hub::Private::connectionCount() const
{
    quint64 connections = 0;
    for (std::size_t i = 0; i < workers.size(); ++i) {
        connections += loadOf(i);
    }
    return connections;
}

void Hub::Private::wakeAll()
{
    for (const auto &worker : workers) {
        worker->wakeUp();
    }
}

// From the workers

void Hub::Private::clientConnected(const Client &client)
{
    static const QMetaMethod kSignal = QMetaMethod::fromSignal(&Hub::clientConnected);
    if (q.isSignalConnected(kSignal)) {
        Q_EMIT q.clientConnected(client.id(), client.peer(), client.channelName());
    }
}

void Hub::Private::messageReceived(ClientId client,
                                   const ChannelName &channel,
                                   const Frame &message)
{
    Q_EMIT q.messageReceived(client, message.payload().toByteArray(),
                             message.isText() ? MessageKind::Text : MessageKind::Binary,
                             channel.toString());
}

void Hub::Private::clientDisconnected(const Client &client,
                                      quint16 closeCode,
                                      const QString &reason)
{
    static const QMetaMethod kSignal = QMetaMethod::fromSignal(&Hub::clientDisconnected);
    if (q.isSignalConnected(kSignal)) {
        Q_EMIT q.clientDisconnected(client.id(), closeCode, reason, client.peer(),
                                    client.channelName());
    }
}

void Hub::Private::clientBecameSlow(const Client &client)
{
    static const QMetaMethod kSignal = QMetaMethod::fromSignal(&Hub::clientBecameSlow);
    if (q.isSignalConnected(kSignal)) {
        Q_EMIT q.clientBecameSlow(client.id(), client.peer(), client.channelName());
    }
}

void Hub::Private::workerDrained()
{
    QMetaObject::invokeMethod(
        &q, [this] { oneDrained(); }, Qt::QueuedConnection);
}

void Hub::Private::oneDrained()
{
    if (--undrained > 0) {
        return;
    }
    watchTick.stop();
    watch.watch({});
    for (const auto &worker : workers) {
        worker->stop();
    }
    survey.end();
    Q_EMIT q.closed();
}

// Who watches

void Hub::surveyClients(std::function<void(std::vector<ClientSnapshot>)> done)
{
    d->survey.takeClients(std::move(done));
}

void Hub::inspectClients(const std::vector<ClientId> &ids,
                         std::function<void(std::vector<ClientSnapshot>)> done)
{
    if (ids.empty()) {
        QMetaObject::invokeMethod(
            this, [done = std::move(done)] { done({}); }, Qt::QueuedConnection);
        return;
    }
    d->survey.takeClients(ids, std::move(done));
}

void Hub::disconnectClient(ClientId id, std::function<void(bool)> done)
{
    auto isFound = std::make_shared<bool>(false);
    d->survey.visitClients(
        [id, isFound](Client &client) {
            if (client.id() == id) {
                *isFound = true;
                client.close(DisconnectReason::Operator);
            }
        },
        [isFound, done = std::move(done)] { done(*isFound); });
}

void Hub::surveyChannels(std::function<void(std::vector<ChannelSnapshot>)> done)
{
    d->survey.takeChannels(std::move(done));
}

bool Hub::clearHistory(const ChannelName &channel)
{
    return d->channels.clearHistory(channel);
}

std::vector<Hub::WorkerStats> Hub::workerStats() const
{
    std::vector<WorkerStats> stats;
    for (const auto &worker : d->workers) {
        stats.push_back({.clients = worker->clientCount(),
                         .deliveries = worker->counters().deliveries.value(),
                         .cpuTime = worker->cpuTime(),
                         .longestTurn = worker->longestTurn()});
    }
    const auto silences = d->watch.silences(Clock::now());
    for (std::size_t i = 0; i < silences.size(); ++i) {
        stats[i].longestTurn = std::max(stats[i].longestTurn, silences[i]);
    }
    return stats;
}

std::vector<StuckWorker> Hub::stuckWorkers(TimePoint now) const
{
    return d->watch.stuck(now);
}

int Hub::maxConnections() const
{
    return d->maxConnections;
}

void Hub::drain(std::chrono::milliseconds within)
{
    if (d->isClosing) {
        return;
    }
    d->isDraining = true;
    d->listener.close();
    for (const auto &worker : d->workers) {
        worker->inbox().push(Task([worker = worker.get(), within] { worker->drain(within); }));
    }
}

bool Hub::isDraining() const
{
    return d->isDraining;
}

// Hub

Hub::Hub(HubOptions options, QObject *parent)
    : QObject(parent)
    , d(std::make_unique<Private>(*this, std::move(options)))
{
    qRegisterMetaType<ClientId>();
    qRegisterMetaType<MessageKind>();
    d->historyTick.setSingleShot(true);
    connect(&d->historyTick, &QTimer::timeout, this, [this] { d->expireHistory(); });
    connect(&d->watchTick, &QTimer::timeout, this, [this] { d->watch.ask(Clock::now()); });
}

Hub::~Hub()
{
    d->isServing = false;
    d->listener.close();
    for (const auto &worker : d->workers) {
        worker->stop();
    }
}

Outcome Hub::listen()
{
    if (!d->workers.empty() || d->isClosing) {
        return Error{QStringLiteral("this hub has listened or was closed already")};
    }
    if (availableConnections(workerCountFor(d->options)) < kLeastConnections) {
        return Error{
            QStringLiteral(
                "server.workers: %1 workers leave no connections within the limit of %2 open "
                "files: raise it (ulimit -n), or lower server.workers")
                .arg(workerCountFor(d->options))
                .arg(openFileLimit())};
    }
    Outcome listening = d->listener.listen(d->options.address, d->options.port);
    if (listening) {
        // Every QWebSocket asks for it. The first time OpenSSL is loaded: no client should have to wait for that, and two workers
        // that do it at once leave some of it behind.
        QSslConfiguration::defaultConfiguration();
        d->startWorkers();
        d->historyTick.start(kHistoryTick);
        d->isServing = true;
    }
    return listening;
}

void Hub::close(std::chrono::milliseconds grace)
{
    if (!std::exchange(d->isClosing, true)) {
        d->isServing = false;
        d->listener.close();
        d->undrained = static_cast<int>(d->workers.size());
        if (d->workers.empty()) {
            QMetaObject::invokeMethod(this, &Hub::closed, Qt::QueuedConnection);
        }
    }
    for (const auto &worker : d->workers) {
        worker->inbox().pushClose(grace);
    }
}

bool Hub::isListening() const
{
    return d->isServing;
}

QString Hub::address() const
{
    return d->options.address;
}

quint16 Hub::port() const
{
    return d->listener.port();
}

qint64 Hub::maxMessageBytes() const
{
    return d->options.limits.messageSize;
}

bool Hub::usesTls() const
{
    return d->options.tls.has_value();
}

int Hub::workerCount() const
{
    return static_cast<int>(d->workers.size());
}

Hub::Receipt Hub::publish(const QByteArray &payload, MessageKind kind)
{
    return publish(ChannelName(), payload, kind);
}

Hub::Receipt Hub::publish(const ChannelName &channel, const QByteArray &payload, MessageKind kind)
{
    if (!d->isServing) {
        return {Published::Closed};
    }
    if (payload.size() > d->options.limits.messageSize) {
        return {Published::TooBig};
    }
    if (kind == MessageKind::Text && !payload.isValidUtf8()) {
        return {Published::NotText};
    }
    if (d->backpressure.isOn()) {
        return {Published::Full};
    }
    auto message = std::make_shared<Message>();
    message->frame = Frame(kind == MessageKind::Text ? Opcode::Text : Opcode::Binary, payload);
    message->acceptedAt = Clock::now();
    const ChannelHandle handle = d->channels.acquire(channel);
    const Publication publication = d->channels.publish(*handle, message);
    d->publishedMessages.fetch_add(1, std::memory_order_relaxed);
    return {Published::Accepted, publication.position, publication.clients};
}

int Hub::clientCount() const
{
    int count = 0;
    for (const auto &worker : d->workers) {
        count += worker->clientCount();
    }
    return count;
}

int Hub::eventStreamCount() const
{
    int count = 0;
    for (const auto &worker : d->workers) {
        count += worker->eventStreamCount();
    }
    return count;
}

int Hub::channelCount() const
{
    return static_cast<int>(d->channels.channelCount());
}

qint64 Hub::historyBytes() const
{
    return d->channels.historyBytes();
}

int Hub::idlePositions() const
{
    return d->channels.idlePositions();
}

quint64 Hub::droppedPositions() const
{
    return d->channels.droppedPositions();
}

quint64 Hub::replayLooks() const
{
    return d->channels.replayLooks();
}

RelaySnapshot Hub::counters() const
{
    RelaySnapshot sum;
    for (const auto &worker : d->workers) {
        sum += worker->counters();
    }
    sum.handshakeFailures[static_cast<std::size_t>(HandshakeFailure::ConnectionLimit)] +=
        d->turnedAway.value();
    sum.messages += d->publishedMessages.load(std::memory_order_relaxed);
    return sum;
}

void Hub::connectNotify(const QMetaMethod &signal)
{
    if (signal == QMetaMethod::fromSignal(&Hub::messageReceived)) {
        d->isFollowed = true;
    }
}

void Hub::disconnectNotify(const QMetaMethod &)
{
    // Not at once: QObject::disconnect() may hold the lock that isSignalConnected() takes.
    QMetaObject::invokeMethod(
        this,
        [this] {
            d->isFollowed = isSignalConnected(QMetaMethod::fromSignal(&Hub::messageReceived));
        },
        Qt::QueuedConnection);
}

} // namespace relay
