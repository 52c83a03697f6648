#pragma once

#include "auth/origin_policy.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "hub/backpressure.h"
#include "hub/batch.h"
#include "hub/channel.h"
#include "hub/inbox.h"
#include "hub/options.h"
#include "metrics/relay_counters.h"
#include "net/event_thread.h"
#include "net/timer_wheel.h"

#include <QString>

#include <memory>
#include <optional>
#include <span>
#include <vector>

class QTimer;
class QWebSocketServer;

namespace relay {

class Client;
class WireSocket;

/// Who is told what happens to a worker's clients; called on the worker's thread.
class WorkerObserver
{
public:
    virtual void clientConnected(const Client &client) = 0;
    /// Whether messageReceived() should be called at all.
    [[nodiscard]] virtual bool wantsMessages() const = 0;
    virtual void messageReceived(const Client &client, const Frame &message) = 0;
    virtual void
    clientDisconnected(const Client &client, quint16 closeCode, const QString &reason) = 0;
    /// After Inbox::pushClose(): the last connection has ended.
    virtual void workerDrained() = 0;

protected:
    ~WorkerObserver() = default;
};

/// A thread that serves its share of the connections with a QWebSocketServer of its own.
///
/// A turn of its loop: what has arrived is read, and published to the channel; at the turn's end
/// the inbox is drained, each member gets the turn's messages in one write, and what has ended is
/// destroyed.
///
/// Thread: made, started and joined by the hub's; the public calls that say so come from there, all
/// others from the worker.
/// Owner: Hub.
/// Limits: its inbox (see Inbox), kMaxTurnBytes of messages before they are written within a turn.
class Worker final : private EventThreadUser
{
public:
    /// A turn that has read this much writes it before it reads on, so that a turn's messages stay
    /// in the cache and in bounds.
    static constexpr qint64 kMaxTurnBytes = qint64{1} << 20;
    /// One recv(2) takes at most this much.
    static constexpr std::size_t kReceiveBufferBytes = std::size_t{256} << 10;
    /// How late a limit may be enforced.
    static constexpr std::chrono::milliseconds kTick{100};

    Worker(int number,
           const HubOptions &options,
           Channel &channel,
           Backpressure &backpressure,
           WorkerObserver &observer);
    ~Worker();
    Worker(const Worker &) = delete;
    Worker &operator=(const Worker &) = delete;

    // From the hub's thread:
    void start() { m_thread.start(); }
    /// Ends the thread; connections that are left end without a word.
    void stop();
    /// From any thread:
    Inbox &inbox() { return m_inbox; }
    void wakeUp() { m_thread.wakeUp(); }
    [[nodiscard]] int clientCount() const;
    [[nodiscard]] quint64 endedConnections() const { return m_endedConnections.value(); }
    [[nodiscard]] const RelayCounters &counters() const { return m_counters; }

    // For its clients, on its thread:
    [[nodiscard]] const HubOptions &options() const { return m_options; }
    [[nodiscard]] const OriginPolicy &origins() const { return m_origins; }
    [[nodiscard]] const QSslConfiguration *tls() const;
    RelayCounters &counters() { return m_counters; }
    /// How long a client that was told to go may take: options().closeTimeout, or the grace of
    /// closing all.
    [[nodiscard]] std::chrono::milliseconds closeTimeout() const { return m_closeTimeout; }
    void dropped(DropReason reason, quint64 messages);
    /// The time, read at most once a turn.
    TimePoint now();
    std::span<char> receiveBuffer() { return m_receiveBuffer; }
    void schedule(WheelTimer &timer, std::chrono::milliseconds delay);
    void unschedule(WheelTimer &timer);
    [[nodiscard]] bool isCongested() const { return m_backpressure.isOn(); }
    /// Client::resumeReading() is called when isCongested() is over.
    void resumeLater(Client &client);
    /// Client::flush() is called at the end of the turn.
    void flushAtTurnEnd(Client &client) { m_flushDue.push_back(&client); }

    void upgrade(WireSocket &socket);
    /// The client whose upgrade the QWebSocketServer is just answering: the QWebSocket that it
    /// announces next is its.
    void upgradeAnswered(Client &client) { m_upgrading = &client; }
    void handshakeFailed(const Client &client, HandshakeFailure failure, const QString &reason);
    void join(Client &client);
    void leave(Client &client);
    void publish(Client &sender, const Frame &message);
    /// Delivers what waits in the inbox without waiting for the end of the turn.
    void deliverNow();
    void ended(Client &client, bool wasClient, quint16 closeCode, const QString &reason);

private:
    using DeliveriesView = std::span<const Delivery>;

    void threadStarted() override;
    void turnEnded() override;
    void threadFinishing() override;

    void takeUpgraded();
    void admit(Arrival arrival);
    void closeAll(std::chrono::milliseconds grace);
    void endAll();
    void deliverToAll(DeliveriesView deliveries);
    void observeLatency(DeliveriesView deliveries);
    void flushClients();
    void resumeReaders();
    void bury();
    void turnWheel();

    const HubOptions &m_options;
    Channel &m_channel;
    Backpressure &m_backpressure;
    WorkerObserver &m_observer;
    const OriginPolicy m_origins;
    RelayCounters m_counters;
    Counter m_endedConnections;

    // Confined to the thread:
    std::unique_ptr<QWebSocketServer> m_server;
    std::unique_ptr<QTimer> m_tick;
    std::unique_ptr<QTimer> m_graceTimer;
    const qint64 m_maxTurnBytes;     // one turn of ours must not fill a client's queue
    const qsizetype m_maxChunkBytes; // nor one chunk, which is dropped as a whole
    std::chrono::milliseconds m_closeTimeout;
    TimerWheel m_wheel;
    std::vector<char> m_receiveBuffer;
    std::vector<std::unique_ptr<Client>> m_clients; // all connections; see Client::slot
    std::vector<Client *> m_members;                // those whose handshake is complete
    std::vector<Client *> m_flushDue;
    std::vector<Client *> m_pausedReaders;
    std::vector<Client *> m_ended;
    Inbox::Content m_incoming;
    Client *m_upgrading = nullptr;
    std::optional<TimePoint> m_now;
    bool m_isClosing = false;
    bool m_isDrainedTold = false;

    Inbox m_inbox;
    EventThread m_thread; // last: its run ends before anything above is destroyed
};

} // namespace relay
