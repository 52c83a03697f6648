#pragma once

#include "base/channel_name.h"
#include "base/ids.h"
#include "base/position.h"
#include "base/result.h"
#include "hub/options.h"
#include "metrics/relay_counters.h"

#include <QByteArray>
#include <QObject>

#include <chrono>
#include <memory>

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
    /// The port that is listened on; 0 before listen().
    [[nodiscard]] quint16 port() const;
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
    };
    /// Sends a message to everyone who listens to the channel, and keeps it in its history.
    /// Thread: any.
    [[nodiscard]] Receipt
    publish(const ChannelName &channel, const QByteArray &payload, MessageKind kind);
    /// The same for the root channel.
    [[nodiscard]] Published publish(const QByteArray &payload, MessageKind kind);

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

    /// Sums what the workers have counted.
    /// Thread: any; costs the workers nothing.
    [[nodiscard]] RelaySnapshot counters() const;

Q_SIGNALS:
    /// A client has joined a channel, or listens to a pattern.
    void clientConnected(relay::ClientId client, const QString &peer, const QString &channel);
    /// Emitted for messages from clients, by WebSocket or POST, before they are relayed. Costs a
    /// copy of the payload only while connected to.
    void messageReceived(relay::ClientId client,
                         const QByteArray &payload,
                         relay::MessageKind kind,
                         const QString &channel);
    /// Emitted once for each clientConnected. `closeCode` is what the closing handshake settled on,
    /// 1006 without one; an event stream that its client ended says 1005.
    void clientDisconnected(relay::ClientId client, quint16 closeCode, const QString &reason);
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
