#include "gui/relay/embedded_relay.h"

#include "base/logging.h"
#include "config/config_text.h"
#include "config/ops_token.h"
#include "config/secrets.h"
#include "hub/hub.h"
#include "net/epoll_dispatcher.h"
#include "net/listen_address.h"
#include "net/open_file_limit.h"
#include "ops/admin_api.h"
#include "ops/hub_metrics.h"
#include "ops/ops_server.h"

#include <QEventLoop>
#include <QLoggingCategory>
#include <QRandomGenerator>

#include <array>
#include <utility>

namespace relay::gui {

struct EmbeddedRelay::Parts
{
    Parts(const Settings &settings, const OpsOptions &ops)
        : hub(settings.hub)
        , opsServer(ops, metricsSource(hub))
        , adminApi(hub, opsServer, renderShownConfig(settings))
    {
        opsServer.setHealthSource(healthSource(hub));
    }

    Hub hub;
    OpsServer opsServer;
    AdminApi adminApi;
};

namespace {

Q_LOGGING_CATEGORY(lcEmbedded, "relay.embedded")

QByteArray randomToken()
{
    std::array<quint32, 8> words{};
    QRandomGenerator::system()->fillRange(words.data(), static_cast<qsizetype>(words.size()));
    return QByteArray(reinterpret_cast<const char *>(words.data()), sizeof words).toHex();
}

/// The stream, and the connections that QNetworkAccessManager opens to one host.
constexpr int kConnectionsOfTheWindow = 8;

OpsOptions privateOps()
{
    OpsOptions ops;
    ops.port = 0;
    ops.token = randomToken();
    return ops;
}

/// The address at which this machine reaches a server that listens on `address`.
QString reachable(const QString &address)
{
    const auto listening = ListenAddress::fromText(address);
    return listening && listening.value().isAny() ? QStringLiteral("127.0.0.1") : address;
}

} // namespace

EmbeddedRelay::EmbeddedRelay()
{
    m_thread.setObjectName(QStringLiteral("embedded relay"));
    m_thread.setEventDispatcher(new EpollDispatcher); // taken over
    m_thread.start();
}

EmbeddedRelay::~EmbeddedRelay()
{
    QMetaObject::invokeMethod(
        m_thread.eventDispatcher(), [this] { close(); }, Qt::BlockingQueuedConnection);
    m_thread.quit();
    m_thread.wait();
}

Result<std::shared_ptr<EmbeddedRelay>> EmbeddedRelay::start(Settings settings, OpsPort opsPort)
{
    if (opsPort == OpsPort::Private) {
        settings.ops = {};
        settings.metrics.enabled = false;
    }
    if (const Outcome loaded = loadSecrets(settings); !loaded) {
        return loaded.error();
    }
    installLogging(settings.logging);
    if (const auto complaint = complainOfTokenFile(settings.ops)) {
        qWarning("%s", qPrintable(*complaint));
    }
    if (const Outcome raised = raiseOpenFileLimit(); !raised) {
        qWarning("%s", qPrintable(raised.error().message)); // fewer clients, but a relay
    }
    const std::shared_ptr<EmbeddedRelay> relay(new EmbeddedRelay); // its constructor is private
    Outcome opened = success();
    // Opening two ports is a matter of a millisecond.
    QMetaObject::invokeMethod(
        relay->m_thread.eventDispatcher(), [&] { opened = relay->open(settings); },
        Qt::BlockingQueuedConnection);
    if (!opened) {
        return opened.error();
    }
    return relay;
}

void EmbeddedRelay::close()
{
    if (m_parts && m_parts->hub.isListening()) {
        QEventLoop untilClosed;
        QObject::connect(&m_parts->hub, &Hub::closed, &untilClosed, &QEventLoop::quit);
        m_parts->hub.close(kMaxCloseTime);
        untilClosed.exec();
    }
    m_parts.reset();
}

Outcome EmbeddedRelay::open(const Settings &settings)
{
    OpsOptions ops = settings.metrics.enabled ? settings.metrics : privateOps();
    ops.limits.maxConnections += kConnectionsOfTheWindow;
    m_parts = std::make_unique<Parts>(settings, ops);
    if (Outcome listening = m_parts->hub.listen(); !listening) {
        return listening;
    }
    if (Outcome listening = m_parts->opsServer.listen(); !listening) {
        return listening;
    }
    m_parts->opsServer.setReadiness(OpsServer::Readiness::Ready);
    m_endpoint.token = ops.token;
    m_endpoint.url.setScheme(QStringLiteral("http"));
    m_endpoint.url.setHost(reachable(ops.address));
    m_endpoint.url.setPort(m_parts->opsServer.port());
    m_clientUrl.setScheme(m_parts->hub.usesTls() ? QStringLiteral("wss") : QStringLiteral("ws"));
    m_clientUrl.setHost(settings.hub.address);
    m_clientUrl.setPort(m_parts->hub.port());
    m_clientUrl.setPath(QStringLiteral("/"));
    qCInfo(lcEmbedded).noquote() << "listening on" << m_clientUrl.toDisplayString();
    if (settings.metrics.enabled) {
        qCInfo(lcEmbedded).noquote()
            << "metrics at" << m_endpoint.url.toDisplayString() + QStringLiteral("/metrics");
    }
    return success();
}

EmbeddedRelaySource::EmbeddedRelaySource(std::shared_ptr<EmbeddedRelay> relay, QObject *parent)
    : RemoteRelay(relay->endpoint(), parent)
    , m_relay(std::move(relay))
{}

QString EmbeddedRelaySource::title() const
{
    return tr("%1 (in this program)").arg(m_relay->clientUrl().toDisplayString());
}

} // namespace relay::gui
