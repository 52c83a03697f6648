#pragma once

#include "base/result.h"
#include "metrics/catalogue.h"
#include "ops/ops_options.h"
#include "ops/router.h"

#include <QObject>
#include <QTcpServer>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

namespace relay {

class HttpConnection;

/// The port for those who run the relay: metrics for Prometheus and health checks for whatever
/// restarts it.
///
///     GET /            a list of these
///     GET /metrics     every metric, as text
///     GET /-/healthz   200 while the process and all its workers answer, else 503 with the reason
///     GET /-/readyz    200 when the relay also accepts clients, 503 when it does not (yet, or any more)
///
/// Thread: main.
/// Owner: the program. The destructor closes all connections.
/// Limits: OpsOptions::limits; memory for a connection is one request and one answer.
/// Errors: listen() returns them; a connection's errors end only that connection.
class OpsServer : public QObject
{
    Q_OBJECT

public:
    using MetricsSource = std::function<MetricsInput()>;

    /// `metrics` is called once for each GET /metrics.
    OpsServer(OpsOptions options, MetricsSource metrics, QObject *parent = nullptr);

    /// Starts to accept; does nothing when the options say that the port is not enabled. Call once.
    Outcome listen();

    /// The port that is listened on; 0 when none is.
    [[nodiscard]] quint16 port() const;

    enum class Readiness : quint8 {
        Starting,
        Ready,
        Draining, ///< serves who is there, and takes nobody
        Stopping
    };
    using HealthSource = std::function<QByteArray()>;
    /// `health` is called for each health check. When it returns a text, the answer is 503 with it.
    void setHealthSource(HealthSource health) { m_health = std::move(health); }

    /// What /-/readyz answers; at first Starting.
    void setReadiness(Readiness readiness);

    /// Adds an answer of another part. Call before listen().
    void addRoute(Route route);

    /// OpsOptions::limits' maxConnections.
    [[nodiscard]] int maxConnections() const { return m_options.limits.maxConnections; }

    /// Connections that are open, those that are being refused included.
    [[nodiscard]] int connectionCount() const { return static_cast<int>(m_connections.size()); }

private:
    void addRoutes();
    [[nodiscard]] HttpResponse healthOr(const HttpResponse &healthy) const;
    void acceptPending();
    void take(std::unique_ptr<QTcpSocket> socket);
    /// Whether one more may be served in full: there is a place, or an idle connection has given its own up.
    [[nodiscard]] bool hasPlace();
    /// Whether one more may be accepted at all: as above, of all places.
    [[nodiscard]] bool hasRoom();
    void acceptFailed();

    OpsOptions m_options;
    MetricsSource m_metrics;
    HealthSource m_health = [] { return QByteArray(); };
    Router m_router;
    QTcpServer m_server;
    QTimer m_acceptAgain;
    std::vector<HttpConnection *> m_connections; // children, the oldest first
    Readiness m_readiness = Readiness::Starting;
};

} // namespace relay
