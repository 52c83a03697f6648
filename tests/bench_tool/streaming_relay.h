#pragma once

#include <QHash>
#include <QList>
#include <QTcpServer>
#include <QWebSocketServer>

#include <functional>

class QTcpSocket;
class QWebSocket;

/// A relay in this process that knows channels, positions, resuming and EventSource, and has one
/// fault, which relay-bench has to find. It speaks as relayd does: `relay.meta` with its head
/// lines, ?since= and Last-Event-ID.
///
/// Thread: its owner's.
/// Limits: keeps every message; only for short runs.
class StreamingRelay : public QObject
{
    Q_OBJECT
    Q_DISABLE_COPY_MOVE(StreamingRelay)

public:
    enum Fault {
        None,
        OneRoom,           ///< every URL is the same channel
        LosesOneOnResume,  ///< once, the first of what it replays
        RepeatsOnResume,   ///< once, the message before what it replays
        TellsGaps,         ///< replays nothing, and says so
        HidesGaps,         ///< replays nothing, and does not say so
        ChangesEpoch,      ///< once, in the middle of a connection
        RefusesReturns,    ///< 404 for who wants to resume
        KnowsNoPositions,  ///< neither relay.meta nor ids
        LosesOneOfAStream, ///< an EventSource misses message 10
    };
    enum Framing {
        Chunked,
        UntilTheEnd
    };

    explicit StreamingRelay(Fault fault, Framing framing = Chunked);
    ~StreamingRelay() override;

    [[nodiscard]] QString url(const char *target = "/") const;
    /// The channels that were asked for, in the order of their names.
    [[nodiscard]] QStringList channels() const;

private:
    struct Position
    {
        quint64 epoch = 0;
        quint64 offset = 0;
    };
    struct Message
    {
        Position position;
        QByteArray text;
    };
    /// Somebody who listens. How it is told depends on its medium.
    struct Member
    {
        QObject *socket = nullptr;
        std::function<void(const Message &)> send{};
        std::function<void(const Position &)> greet{};
        std::function<void(const Position &)> tellGap{};
        bool isStream = false;
    };
    struct Channel
    {
        Position last;
        QList<Message> history;
        QList<Member> members;
    };

    void onConnection(QTcpSocket *socket);
    void onWebSocket();
    void onEventSource(QTcpSocket *socket, const QByteArray &head);
    void join(const QString &name, const Member &member, const QByteArray &since);
    void resume(const Channel &channel, const Member &member, quint64 after);
    void publish(const QString &name, const QByteArray &text);
    Channel &channel(const QString &name);

    Fault m_fault;
    Framing m_framing;
    bool m_hasFailed = false; ///< the fault that happens once has happened
    QTcpServer m_server;
    QWebSocketServer m_webSockets;
    QHash<QString, Channel> m_channels;
};
