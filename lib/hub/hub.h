#pragma once

#include "base/channel_name.h"
#include "base/ids.h"
#include "base/position.h"
#include "base/result.h"
#include "hub/channel_snapshot.h"
#include "hub/client_snapshot.h"
#include "hub/options.h"
#include "hub/worker_watch.h"
#include "metrics/relay_counters.h"

#include <QByteArray>
#include <QObject>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace relay {

/// Whether a message is text (UTF-8) or binary: WebSocket tells them apart, and so does every
/// receiver.
enum class MessageKind : quint8 {
    Text,
    Binary
};

/// A relay: everyone at a URL receives what anyone sends there, at once and in one order.
///
/// Each worker thread serves its share of the clients with a QWebSocketServer of its own; this object accepts and spreads
/// them. An embedding program makes one, calls listen(), and follows the signals:
/// \code
/// relay::Hub hub(relay::HubOptions{});
/// QObject::connect(&hub, &relay::Hub::clientConnected, this, &Window::showClient);
/// if (const auto listening = hub.listen(); !listening) {
///     qFatal("%s", qPrintable(listening.error().message));
/// }
/// \endcode
///
/// Thread: lives in the thread that made it, which must run an event loop; only the calls that say
/// so may come from others. Signals are emitted on the worker that serves the client: a receiver
/// that lives in another thread gets them queued, a lambda without a context object runs on the
/// worker.
/// Owner: the embedding program. The destructor closes without grace and joins the workers.
/// Limits: HubOptions::limits.
/// Errors: listen() returns them; a client's errors end only that client.
class Hub : public QObject
{
    Q_OBJECT
    Q_DISABLE_COPY_MOVE(Hub)

public:
    explicit Hub(HubOptions options, QObject *parent = nullptr);
    ~Hub() override;

    /// Starts the workers and accepts on the options' address and port. Once, and not after
    /// close().
    Outcome listen();

    /// Stops accepting, writes what is queued, sends every client a close frame (1001) and waits up
    /// to `grace` for the answers; then emits closed(). A second call shortens the grace.
    void close(std::chrono::milliseconds grace);

    /// Whether connections are accepted: from listen() until close().
    [[nodiscard]] bool isListening() const;
    /// The address that is listened on, as the options say: an IP address, or all of IPv4 or IPv6.
    [[nodiscard]] QString address() const;
    /// The port that is listened on; 0 before listen().
    [[nodiscard]] quint16 port() const;
    /// HubOptions::limits' messageSize.
    [[nodiscard]] qint64 maxMessageBytes() const;
    /// Whether clients connect by wss://.
    [[nodiscard]] bool usesTls() const;
    /// The threads that serve clients; 0 before listen().
    [[nodiscard]] int workerCount() const;

    enum class Published {
        Accepted, ///< everyone who listens gets it, in order
        Full,     ///< limits.inboxSize is reached: nothing was sent, try again later
        TooBig,   ///< longer than limits.messageSize: nothing was sent
        NotText,  ///< Text that is not UTF-8: nothing was sent
        Closed,   ///< the hub does not listen: nothing was sent
    };
    struct Receipt
    {
        Published status = Published::Accepted;
        Position position = {}; ///< in the channel's stream, when accepted
        int clients = 0;        ///< that it was handed to, when accepted

        [[nodiscard]] bool isAccepted() const { return status == Published::Accepted; }
    };
    /// Sends a message to everyone who listens to the channel, and keeps it in its history.
    /// Thread: any.
    [[nodiscard]] Receipt
    publish(const ChannelName &channel, const QByteArray &payload, MessageKind kind);
    /// The same for the root channel.
    [[nodiscard]] Receipt publish(const QByteArray &payload, MessageKind kind);

    /// Clients that have joined and whose connection has not ended: WebSockets and event streams.
    /// Thread: any.
    [[nodiscard]] int clientCount() const;
    /// Of those, event streams.
    /// Thread: any.
    [[nodiscard]] int eventStreamCount() const;

    /// Channels that somebody has joined, or that keep messages.
    /// Thread: any.
    [[nodiscard]] int channelCount() const;
    /// What all histories take, overhead included.
    /// Thread: any.
    [[nodiscard]] qint64 historyBytes() const;

