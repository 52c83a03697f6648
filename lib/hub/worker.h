#pragma once

#include "auth/origin_policy.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "channels/channel_registry.h"
#include "hub/backpressure.h"
#include "hub/batch.h"
#include "hub/channel_api.h"
#include "hub/client_protocol.h"
#include "hub/idempotency_cache.h"
#include "hub/inbox.h"
#include "hub/options.h"
#include "hub/room.h"
#include "hub/turn_budget.h"
#include "metrics/longest_recently.h"
#include "metrics/relay_counters.h"
#include "net/event_thread.h"
#include "net/timer_wheel.h"

#include <QString>

#include <atomic>
#include <ctime>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

class QTimer;
class QWebSocketServer;

namespace relay {

class Client;
class WebSocketProtocol;
class WireSocket;

/// What all workers share.
struct Shared
{
    const HubOptions &options;
    ChannelRegistry &channels;
    IdempotencyCache &idempotency;
    Backpressure &backpressure;
};

/// Who is told what happens to a worker's clients; called on the worker's thread.
class WorkerObserver
{
public:
    virtual void clientConnected(const Client &client) = 0;
    /// Whether messageReceived() should be called at all.
    [[nodiscard]] virtual bool wantsMessages() const = 0;
    virtual void
    messageReceived(ClientId client, const ChannelName &channel, const Frame &message) = 0;
    virtual void
    clientDisconnected(const Client &client, quint16 closeCode, const QString &reason) = 0;
    /// More than half of limits.queueSize has begun to wait for it.
    virtual void clientBecameSlow(const Client &client) = 0;
    /// After Inbox::pushClose(): the last connection has ended.
    virtual void workerDrained() = 0;

protected:
    ~WorkerObserver() = default;
};

/// A thread that serves its share of the connections with a QWebSocketServer of its own.
///
/// A turn of its loop: what has arrived is read, and published to its channel; at the turn's end
/// the inbox is drained, each member of each room gets the turn's messages in one write, and what
/// has ended is destroyed.
///
/// Clients share a turn: a client that has sent more than its protocol handles in one go, and one that
/// becomes readable when the turn has read for long enough, join a queue. It is served first come,
/// first served, at the end of this turn and of the next ones, and while anybody waits in it nobody is
/// read from without queueing. So what a client waits is the number of busy clients times a slice of
/// some 50 us, however much each of them sends; and the loop does not sleep meanwhile.
///
/// Thread: made, started and joined by the hub's; the public calls that say so come from there, all
/// others from the worker.
/// Owner: Hub.
/// Limits: its inbox (see Inbox), kMaxTurnBytes of messages before they are written within a turn;
/// TurnBudget::kMaxReading of reading a turn.
class Worker final : private EventThreadUser, private Publisher
{
public:
    /// A turn that has read this much writes it before it reads on, so that a turn's messages stay
    /// in the cache and in bounds.
    static constexpr qint64 kMaxTurnBytes = qint64{1} << 20;
    /// One recv(2) takes at most this much.
    static constexpr std::size_t kReceiveBufferBytes = std::size_t{256} << 10;
    /// At most so many WebSockets at once are upgraded only to be told that there is no room: each costs
    /// as much as a client, for a round trip or half a second.
    static constexpr int kMaxFarewells = 64;
    /// How late a limit may be enforced.
    static constexpr std::chrono::milliseconds kTick{100};

    Worker(int number, const Shared &shared, WorkerObserver &observer);
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
    [[nodiscard]] int eventStreamCount() const;
    [[nodiscard]] quint64 endedConnections() const { return m_endedConnections.value(); }
    [[nodiscard]] const RelayCounters &counters() const { return m_counters; }

    /// Its longest turn of the last minute, of those that have ended.
    [[nodiscard]] std::chrono::nanoseconds longestTurn() const
    {
        return m_longestTurn.value(Clock::now());
    }
    /// CPU time of its thread so far; nothing before it runs.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> cpuTime() const;

    // For who visits its connections, on its thread; their places change between turns:
    [[nodiscard]] std::size_t connectionCount() const { return m_clients.size(); }
    [[nodiscard]] Client &connection(std::size_t index) { return *m_clients[index]; }
    /// Sends everybody away (1001), spread over so long. Nobody new is expected.
    void drain(std::chrono::milliseconds within);

    // For its clients, on its thread:
    [[nodiscard]] const HubOptions &options() const { return m_options; }
    ChannelApi &api() { return m_api; }
    [[nodiscard]] const QSslConfiguration *tls() const;
    RelayCounters &counters() { return m_counters; }
    /// How long a client that was told to go may take: options().closeTimeout, or the grace of
    /// closing all.
    [[nodiscard]] std::chrono::milliseconds closeTimeout() const { return m_closeTimeout; }
    /// Messages for one client that are no deliveries.
    void neverQueued(DropReason reason, quint64 messages);
    /// Deliveries that were thrown out of a client's queue.
    void dropped(DropReason reason, quint64 messages);
    /// The time, read at most once a turn.
    TimePoint now() override { return m_turn.now(); }
    /// Counts work of this turn: see TurnBudget.
    void spend(int work) { m_turn.spend(work); }
    /// Whether who becomes readable must queue.
    [[nodiscard]] bool mustQueueTurns() const { return m_turn.isSpent() || !m_queue.empty(); }
    /// Client::takeTurn() is called after those who queue already, in this turn or the next.
    void queueTurn(Client &client) { m_queue.push_back(&client); }
    std::span<char> receiveBuffer() { return m_receiveBuffer; }
    void schedule(WheelTimer &timer, std::chrono::milliseconds delay);
    void unschedule(WheelTimer &timer);
    [[nodiscard]] bool isCongested() const { return m_shared.backpressure.isOn(); }
    /// Client::resumeReading() is called when isCongested() is over.
    void resumeLater(Client &client);
    /// Client::flush() is called at the end of the turn.
    void flushAtTurnEnd(Client &client) { m_flushDue.push_back(&client); }

