#include "daemon.h"

#include "config/config_text.h"
#include "config/quantities.h"
#include "ops/hub_metrics.h"

#include <QHostAddress>
#include <QLoggingCategory>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcDaemon, "relay.app")

/// An IPv6 address stands in brackets in a URL.
QString url(const char *scheme, const QString &address, quint16 port, const char *path)
{
    const bool isIpv6 = QHostAddress(address).protocol() == QAbstractSocket::IPv6Protocol;
    return QStringLiteral("%1://%2:%3%4")
        .arg(QLatin1StringView(scheme),
             isIpv6 ? QLatin1Char('[') + address + QLatin1Char(']') : address)
        .arg(port)
        .arg(QLatin1StringView(path));
}

} // namespace

Daemon::Daemon(const Settings &settings, QObject *parent)
    : QObject(parent)
    , m_settings(settings)
    , m_hub(settings.hub)
    , m_opsServer(settings.metrics, metricsSource(m_hub))
    , m_adminApi(m_hub, m_opsServer, renderShownConfig(settings))
{
    m_opsServer.setHealthSource(healthSource(m_hub));
    connect(&m_hub, &Hub::closed, this, &Daemon::stopped);
}

Outcome Daemon::start()
{
    if (Outcome opsListening = m_opsServer.listen(); !opsListening) {
        return opsListening;
    }
    if (Outcome hubListening = m_hub.listen(); !hubListening) {
        return hubListening;
    }
    m_opsServer.setReadiness(OpsServer::Readiness::Ready);
    qCInfo(lcDaemon).noquote() << "listening on"
                               << url(m_settings.hub.tls ? "wss" : "ws", m_settings.hub.address,
                                      m_hub.port(), "/");
    if (m_settings.metrics.enabled) {
        qCInfo(lcDaemon).noquote()
            << "metrics at"
            << url("http", m_settings.metrics.address, m_opsServer.port(), "/metrics");
    }
    return success();
}

void Daemon::stop()
{
    m_opsServer.setReadiness(OpsServer::Readiness::Stopping);
    qCInfo(lcDaemon).noquote() << "stopping:" << m_hub.clientCount() << "clients have up to"
                               << formatDuration(m_settings.shutdownTimeout);
    m_hub.close(m_settings.shutdownTimeout);
}

} // namespace relay
