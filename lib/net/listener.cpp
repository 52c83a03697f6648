#include "net/listener.h"

#include <QHostAddress>
#include <QLoggingCategory>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>

Q_LOGGING_CATEGORY(lcListener, "relay.net")

namespace relay {

namespace {

/// How long the accepting thread waits for descriptors to be closed elsewhere: short beside a
/// client's patience, long beside a turn.
constexpr std::chrono::milliseconds kRetry{100};

QString explain(QAbstractSocket::SocketError error, const QString &where, const QString &text)
{
    switch (error) {
    case QAbstractSocket::AddressInUseError:
        return QStringLiteral(
                   "cannot listen on %1: the port is in use. Is another relay running? Stop it, "
                   "or choose another server.port")
            .arg(where);
    case QAbstractSocket::SocketAddressNotAvailableError:
        return QStringLiteral(
                   "cannot listen on %1: this machine has no such address. Choose another "
                   "server.address (127.0.0.1, 0.0.0.0, ::)")
            .arg(where);
    case QAbstractSocket::SocketAccessError:
        return QStringLiteral("cannot listen on %1: not permitted. Ports below 1024 need the right "
                              "CAP_NET_BIND_SERVICE; choose another server.port")
            .arg(where);
    default:
        return QStringLiteral("cannot listen on %1: %2").arg(where, text);
    }
}

} // namespace

Listener::Listener(std::function<void(SocketHandle)> onAccepted)
    : m_onAccepted(std::move(onAccepted))
{
    setListenBacklogSize(kBacklog);
    setMaxPendingConnections(kBacklog);
    m_retry.setSingleShot(true);
    m_retry.setInterval(kRetry);
    connect(&m_retry, &QTimer::timeout, this, [this] { resumeAccepting(); });
    // QTcpServer stops accepting when accept(2) fails for want of descriptors.
    connect(this, &QTcpServer::acceptError, this,
            [this] {
                qCWarning(lcListener)
                    << "accept failed:" << qPrintable(errorString())
                    << "- trying again; raise the limit of open files (ulimit -n) or lower "
                       "limits.connections";
                m_retry.start();
            });
}

Outcome Listener::listen(const QString &address, quint16 port)
{
    QHostAddress host;
    if (!host.setAddress(address)) {
        return Error{
            QStringLiteral("server.address: \"%1\" is not an IP address (127.0.0.1, 0.0.0.0, ::)")
                .arg(address)};
    }
    if (!QTcpServer::listen(host, port)) {
        const QString where =
            (host.protocol() == QAbstractSocket::IPv6Protocol ? QStringLiteral("[%1]:%2")
                                                              : QStringLiteral("%1:%2"))
                .arg(address, QString::number(port));
        return Error{explain(serverError(), where, errorString())};
    }
    // What a turn brings goes out at once: waiting for more (Nagle) would only delay it. Linux
    // hands the option on to the sockets that are accepted.
    const int on = 1;
    ::setsockopt(static_cast<int>(socketDescriptor()), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return success();
}

void Listener::close()
{
    m_retry.stop();
    QTcpServer::close();
}

void Listener::incomingConnection(qintptr descriptor)
{
    m_onAccepted(SocketHandle(static_cast<int>(descriptor)));
}

} // namespace relay
