#include "gui/relay/remote_relay.h"

#include "gui/look/foreign_text.h"

#include <QCoreApplication>
#include <QHostAddress>
#include <QJsonDocument>
#include <QNetworkInterface>
#include <QNetworkReply>
#include <QUrlQuery>

#include <algorithm>
#include <utility>

namespace relay::gui {

namespace {

constexpr int kMaxPort = 65535;

struct RemoteWords
{
    Q_DECLARE_TR_FUNCTIONS(RemoteRelay)
};

QByteArray toQuery(const TableQuery &query)
{
    QByteArray text =
        "offset=" + QByteArray::number(query.offset) + "&limit=" + QByteArray::number(query.limit);
    if (!query.sort.isEmpty()) {
        text += "&sort=" + query.sort + (query.isDescending ? "&order=desc" : "&order=asc");
    }
    if (!query.filter.isEmpty()) {
        text += "&filter=" + QUrl::toPercentEncoding(query.filter);
    }
    return text;
}

/// A channel as a path names it: its slashes stay slashes, and the root, shown as "/", is "%2F".
QByteArray encodedChannel(const QString &channel)
{
    if (channel.isEmpty() || channel == QLatin1String("/")) {
        return "%2F";
    }
    return QUrl::toPercentEncoding(channel, "/*");
}

/// What the relay itself says is wrong, if it does: {"error":…,"message":…}.
QString messageIn(const QByteArray &body)
{
    return visibleWord(
        QJsonDocument::fromJson(body).object().value(QLatin1String("message")).toString());
}

/// The host at which clients reach a relay that listens for them on `address`, as seen from here.
QString clientHost(const QString &opsHost, const QString &address)
{
    const QHostAddress listening(address);
    const bool isEverywhere = listening == QHostAddress(QHostAddress::AnyIPv4)
                              || listening == QHostAddress(QHostAddress::AnyIPv6);
    if (listening.isNull() || isEverywhere) {
        return opsHost;
    }
    if (QHostAddress(opsHost).isLoopback() || opsHost == QLatin1String("localhost")) {
        // The relay is on this machine, or a tunnel to it begins here.
        const bool isHere =
            listening.isLoopback() || QNetworkInterface::allAddresses().contains(listening);
        return isHere ? address : opsHost;
    }
    return listening.isLoopback() ? opsHost : address;
}

/// A web server may answer any path with a page.
bool isEventStream(const QNetworkReply &reply)
{
    return reply.header(QNetworkRequest::ContentTypeHeader)
        .toString()
        .startsWith(QLatin1String("text/event-stream"), Qt::CaseInsensitive);
}

QString problemOf(const QNetworkReply &reply, const QByteArray &body)
{
    const int status = reply.attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (status == 401) {
        return reply.request().hasRawHeader("Authorization")
                   ? RemoteWords::tr(
                       "the relay refuses this token: it must be the relay's ops.token")
                   : RemoteWords::tr(
                       "the relay needs its token: name the token's file on the start page (File, "
                       "Other relay) or with --token-file");
    }
    if (status == 404 && messageIn(body).isEmpty()) {
        return RemoteWords::tr("there is no admin API at this address (404)");
    }
    if (status >= 300) {
        const QString message = messageIn(body);
        return message.isEmpty() ? RemoteWords::tr("the relay answered with status %1").arg(status)
                                 : message;
    }
    switch (reply.error()) {
    case QNetworkReply::ConnectionRefusedError:
        return RemoteWords::tr("nothing listens there (connection refused)");
    case QNetworkReply::RemoteHostClosedError:
        return RemoteWords::tr("the connection was closed");
    case QNetworkReply::HostNotFoundError:
        return RemoteWords::tr("the host is unknown");
    case QNetworkReply::TimeoutError:
    case QNetworkReply::OperationCanceledError:
        return RemoteWords::tr("there is no answer");
    case QNetworkReply::NoError:
        return RemoteWords::tr("the connection was closed");
    default:
        return reply.errorString();
    }
}

/// Turns the JSON of an answer into a struct for the caller.
template <JsonStruct T>
std::function<void(Result<QJsonObject>)> readingAs(RelaySource::Done<T> done)
{
    return [done = std::move(done)](const Result<QJsonObject> &answer) {
        if (!answer) {
            done(answer.error());
            return;
        }
        Result<T> value = fromJson<T>(answer.value());
        if (!value) {
            done(Error{RemoteWords::tr("this program does not understand the relay's answer: %1")
                           .arg(value.error().message)});
            return;
        }
        done(std::move(value));
    };
}

std::function<void(Result<QJsonObject>)> ignoringBody(RelaySource::Done<std::monostate> done)
{
    return [done = std::move(done)](const Result<QJsonObject> &answer) {
        done(answer ? success() : Outcome(answer.error()));
    };
}

} // namespace

RemoteRelay::RemoteRelay(Endpoint endpoint, Times times, QObject *parent)
    : RelaySource(parent)
    , m_endpoint(std::move(endpoint))
    , m_times(times)
    , m_nextRetry(times.firstRetry)
{
    m_network.setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
    m_retry.setSingleShot(true);
    connect(&m_retry, &QTimer::timeout, this, &RemoteRelay::openStream);
    m_silence.setSingleShot(true);
    m_silence.setInterval(m_times.silence);
    connect(&m_silence, &QTimer::timeout, this,
            [this] { setGone(tr("no data for %1 s").arg(m_times.silence.count() / 1000)); });
    m_link.since = QDateTime::currentDateTime();
}

RemoteRelay::RemoteRelay(Endpoint endpoint, QObject *parent)
    : RemoteRelay(std::move(endpoint), Times(), parent)
{}

RemoteRelay::~RemoteRelay() = default;

QString RemoteRelay::title() const
{
    return m_endpoint.url.toDisplayString(QUrl::StripTrailingSlash);
}

void RemoteRelay::start()
{
    openStream();
}

void RemoteRelay::retryNow()
{
    if (m_retry.isActive()) {
        m_nextRetry = m_times.firstRetry;
        m_retry.stop();
        openStream();
    }
}

QUrl RemoteRelay::channelUrl(const QString &channel) const
{
    QUrl url = m_clientUrl;
    if (url.isEmpty()) {
        return url;
    }
    const bool isRoot = channel.isEmpty() || channel == QLatin1String("/");
    url.setPath(isRoot ? QStringLiteral("/")
                       : QLatin1Char('/')
                             + QString::fromLatin1(QUrl::toPercentEncoding(channel, "/*")),
                QUrl::StrictMode);
    return url;
}

// The stream

void RemoteRelay::openStream()
{
    m_link.retryAt = QDateTime();
    Q_EMIT linkChanged(m_link);
    m_parser.reset();
    QNetworkRequest request = requestTo("/-/api/stream", {});
    request.setRawHeader("Accept", "text/event-stream");
    request.setAttribute(QNetworkRequest::CacheLoadControlAttribute,
                         QNetworkRequest::AlwaysNetwork);
    request.setTransferTimeout(0); // it has no end; m_silence watches it
    m_stream = m_network.get(request);
    m_stream->setReadBufferSize(kReadAtOnce);
    connect(m_stream, &QNetworkReply::readyRead, this, &RemoteRelay::readStream);
    connect(m_stream, &QNetworkReply::finished, this, &RemoteRelay::streamEnded);
    m_silence.start();
}

void RemoteRelay::readStream()
{
    if (m_stream->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt() != 200) {
        if (m_stream->bytesAvailable() >= kReadAtOnce) {
            streamEnded(); // its words may have no end
        }
        return; // streamEnded() reads what is wrong
    }
    if (!isEventStream(*m_stream)) {
        setGone(tr("there is no admin API at this address"));
        return;
    }
    // A receiver of our signals may let this relay go.
    const QPointer<RemoteRelay> alive(this);
    const QList<StreamEvent> events = m_parser.feed(m_stream->readAll());
    for (const StreamEvent &event : events) {
        take(event);
        if (alive.isNull() || m_stream == nullptr) {
            return;
        }
    }
}

void RemoteRelay::streamEnded()
{
    setGone(problemOf(*m_stream, m_stream->peek(kReadAtOnce)));
}

void RemoteRelay::take(const StreamEvent &event)
{
    const QJsonObject object = QJsonDocument::fromJson(event.data).object();
    if (event.type != "overview") {
        if (const auto happened = fromJson<RelayEvent>(object)) {
            Q_EMIT eventHappened(happened.value());
        }
        return;
    }
    const auto overview = fromJson<Overview>(object);
    if (!overview) {
        setGone(tr("it uses another version of the admin API: %1").arg(overview.error().message));
        return;
    }
    m_silence.start();
    noteClientPort(overview.value());
    setLive();
    Overview withoutUs = overview.value();
    withoutUs.clients = std::max(0, withoutUs.clients - ownClients());
    withoutUs.eventStreams = std::max(0, withoutUs.eventStreams - ownClients());
    Q_EMIT overviewChanged(withoutUs);
}

void RemoteRelay::noteClientPort(const Overview &overview)
{
    m_clientUrl.clear();
    if (overview.port > 0 && overview.port <= kMaxPort) {
        m_clientUrl.setScheme(overview.tls ? QStringLiteral("https") : QStringLiteral("http"));
        m_clientUrl.setHost(
            clientHost(m_endpoint.url.host(), overview.address.value_or(QString())));
        m_clientUrl.setPort(overview.port);
    }
}

void RemoteRelay::setLive()
{
    m_nextRetry = m_times.firstRetry;
    if (m_link.link != LinkState::Link::Live) {
        m_link = {LinkState::Link::Live, QDateTime::currentDateTime(), {}, {}};
        Q_EMIT linkChanged(m_link);
    }
}

void RemoteRelay::setGone(const QString &problem)
{
    m_silence.stop();
    if (QNetworkReply *stream = std::exchange(m_stream, nullptr)) {
        stream->disconnect(this);
        stream->abort();
        stream->deleteLater();
    }
    const QDateTime now = QDateTime::currentDateTime();
    if (m_link.link != LinkState::Link::Gone) {
        m_link.since = now;
    }
    m_link.link = LinkState::Link::Gone;
    m_link.problem = problem;
    m_link.retryAt = now.addMSecs(m_nextRetry.count());
    m_retry.start(m_nextRetry);
    m_nextRetry = std::min(m_nextRetry * 2, m_times.lastRetry);
    Q_EMIT linkChanged(m_link);
}

// Requests

QNetworkRequest RemoteRelay::requestTo(const QByteArray &path, const QByteArray &query) const
{
    QUrl url = m_endpoint.url;
    url.setPath(QString::fromLatin1(path), QUrl::StrictMode);
    if (!query.isEmpty()) {
        url.setQuery(QString::fromLatin1(query), QUrl::StrictMode);
    }
    QNetworkRequest request(url);
    if (!m_endpoint.token.isEmpty()) {
        request.setRawHeader("Authorization", "Bearer " + m_endpoint.token);
    }
    request.setTransferTimeout(static_cast<int>(m_times.answer.count()));
    return request;
}

void RemoteRelay::whenAnswered(QNetworkReply *reply, QObject *context, GotJson done)
{
    connect(reply, &QNetworkReply::downloadProgress, reply, [reply](qint64 received) {
        if (received > kMaxAnswerBytes) {
            reply->abort();
        }
    });
    connect(reply, &QNetworkReply::finished, this,
            [reply, asker = QPointer<QObject>(context), done = std::move(done)] {
                reply->deleteLater();
                if (asker.isNull()) {
                    return;
                }
                // One that was too long is closed.
                const QByteArray body = reply->isOpen() ? reply->readAll() : QByteArray();
                if (reply->error() != QNetworkReply::NoError) {
                    done(Error{problemOf(*reply, body)});
                    return;
                }
                const QJsonDocument json = QJsonDocument::fromJson(body);
                if (!json.isObject()) {
                    done(Error{tr("the answer does not come from a relay")});
                    return;
                }
                done(json.object());
            });
}

void RemoteRelay::fetchClients(const TableQuery &query,
                               QObject *context,
                               Done<Page<ClientRow>> done)
{
    whenAnswered(m_network.get(requestTo("/-/api/clients", toQuery(query))), context,
                 readingAs<Page<ClientRow>>(std::move(done)));
}

void RemoteRelay::fetchChannels(const TableQuery &query,
                                QObject *context,
                                Done<Page<ChannelRow>> done)
{
    whenAnswered(m_network.get(requestTo("/-/api/channels", toQuery(query))), context,
                 readingAs<Page<ChannelRow>>(std::move(done)));
}

void RemoteRelay::fetchOverview(QObject *context, Done<Overview> done)
{
    whenAnswered(m_network.get(requestTo("/-/api/overview", {})), context,
                 readingAs<Overview>(std::move(done)));
}

void RemoteRelay::disconnectClient(qint64 id, QObject *context, Done<std::monostate> done)
{
    const QByteArray path = "/-/api/clients/" + QByteArray::number(id) + "/disconnect";
    QNetworkRequest request = requestTo(path, {});
    request.setHeader(QNetworkRequest::ContentTypeHeader, QByteArray("text/plain"));
    whenAnswered(m_network.post(request, QByteArray()), context, ignoringBody(std::move(done)));
}

void RemoteRelay::publish(const QString &channel,
                          const QByteArray &payload,
                          bool isText,
                          QObject *context,
                          Done<Receipt> done)
{
    QNetworkRequest request =
        requestTo("/-/api/channels/" + encodedChannel(channel) + "/publish", {});
    request.setHeader(QNetworkRequest::ContentTypeHeader,
                      QByteArray(isText ? "text/plain" : "application/octet-stream"));
    whenAnswered(m_network.post(request, payload), context,
                 [done = std::move(done)](const Result<QJsonObject> &answer) {
                     if (!answer) {
                         done(answer.error());
                         return;
                     }
                     const QJsonObject &object = answer.value();
                     done(Receipt{object.value(QLatin1String("offset")).toInteger(),
                                  object.value(QLatin1String("clients")).toInt()});
                 });
}

void RemoteRelay::clearHistory(const QString &channel, QObject *context, Done<std::monostate> done)
{
    whenAnswered(m_network.deleteResource(
                     requestTo("/-/api/channels/" + encodedChannel(channel) + "/history", {})),
                 context, ignoringBody(std::move(done)));
}

void RemoteRelay::drain(int withinSeconds, QObject *context, Done<std::monostate> done)
{
    QNetworkRequest request =
        requestTo("/-/api/drain", "within=" + QByteArray::number(withinSeconds));
    request.setHeader(QNetworkRequest::ContentTypeHeader, QByteArray("text/plain"));
    whenAnswered(m_network.post(request, QByteArray()), context, ignoringBody(std::move(done)));
}

} // namespace relay::gui
