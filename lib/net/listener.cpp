#include "net/listener.h"

#include "net/listen_address.h"

#include <QLoggingCategory>
#include <QSocketNotifier>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

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

/// Whether accept4(2) failed because of the connection that it was about to give, which is gone;
/// the next may be good.
bool concernsOneConnection(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM: // a firewall's rule
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

} // namespace

Listener::Listener(std::function<void(Batch &)> onAccepted)
    : m_onAccepted(std::move(onAccepted))
{
    setListenBacklogSize(kBacklog);
    m_batch.reserve(kBatch);
    m_retry.setSingleShot(true);
    m_retry.setInterval(kRetry);
    connect(&m_retry, &QTimer::timeout, this, [this] { m_notifier->setEnabled(true); });
}

Listener::~Listener() = default;

Outcome Listener::listen(const QString &address, quint16 port)
{
    const auto host = ListenAddress::fromText(address);
    if (!host || host.value().isLocalBroadcast()) {
        return Error{QStringLiteral("server.address: \"%1\" %2")
                         .arg(address, host ? QString::fromLatin1(kBroadcastProblem)
                                            : host.error().message)};
    }
    if (!QTcpServer::listen(host.value().toHostAddress(), port)) {
        const QString where =
            (host.value().isV4() ? QStringLiteral("%1:%2") : QStringLiteral("[%1]:%2"))
                .arg(address, QString::number(port));
        return Error{explain(serverError(), where, errorString())};
    }
    const int descriptor = static_cast<int>(socketDescriptor());
    // What a turn brings goes out at once: waiting for more (Nagle) would only delay it. Linux
    // hands the option on to the sockets that are accepted.
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    pauseAccepting(); // QTcpServer's part ends here
    m_notifier = std::make_unique<QSocketNotifier>(descriptor, QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, [this] { acceptWaiting(); });
    return success();
}

void Listener::close()
{
    m_retry.stop();
    m_notifier.reset();
    QTcpServer::close();
}

void Listener::acceptWaiting()
{
    while (m_batch.size() < kBatch) {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        SocketHandle socket(::accept4(static_cast<int>(socketDescriptor()),
                                      reinterpret_cast<sockaddr *>(&peer), &length, SOCK_CLOEXEC));
        if (socket.get() >= 0) {
            m_isStarved = false;
            m_batch.push_back({std::move(socket), PeerAddress(peer)});
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (!concernsOneConnection(errno)) {
            pauseForDescriptors();
            break;
        }
    }
    if (!m_batch.empty()) {
        m_onAccepted(m_batch);
        m_batch.clear();
    }
}

void Listener::pauseForDescriptors()
{
    if (!std::exchange(m_isStarved, true)) {
        qCWarning(lcListener).noquote()
            << "accept failed:" << qt_error_string(errno)
            << "- trying again until it works; raise the limit of open files "
               "(ulimit -n) or lower limits.connections";
    }
    m_notifier->setEnabled(false);
    m_retry.start();
}

} // namespace relay
