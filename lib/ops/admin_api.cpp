#include "ops/admin_api.h"

#include "hub/hub.h"
#include "ops/model/channel_row.h"
#include "ops/model/client_row.h"
#include "ops/table_query.h"
#include "wire/media_type.h"

#include <QJsonDocument>
#include <QPointer>

#include <algorithm>
#include <utility>
#include <vector>

namespace relay {

namespace {

constexpr int kMaxDrainSeconds = 3600;
constexpr int kDefaultDrainSeconds = 30;
/// Rates of shorter times are noise: who asks again earlier gets the last one.
constexpr std::chrono::seconds kLookAge{1};
/// Channels whose offset is remembered for its rate; others have none.
constexpr qsizetype kMaxLooks = 100'000;

HttpResponse jsonOf(const QJsonObject &object)
{
    HttpResponse response = jsonResponse(200, QJsonDocument(object).toJson(QJsonDocument::Compact));
    response.fields = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
    return response;
}

template <typename Row>
HttpResponse answerPage(std::variant<Page<Row>, HttpResponse> page)
{
    if (auto *refused = std::get_if<HttpResponse>(&page)) {
        return std::move(*refused);
    }
    return jsonOf(toJson(std::get<Page<Row>>(page)));
}

QString transportOf(MessageFormat format)
{
    switch (format) {
    case MessageFormat::WebSocket:
        return QStringLiteral("websocket");
    case MessageFormat::WebSocketMeta:
        return QStringLiteral("relay.meta");
    case MessageFormat::EventStream:
    case MessageFormat::EventStreamMeta:
        return QStringLiteral("eventsource");
    }
    return {};
}

double seconds(std::chrono::duration<double> duration)
{
    return duration.count();
}

SocketRow toRow(const TcpView &view)
{
    return {.rttSeconds = seconds(view.rtt),
            .rttVarianceSeconds = seconds(view.rttVariance),
            .retransmits = static_cast<qint64>(view.retransmits),
            .unacknowledgedBytes = static_cast<qint64>(view.unacknowledgedBytes),
            .unsentBytes = static_cast<qint64>(view.unsentBytes)};
}

ClientRow toRow(const ClientSnapshot &client)
{
    ClientRow row;
    row.id = static_cast<qint64>(toNumber(client.id));
    row.address = client.address;
    row.channel = client.channel;
    row.transport = transportOf(client.format);
    row.userAgent = QString::fromUtf8(client.userAgent);
    row.connectedAt = static_cast<double>(client.connectedAt) / 1000.0;
    row.messagesIn = static_cast<qint64>(client.traffic.messagesIn);
    row.messagesOut = static_cast<qint64>(client.traffic.messagesOut);
    row.bytesIn = static_cast<qint64>(client.traffic.bytesIn);
    row.bytesOut = static_cast<qint64>(client.traffic.bytesOut);
    row.queuedMessages = static_cast<qint64>(client.queuedMessages);
    row.queuedBytes = client.queuedBytes;
    if (client.slowFor) {
        row.slowForSeconds = seconds(*client.slowFor);
    }
    if (client.ping) {
        row.pingSeconds = seconds(*client.ping);
    }
    if (client.socket) {
        row.socket = toRow(*client.socket);
    }
    return row;
}

bool contains(const ClientRow &row, const QString &text)
{
    const auto holds = [&](const QString &field) {
        return field.contains(text, Qt::CaseInsensitive);
    };
    return text.isEmpty() || holds(row.address) || holds(row.channel) || holds(row.transport)
           || holds(row.userAgent) || QString::number(row.id) == text;
}

/// The tail of "…/disconnect", or nothing.
std::optional<QByteArray> withoutSuffix(const QByteArray &parameter, QByteArrayView suffix)
{
    if (!parameter.endsWith(suffix)) {
        return std::nullopt;
    }
    return parameter.chopped(suffix.size());
}

std::variant<ChannelName, HttpResponse> channelOf(const QByteArray &encoded)
{
    // The root's name is empty, but an empty one here is one that was forgotten.
    if (encoded.isEmpty()) {
        return errorResponse(404, "no_such_channel",
                             "The path lacks the name of a channel; the root channel is %2F.");
    }
    const bool isRoot = encoded.compare("%2f", Qt::CaseInsensitive) == 0;
    auto name = ChannelName::fromPath(isRoot ? QByteArray("/") : "/" + encoded);
    if (!name) {
        return errorResponse(404, "no_such_channel", name.error().message.toUtf8());
    }
    if (name.value().isReserved()) {
        return errorResponse(404, "no_such_channel",
                             "Names that begin with -/ are reserved for the relay.");
    }
    return std::move(name).value();
}

HttpResponse noSuchPath()
{
    return errorResponse(404, "not_found", "There is no such path. GET / lists all paths.");
}

RequestTarget targetOrRoot(const RoutedRequest &request)
{
    return targetOf(request.head).value_or(RequestTarget{{}, "/", {}});
}

} // namespace

AdminApi::AdminApi(Hub &hub, OpsServer &server, QString config, QObject *parent)
    : QObject(parent)
    , m_hub(hub)
    , m_server(server)
    , m_config(std::move(config))
    , m_sampler(hub)
    , m_feed(hub, m_sampler, std::max(1, server.maxConnections() / 2))
{
    addRoutes();
}

void AdminApi::addRoutes()
{
    m_server.addRoute({"GET", "/-/api/overview", "the relay at a glance",
                       answering([this](const RoutedRequest &) {
                           Overview overview = m_sampler.overview();
                           overview.config = m_config;
                           return jsonOf(toJson(overview));
                       })});
    m_server.addRoute(
        {"GET", "/-/api/clients", "clients: ?sort=&order=&filter=&offset=&limit=",
         [this](const RoutedRequest &r, const ReplyPtr &reply) { listClients(r, reply); }});
    m_server.addRoute(
        {"GET", "/-/api/channels", "channels: the same",
         [this](const RoutedRequest &r, const ReplyPtr &reply) { listChannels(r, reply); }});
    m_server.addRoute(
        {"GET", "/-/api/stream", "EventSource: overview each second, connects and disconnects",
         [this](const RoutedRequest &, const ReplyPtr &reply) { m_feed.listen(reply); }});
    m_server.addRoute(
        {"POST", "/-/api/clients/*", "<id>/disconnect",
         [this](const RoutedRequest &r, const ReplyPtr &reply) { changeClient(r, reply); },
         AccessKind::Change});
    m_server.addRoute({"POST", "/-/api/channels/*", "<name>/publish",
                       answering([this](const RoutedRequest &r) { return publish(r); }),
                       AccessKind::Change, m_hub.maxMessageBytes(), "limits.message_size"});
    m_server.addRoute({"DELETE", "/-/api/channels/*", "<name>/history",
                       answering([this](const RoutedRequest &r) { return clearHistory(r); }),
                       AccessKind::Change});
    m_server.addRoute({"POST", "/-/api/drain", "send everybody away, spread over ?within= seconds",
                       answering([this](const RoutedRequest &r) { return drain(r); }),
                       AccessKind::Change});
}

// Lists

/// Answers with the page once the kernel's view of its clients' sockets is in it: only of those that
/// are shown.
void AdminApi::showSockets(const Page<ClientRow> &page, const ReplyPtr &reply)
{
    std::vector<ClientId> ids;
    for (const ClientRow &row : page.rows) {
        ids.push_back(ClientId{static_cast<quint64>(row.id)});
    }
    m_hub.inspectClients(ids, [page, reply](const std::vector<ClientSnapshot> &clients) {
        QHash<qint64, SocketRow> sockets;
        for (const ClientSnapshot &client : clients) {
            if (client.socket) {
                sockets.insert(static_cast<qint64>(toNumber(client.id)), toRow(*client.socket));
            }
        }
        Page<ClientRow> shown = page;
        for (ClientRow &row : shown.rows) {
            if (sockets.contains(row.id)) {
                row.socket = sockets.value(row.id);
            }
        }
        reply->send(jsonOf(toJson(shown)));
    });
}

void AdminApi::listClients(const RoutedRequest &request, const ReplyPtr &reply)
{
    auto query = readTableQuery(targetOrRoot(request), kMaxRows);
    if (const auto *refused = std::get_if<HttpResponse>(&query)) {
        reply->send(*refused);
        return;
    }
    const auto wanted = std::get<TableQuery>(query);
    m_hub.surveyClients(
        [self = QPointer(this), wanted, reply](const std::vector<ClientSnapshot> &clients) {
            if (!self) {
                return;
            }
            QList<ClientRow> rows;
            for (const ClientSnapshot &client : clients) {
                if (ClientRow row = toRow(client); contains(row, wanted.filter)) {
                    rows.append(std::move(row));
                }
            }
            auto page = pageOf(rows, wanted);
            if (const auto *shown = std::get_if<Page<ClientRow>>(&page)) {
                self->showSockets(*shown, reply);
            } else {
                reply->send(answerPage(std::move(page)));
            }
        });
}

void AdminApi::listChannels(const RoutedRequest &request, const ReplyPtr &reply)
{
    auto query = readTableQuery(targetOrRoot(request), kMaxRows);
    if (const auto *refused = std::get_if<HttpResponse>(&query)) {
        reply->send(*refused);
        return;
    }
    const auto wanted = std::get<TableQuery>(query);
    m_hub.surveyChannels([self = QPointer(this), wanted,
                          reply](const std::vector<ChannelSnapshot> &channels) {
        if (!self) {
            return;
        }
        QHash<QString, Look> looks;
        QList<ChannelRow> rows;
        for (const ChannelSnapshot &channel : channels) {
            ChannelRow row{.name = channel.name.toString(),
                           .epoch = QString::fromLatin1(toText(channel.position.epoch)),
                           .offset = static_cast<qint64>(channel.position.offset),
                           .clients = channel.clients,
                           .historyMessages = channel.historyMessages,
                           .historyBytes = channel.historyBytes,
                           .messagesPerSecond = {}};
            const Look look = self->look(row.name, channel.position);
            row.messagesPerSecond = look.messagesPerSecond;
            if (looks.size() < kMaxLooks) {
                looks.insert(row.name, look);
            }
            if (wanted.filter.isEmpty() || row.name.contains(wanted.filter, Qt::CaseInsensitive)) {
                rows.append(std::move(row));
            }
        }
        self->m_looks = std::move(looks);
        reply->send(answerPage(pageOf(rows, wanted)));
    });
}

/// The last look as long as it is fresh, else one that compares with it.
AdminApi::Look AdminApi::look(const QString &name, const Position &position) const
{
    Look fresh{position, std::chrono::steady_clock::now(), std::nullopt};
    const auto last = m_looks.constFind(name);
    if (last == m_looks.cend() || last->position.epoch != position.epoch) {
        return fresh;
    }
    if (fresh.at - last->at < kLookAge) {
        return *last;
    }
    fresh.messagesPerSecond =
        static_cast<double>(position.offset - last->position.offset) / seconds(fresh.at - last->at);
    return fresh;
}

// Changes

void AdminApi::changeClient(const RoutedRequest &request, const ReplyPtr &reply)
{
    const auto id = withoutSuffix(request.parameter, "/disconnect");
    bool isNumber = false;
    const quint64 number = id ? id->toULongLong(&isNumber) : 0;
    if (!isNumber || id->startsWith('+')) { // which Qt reads over
        reply->send(noSuchPath());
        return;
    }
    m_hub.disconnectClient(ClientId{number}, [reply, number](bool isFound) {
        reply->send(
            isFound ? jsonOf({{QStringLiteral("disconnected"), static_cast<qint64>(number)}})
                    : errorResponse(404, "no_such_client", "No client of this id is connected."));
    });
}

HttpResponse AdminApi::publish(const RoutedRequest &request)
{
    const auto encoded = withoutSuffix(request.parameter, "/publish");
    if (!encoded) {
        return noSuchPath();
    }
    auto channel = channelOf(*encoded);
    if (const auto *refused = std::get_if<HttpResponse>(&channel)) {
        return *refused;
    }
    const auto kind = bodyKindOf(request.head);
    if (const auto *refused = std::get_if<HttpResponse>(&kind)) {
        return *refused;
    }
    const auto isText = isTextBody(std::get<BodyKind>(kind), request.body);
    if (const auto *refused = std::get_if<HttpResponse>(&isText)) {
        return *refused;
    }
    const auto &name = std::get<ChannelName>(channel);
    const Hub::Receipt receipt = m_hub.publish(
        name, request.body, std::get<bool>(isText) ? MessageKind::Text : MessageKind::Binary);
    switch (receipt.status) {
    case Hub::Published::Accepted:
        break;
    case Hub::Published::Full:
        return retryLater(
            errorResponse(429, "busy", "The relay is busy: too much waits to be sent. Try again."));
    case Hub::Published::TooBig:
        return errorResponse(413, "too_big", "The message is longer than limits.message_size.");
    case Hub::Published::NotText:
        return errorResponse(400, "not_utf8", "The body is not valid UTF-8.");
    case Hub::Published::Closed:
        return errorResponse(503, "stopping", "The relay is shutting down.");
    }
    return jsonOf({{QStringLiteral("channel"), name.toString()},
                   {QStringLiteral("epoch"), QString::fromLatin1(toText(receipt.position.epoch))},
                   {QStringLiteral("offset"), static_cast<qint64>(receipt.position.offset)},
                   {QStringLiteral("clients"), receipt.clients}});
}

HttpResponse AdminApi::clearHistory(const RoutedRequest &request)
{
    const auto encoded = withoutSuffix(request.parameter, "/history");
    if (!encoded) {
        return noSuchPath();
    }
    auto channel = channelOf(*encoded);
    if (const auto *refused = std::get_if<HttpResponse>(&channel)) {
        return *refused;
    }
    const auto &name = std::get<ChannelName>(channel);
    if (!m_hub.clearHistory(name)) {
        return errorResponse(404, "no_such_channel",
                             "There is no such channel: it has no members and no history.");
    }
    return jsonOf({{QStringLiteral("cleared"), name.toString()}});
}

HttpResponse AdminApi::drain(const RoutedRequest &request)
{
    const auto text = targetOrRoot(request).parameter("within");
    bool isNumber = true;
    const int within = text ? text->toInt(&isNumber) : kDefaultDrainSeconds;
    if (!isNumber || within < 0 || within > kMaxDrainSeconds) {
        return errorResponse(400, "bad_parameter",
                             "The parameter within must be a number of seconds from 0 to 3600.");
    }
    if (!m_hub.isListening()) {
        return errorResponse(503, "stopping", "The relay is shutting down.");
    }
    m_server.setReadiness(OpsServer::Readiness::Draining);
    m_hub.drain(std::chrono::seconds(within));
    Q_EMIT drainRequested();
    return jsonOf({{QStringLiteral("clients"), m_hub.clientCount()},
                   {QStringLiteral("within_seconds"), within}});
}

} // namespace relay
