#include "ops/ops_server.h"

#include "base/logging.h"
#include "ops/http_connection.h"

#include <QHostAddress>
#include <QTcpSocket>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcOpsPort, "relay.ops")

/// QTcpServer stops accepting for good when accept() fails (too few descriptors); this long after
/// it is tried again.
constexpr std::chrono::milliseconds kAcceptAgainAfter{1000};

/// What to do about an address that cannot be listened on.
QString advice(const QTcpServer &server)
{
    switch (server.serverError()) {
    case QAbstractSocket::AddressInUseError:
        return QStringLiteral(
            "the address is in use: another relay may be running; choose another metrics.port");
    case QAbstractSocket::SocketAccessError:
        return QStringLiteral("not permitted: choose a metrics.port of 1024 or above");
    case QAbstractSocket::SocketAddressNotAvailableError:
        return QStringLiteral("this machine has no such address: choose another metrics.address");
    default:
        return server.errorString();
    }
}

HttpResponse readinessAnswer(OpsServer::Readiness readiness)
{
    switch (readiness) {
    case OpsServer::Readiness::Ready:
        return plainResponse(200, "ready");
    case OpsServer::Readiness::Draining:
        return plainResponse(503, "draining");
    case OpsServer::Readiness::Stopping:
        return plainResponse(503, "stopping");
    case OpsServer::Readiness::Starting:
        break;
    }
    return plainResponse(503, "starting");
}

} // namespace

OpsServer::OpsServer(OpsOptions options, MetricsSource metrics, QObject *parent)
    : QObject(parent)
    , m_options(std::move(options))
    , m_metrics(std::move(metrics))
    , m_router(Access(m_options.token,
                      QHostAddress(m_options.address).isLoopback(),
                      m_options.readWithoutToken))
{
    addRoutes();
    m_acceptAgain.setSingleShot(true);
    m_acceptAgain.setInterval(kAcceptAgainAfter);
    connect(&m_server, &QTcpServer::newConnection, this, &OpsServer::acceptPending);
    connect(&m_server, &QTcpServer::acceptError, this, &OpsServer::acceptFailed);
    connect(&m_acceptAgain, &QTimer::timeout, this, [this] { m_server.resumeAccepting(); });
}

Outcome OpsServer::listen()
{
    if (!m_options.enabled) {
        return success();
    }
    const QHostAddress address(m_options.address);
    if (address.isNull()) {
        return Error{
            QStringLiteral(
                "metrics.address \"%1\" is not an IP address: 127.0.0.1 is this machine only, "
                "0.0.0.0 and :: are all of its addresses")
                .arg(m_options.address)};
    }
    if (!address.isLoopback() && m_options.token.isEmpty()) {
        return Error{QStringLiteral(
                         "metrics.address: other machines can reach %1, and there is no token: set "
                         "ops.token_file, so that strangers cannot control the relay")
                         .arg(m_options.address)};
    }
    if (!m_server.listen(address, m_options.port)) {
        return Error{
            QStringLiteral("metrics.port %1 on %2: %3")
                .arg(QString::number(m_options.port), m_options.address, advice(m_server))};
    }
    return success();
}

quint16 OpsServer::port() const
{
    return m_server.serverPort();
}

void OpsServer::setReadiness(Readiness readiness)
{
    m_readiness = readiness;
}

void OpsServer::addRoute(Route route)
{
    m_router.add(std::move(route));
}

void OpsServer::addRoutes()
{
    addRoute({"GET", "/", "this list", answering([this](const RoutedRequest &) {
                  return plainResponse(200, m_router.index());
              })});
    addRoute({"GET", "/metrics", "every metric, for Prometheus",
              answering([this](const RoutedRequest &) {
                  HttpResponse response;
                  response.contentType = "text/plain; version=0.0.4; charset=utf-8";
                  response.body = QByteArray::fromStdString(renderMetrics(m_metrics()));
                  return response;
              })});
    addRoute(
        {"GET", "/-/healthz", "200 while all workers answer, else 503",
         answering([this](const RoutedRequest &) { return healthOr(plainResponse(200, "alive")); }),
         AccessKind::Health});
    addRoute({"GET", "/-/readyz", "200 when clients are accepted, else 503",
              answering(
                  [this](const RoutedRequest &) { return healthOr(readinessAnswer(m_readiness)); }),
              AccessKind::Health});
}

HttpResponse OpsServer::healthOr(const HttpResponse &healthy) const
{
    const QByteArray complaint = m_health();
    return complaint.isEmpty() ? healthy : plainResponse(503, complaint);
}

void OpsServer::acceptPending()
{
    while (QTcpSocket *pending = m_server.nextPendingConnection()) {
        std::unique_ptr<QTcpSocket> socket(pending);
        if (hasRoom()) {
            take(std::move(socket));
        }
    }
}

void OpsServer::take(std::unique_ptr<QTcpSocket> socket)
{
    const bool isServed = hasPlace();
    auto *connection =
        new HttpConnection(std::move(socket), m_router, m_options.limits.requestTimeout, this);
    m_connections.push_back(connection);
    connect(connection, &HttpConnection::ended, this, [this, connection] {
        std::erase(m_connections, connection);
        connection->deleteLater();
    });
    connection->serve(isServed ? HttpConnection::Service::All
                               : HttpConnection::Service::HealthOnly);
}

bool OpsServer::hasPlace()
{
    const auto served = std::count_if(
        m_connections.begin(), m_connections.end(), [](const HttpConnection *connection) {
            return connection->service() == HttpConnection::Service::All
                   && !connection->isLingering();
        });
    if (served < m_options.limits.maxConnections) {
        return true;
    }
    const auto oldest = m_connections; // the one that gives way leaves the list
    return std::any_of(oldest.begin(), oldest.end(), [](HttpConnection *connection) {
        return connection->service() == HttpConnection::Service::All
               && connection->giveWay(HttpConnection::kMaxIdleWhenFull);
    });
}

/// A connection that lingers has been answered, and gives way first. Of those beyond the limit, one that has not sent its
/// request gives way however short it has waited: a health check sends its own together with the connection.
bool OpsServer::hasRoom()
{
    if (connectionCount() < 2 * m_options.limits.maxConnections) {
        return true;
    }
    const auto oldest = m_connections; // the one that gives way leaves the list
    return std::any_of(oldest.begin(), oldest.end(),
                       [](HttpConnection *connection) { return connection->endLingering(); })
           || std::any_of(oldest.begin(), oldest.end(), [](HttpConnection *connection) {
                  return connection->service() == HttpConnection::Service::HealthOnly
                         && connection->giveWay(std::chrono::milliseconds(0));
              });
}

void OpsServer::acceptFailed()
{
    qCWarning(lcOpsPort, "cannot accept a connection to the ops port: %s",
              qPrintable(m_server.errorString()));
    m_acceptAgain.start();
}

} // namespace relay