    /// Positions that are kept of channels that vanished.
    /// Thread: any.
    [[nodiscard]] int idlePositions() const;
    /// Those of them that were dropped because there were more than history.positions.
    /// Thread: any.
    [[nodiscard]] quint64 droppedPositions() const;
    /// Channels and messages that the replays of patterns have looked at.
    /// Thread: any.
    [[nodiscard]] quint64 replayLooks() const;

    /// Stops accepting, and sends everybody away (1001), spread over so long: they do not all come to
    /// the next relay at once. The hub goes on relaying, until close(). A second call gives those who
    /// are left another time.
    void drain(std::chrono::milliseconds within);
    [[nodiscard]] bool isDraining() const;

    // For who watches it. Each calls `done` once, on the hub's thread; if the hub closes first it is
    // destroyed there without being called. Clients are looked at for one question after the other.
    /// All clients that have joined. Looks at a slice of them a turn: nobody waits for it.
    void surveyClients(std::function<void(std::vector<ClientSnapshot>)> done);
    /// Those of these ids that are there, with the kernel's view of their sockets.
    void inspectClients(const std::vector<ClientId> &ids,
                        std::function<void(std::vector<ClientSnapshot>)> done);
    /// Closes the client with 1008; says whether it was there.
    void disconnectClient(ClientId id, std::function<void(bool)> done);
    /// All channels, a part of them a turn.
    void surveyChannels(std::function<void(std::vector<ChannelSnapshot>)> done);
    /// Forgets the channel's messages, and returns whether there is such a channel.
    /// Thread: any.
    bool clearHistory(const ChannelName &channel);

    /// The connections that are served at once: limits.connections, or fewer where the limit of open
    /// files leaves less room. 0 before listen().
    [[nodiscard]] int maxConnections() const;

    struct WorkerStats
    {
        int clients = 0;
        quint64 deliveries = 0;
        std::optional<std::chrono::nanoseconds> cpuTime;
        /// Of the last minute. Of a worker that hangs: at least as long as it has not answered.
        std::chrono::nanoseconds longestTurn{};
    };
    /// Thread: the hub's.
    [[nodiscard]] std::vector<WorkerStats> workerStats() const;
    /// Workers that hang: they have not answered for five seconds, and their clients wait. None of a
    /// relay that can serve.
    /// Thread: the hub's.
    [[nodiscard]] std::vector<StuckWorker> stuckWorkers(TimePoint now = Clock::now()) const;

    /// Sums what the workers have counted.
    /// Thread: any; costs the workers nothing.
    [[nodiscard]] RelaySnapshot counters() const;

Q_SIGNALS:
    /// A client has joined a channel, or listens to a pattern. Here and below `peer` is its address
    /// and port, `channel` the name or pattern, for people: the root is "/".
    void clientConnected(relay::ClientId client, const QString &peer, const QString &channel);
    /// Emitted for messages from clients, by WebSocket or POST, before they are relayed. Costs a
    /// copy of the payload only while connected to.
    void messageReceived(relay::ClientId client,
                         const QByteArray &payload,
                         relay::MessageKind kind,
                         const QString &channel);
    /// Emitted once for each clientConnected. `closeCode` is what the closing handshake settled on,
    /// 1006 without one, and 0 for an event stream that its client ended: such a stream has no code.
    void clientDisconnected(relay::ClientId client,
                            quint16 closeCode,
                            const QString &reason,
                            const QString &peer,
                            const QString &channel);
    /// More than half of limits.queueSize has begun to wait for the client; emitted again after it has
    /// caught up meanwhile. What then becomes of it is the slow-client policy's affair.
    void clientBecameSlow(relay::ClientId client, const QString &peer, const QString &channel);
    /// Emitted once, on the hub's thread, when close() is done and every worker has ended.
    void closed();

protected:
    void connectNotify(const QMetaMethod &signal) override;
    void disconnectNotify(const QMetaMethod &signal) override;

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace relay

Q_DECLARE_METATYPE(relay::MessageKind)