    void upgrade(WireSocket &socket);
    /// The QWebSocketServer is just answering this one's upgrade: the QWebSocket that it announces
    /// next is its.
    void upgradeAnswered(WebSocketProtocol &upgrading) { m_upgrading = &upgrading; }
    /// Takes one of the kMaxFarewells places; returns whether there was one.
    [[nodiscard]] bool beginFarewell()
    {
        const bool hasPlace = m_farewells < kMaxFarewells;
        m_farewells += hasPlace ? 1 : 0;
        return hasPlace;
    }
    void endFarewell() { --m_farewells; }
    void handshakeFailed(const Client &client, HandshakeFailure failure, const QString &reason);
    void requestAnswered(HttpMethod method, int status);
    struct Entered
    {
        Room *room = nullptr;
        Joined joined;
        Batch past; ///< the replay's messages
    };
    /// Nothing when the channel is full: the client must end then. What is replayed costs at most
    /// `maxReplayBytes` to queue.
    [[nodiscard]] std::optional<Entered>
    join(Client &client, const Subscription &subscription, qint64 maxReplayBytes);
    void leave(Client &client, Room &room);
    /// A message of a member, to its room.
    void publish(Client &sender, const Frame &message);
    /// Delivers what waits in the inbox without waiting for the end of the turn.
    void deliverNow();
    /// Destroys it at the end of the turn.
    void buryLater(std::unique_ptr<ClientProtocol> protocol)
    {
        m_buriedProtocols.push_back(std::move(protocol));
    }
    void ended(Client &client, quint16 closeCode, const QString &reason);
    void becameSlow(const Client &client);

private:
    using Rooms = std::unordered_map<QByteArray, std::unique_ptr<Room>>;

    void threadStarted() override;
    void turnEnded() override;
    void threadFinishing() override;

    // Publisher, for the API: refuses while an inbox is full
    [[nodiscard]] std::optional<Publication>
    publish(ClientId sender, Channel &channel, const Frame &message) override;

    void wakeUpUnlessInTurn();
    void takeUpgraded();
    void admit(Arrival arrival);
    void closeAll(std::chrono::milliseconds grace);
    void endAll();
    Room &roomOf(const Subscription &subscription);
    void abandonIfEmpty(Room &room);
    Publication accept(ClientId sender, Channel &channel, const Frame &frame);
    void deliver(std::vector<Delivery> &deliveries);
    void drainSome(TimePoint until);
    void observeLatency(std::span<const Delivery> deliveries);
    void flushClients();
    void resumeReaders();
    void serveQueue();
    void bury();
    void turnWheel();

    const Shared m_shared;
    const HubOptions &m_options;
    WorkerObserver &m_observer;
    const OriginPolicy m_origins;
    RelayCounters m_counters;
    Counter m_endedConnections;
    LongestRecently m_longestTurn;
    std::atomic<clockid_t> m_cpuClock{0}; // a thread's is negative; 0: not running

    // Confined to the thread:
    std::unique_ptr<QWebSocketServer> m_server;
    std::unique_ptr<QTimer> m_tick;
    std::unique_ptr<QTimer> m_graceTimer;
    std::unique_ptr<QTimer> m_drainTimer;
    double m_drainDue = 0; // clients that should be gone and are not, less than one after a tick
    const qint64 m_maxTurnBytes;     // one turn of ours must not fill a client's queue
    const qsizetype m_maxChunkBytes; // nor one chunk, which is dropped as a whole
    std::chrono::milliseconds m_closeTimeout;
    TimerWheel m_wheel;
    std::vector<char> m_receiveBuffer;
    int m_farewells = 0;
    std::vector<std::unique_ptr<Client>> m_clients; // all connections; see Client::slot
    Rooms m_rooms;                                  // by name or pattern
    /// Left by their last member since the inbox was last drained, which may still hold messages for
    /// them.
    std::vector<std::unique_ptr<Room>> m_abandonedRooms;
    std::vector<Client *> m_flushDue;
    std::vector<Client *> m_pausedReaders;
    std::deque<Client *> m_queue; // see queueTurn()
    std::vector<Client *> m_ended;
    std::vector<std::unique_ptr<ClientProtocol>> m_buriedProtocols;
    Inbox::Content m_incoming;
    WebSocketProtocol *m_upgrading = nullptr;
    TurnBudget m_turn;
    bool m_isInboxDueThisTurn = false;
    bool m_isClosing = false;
    bool m_isDrainedTold = false;

    ChannelApi m_api;
    Inbox m_inbox;
    EventThread m_thread; // last: its run ends before anything above is destroyed
};

} // namespace relay
