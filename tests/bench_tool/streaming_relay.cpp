#include "streaming_relay.h"

#include <QTcpSocket>
#include <QUrlQuery>
#include <QWebSocket>

#include <algorithm>
#include <utility>

namespace {

QByteArray epochText(quint64 epoch)
{
    return QByteArray::number(epoch, 16).rightJustified(12, '0');
}

template <typename Position>
QByteArray positionText(const Position &position)
{
    return epochText(position.epoch) + '-' + QByteArray::number(position.offset);
}

/// The value of a request's header field, empty if it has none.
QByteArray field(const QByteArray &head, const QByteArray &name)
{
    for (const QByteArray &line : head.split('\n')) {
        const qsizetype colon = line.indexOf(':');
        if (line.left(colon).compare(name, Qt::CaseInsensitive) == 0) {
            return line.mid(colon + 1).trimmed();
        }
    }
    return {};
}

QString pathOf(const QByteArray &head)
{
    return QUrl(QString::fromLatin1(head.split(' ').value(1))).path();
}

} // namespace

StreamingRelay::StreamingRelay(Fault fault, Framing framing)
    : m_fault(fault)
    , m_framing(framing)
    , m_webSockets(QStringLiteral("streaming"), QWebSocketServer::NonSecureMode)
{
    if (m_fault != KnowsNoPositions) {
        m_webSockets.setSupportedSubprotocols({QStringLiteral("relay.meta")});
    }
    m_server.listen(QHostAddress::LocalHost);
    connect(&m_server, &QTcpServer::newConnection, this, [this] {
        while (QTcpSocket *socket = m_server.nextPendingConnection()) {
            connect(socket, &QTcpSocket::readyRead, this, [this, socket] { onConnection(socket); });
        }
    });
    connect(&m_webSockets, &QWebSocketServer::newConnection, this, [this] { onWebSocket(); });
}

StreamingRelay::~StreamingRelay() = default;

QString StreamingRelay::url(const char *target) const
{
    return QStringLiteral("ws://127.0.0.1:%1%2")
        .arg(m_server.serverPort())
        .arg(QLatin1String(target));
}

QStringList StreamingRelay::channels() const
{
    QStringList names = m_channels.keys();
    names.sort();
    return names;
}

StreamingRelay::Channel &StreamingRelay::channel(const QString &name)
{
    Channel &found = m_channels[m_fault == OneRoom ? QString() : name];
    if (found.last.epoch == 0) {
        found.last.epoch = 0xABCDEF + static_cast<quint64>(m_channels.size());
    }
    return found;
}

void StreamingRelay::onConnection(QTcpSocket *socket)
{
    const QByteArray head = socket->peek(16384);
    if (!head.contains("\r\n\r\n")) {
        return;
    }
    disconnect(socket, &QTcpSocket::readyRead, this, nullptr);
    const bool isReturn = head.contains("since=") || !field(head, "Last-Event-ID").isEmpty();
    if (m_fault == RefusesReturns && isReturn) {
        socket->write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        socket->disconnectFromHost();
    } else if (field(head, "Accept") == "text/event-stream") {
        socket->readAll();
        onEventSource(socket, head);
    } else {
        m_webSockets.handleConnection(socket);
    }
}

void StreamingRelay::onWebSocket()
{
    QWebSocket *const socket = m_webSockets.nextPendingConnection();
    socket->setParent(this);
    const QString name = socket->requestUrl().path();
    const QUrlQuery query(socket->requestUrl());
    const bool isMeta = !socket->subprotocol().isEmpty();
    connect(socket, &QWebSocket::textMessageReceived, this,
            [this, name](const QString &message) { publish(name, message.toUtf8()); });

    Member member{.socket = socket};
    member.send = [socket, isMeta](const Message &message) {
        const QByteArray head = R"({"epoch":")" + epochText(message.position.epoch)
                                + R"(","offset":)" + QByteArray::number(message.position.offset)
                                + R"(,"time":1764000000000})" + '\n';
        socket->sendTextMessage(QString::fromUtf8(isMeta ? head + message.text : message.text));
    };
    const auto greet = [socket, name, isMeta](const Position &position, const QByteArray &more) {
        if (isMeta) {
            const QByteArray line = R"({"channel":")" + name.toUtf8() + R"(","position":")"
                                    + positionText(position) + R"(","clients":3)" + more + "}\n";
            socket->sendTextMessage(QString::fromUtf8(line));
        }
    };
    member.greet = [greet](const Position &position) { greet(position, {}); };
    member.tellGap = [greet](const Position &to) {
        greet(to, R"(,"gap":{"from":null,"to":")" + positionText(to) + R"("})");
    };
    connect(socket, &QWebSocket::disconnected, socket, &QObject::deleteLater);
    join(name, member, query.queryItemValue(QStringLiteral("since")).toLatin1());
}

void StreamingRelay::onEventSource(QTcpSocket *socket, const QByteArray &head)
{
    const bool isChunked = m_framing == Chunked;
    socket->write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n");
    socket->write(isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Connection: close\r\n\r\n");
    const auto write = [socket, isChunked](const QByteArray &text) {
        socket->write(isChunked ? QByteArray::number(text.size(), 16) + "\r\n" + text + "\r\n"
                                : text);
    };
    const bool hasIds = m_fault != KnowsNoPositions;
    Member member{.socket = socket, .isStream = true};
    member.send = [write, hasIds](const Message &message) {
        const QByteArray id = "id: " + positionText(message.position) + '\n';
        write((hasIds ? id : QByteArray()) + "data: " + message.text + "\n\n");
    };
    member.greet = [write, hasIds](const Position &position) {
        const QByteArray id = "id: " + positionText(position) + '\n';
        write("retry: 1000\n" + (hasIds ? id : QByteArray()) + "\n: a comment\n\n");
    };
    member.tellGap = [write](const Position &to) {
        write("id: " + positionText(to) + "\nevent: gap\ndata: {\"from\":null,\"to\":\""
              + positionText(to) + "\"}\n\n");
    };
    connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    join(pathOf(head), member, field(head, "Last-Event-ID"));
}

void StreamingRelay::join(const QString &name, const Member &member, const QByteArray &since)
{
    Channel &joined = channel(name);
    if (since.isEmpty()) {
        member.greet(joined.last);
    } else if (m_fault == TellsGaps) {
        member.tellGap(joined.last);
    } else if (const quint64 after = since.split('-').value(1).toULongLong();
               m_fault != HidesGaps || after == joined.last.offset)
    {
        member.greet({.epoch = joined.last.epoch, .offset = after});
        resume(joined, member, after);
    } else {
        member.greet({.epoch = joined.last.epoch, .offset = after});
    }
    joined.members << member;
    connect(member.socket, &QObject::destroyed, this, [this, name](QObject *socket) {
        const auto isIt = [socket](const Member &one) { return one.socket == socket; };
        QList<Member> &members = channel(name).members;
        members.erase(std::remove_if(members.begin(), members.end(), isIt), members.end());
    });
}

void StreamingRelay::resume(const Channel &channel, const Member &member, quint64 after)
{
    const bool hasMore = channel.last.offset > after && after > 20; // not the probes
    quint64 from = after;
    if (hasMore && m_fault == LosesOneOnResume && !std::exchange(m_hasFailed, true)) {
        ++from;
    } else if (hasMore && m_fault == RepeatsOnResume && !std::exchange(m_hasFailed, true)) {
        --from;
    }
    for (const Message &message : channel.history) {
        if (message.position.offset > from) {
            member.send(message);
        }
    }
}

void StreamingRelay::publish(const QString &name, const QByteArray &text)
{
    Channel &to = channel(name);
    ++to.last.offset;
    if (m_fault == ChangesEpoch && to.last.offset == 50) {
        ++to.last.epoch;
    }
    const Message message{.position = to.last, .text = text};
    to.history << message;
    const bool isLost = m_fault == LosesOneOfAStream && to.last.offset == 10;
    for (const Member &member : std::as_const(to.members)) {
        if (!isLost || !member.isStream) {
            member.send(message);
        }
    }
}
