#include "hub/channel_api.h"

#include "hub/history_json.h"
#include "hub/web_page.h"
#include "wire/media_type.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace relay {

namespace {

using Verdict = ChannelApi::Verdict;

constexpr QByteArrayView kBatchPath("/-/publish");

/// What a channel is available as; the first is for clients that accept anything.
constexpr QByteArrayView kEventStream("text/event-stream");
constexpr QByteArrayView kPage("text/html");
constexpr std::array<QByteArrayView, 3> kTypes{"application/json", kEventStream, kPage};

constexpr const char *kMethods = "GET, HEAD, POST, OPTIONS";

HandshakeFailure failureOf(UpgradeRefusal refusal)
{
    switch (refusal) {
    case UpgradeRefusal::BadRequest:
        return HandshakeFailure::BadRequest;
    case UpgradeRefusal::MethodNotAllowed:
        return HandshakeFailure::MethodNotAllowed;
    case UpgradeRefusal::UpgradeRequired:
        return HandshakeFailure::UpgradeRequired;
    }
    return HandshakeFailure::BadRequest;
}

/// What the log quotes of a client's words.
constexpr qsizetype kMaxQuoteBytes = 200;

QString quoted(const QByteArray &words)
{
    const QString text = QString::fromUtf8(words.first(std::min(words.size(), kMaxQuoteBytes)));
    const QString end =
        words.size() > kMaxQuoteBytes ? QStringLiteral("…\"") : QStringLiteral("\"");
    return QLatin1Char('"') % text % end;
}

constexpr const char *kOriginsKey = "server.origins (environment: RELAY_SERVER_ORIGINS)";

ChannelApi::RefusedPage refusedOrigin(const QByteArray &origin)
{
    return {
        errorResponse(403, "forbidden_origin",
                      "Web pages of this origin may not use this relay. Its operator can allow "
                      "the origin in server.origins."),
        QStringLiteral("origin %1 is not in %2").arg(quoted(origin), QLatin1String(kOriginsKey))};
}

ChannelApi::RefusedPage refusedHost(const QByteArray &host)
{
    return {errorResponse(403, "forbidden_origin",
                          "This relay is reached as localhost or by an IP address, and the "
                          "request's Host is another name. Its operator can allow that name in "
                          "server.origins."),
            QStringLiteral("host %1 is not localhost or an IP address; to allow it, add http:// or "
                           "https:// and the name to %2")
                .arg(quoted(host), QLatin1String(kOriginsKey))};
}

HttpResponse methodNotAllowed()
{
    HttpResponse response = errorResponse(
        405, "method_not_allowed", QByteArray("A channel answers the methods ") + kMethods + '.');
    response.fields.append(HttpField{"Allow", kMethods});
    return response;
}

/// The answer to a browser that asks whether a page of another origin may (Fetch, CORS preflight).
HttpResponse preflight()
{
    HttpResponse response;
    response.status = 204;
    response.fields = {
        {"Allow", kMethods},
        {"Access-Control-Allow-Methods", kMethods},
        {"Access-Control-Allow-Headers", "Content-Type, Idempotency-Key, Last-Event-ID"},
        {"Access-Control-Max-Age", "600"}};
    return response;
}

/// The answer to `OPTIONS *`, which asks about the server as a whole (RFC 9110, section 9.3.7).
HttpResponse allMethods()
{
    HttpResponse response;
    response.status = 204;
    response.fields = {{"Allow", kMethods}};
    return response;
}

/// What of an answer depends on the page that asks.
struct Cors
{
    QByteArray origin; ///< empty: no page asks, or one that may not
    bool mayHaveCredentials = false;
};

/// Lets the page of an allowed origin read the answer. Only pages that the operator has named may also send cookies and the like
/// along: with `*` any page could act in its visitor's name.
HttpResponse shownTo(const Cors &cors, HttpResponse response)
{
    response.varyBy("Origin"); // also when no page asks: a cache must not give that answer to one
    if (!cors.origin.isEmpty()) {
        response.fields.append(HttpField{"Access-Control-Allow-Origin", cors.origin});
    }
    if (cors.mayHaveCredentials) {
        response.fields.append(HttpField{"Access-Control-Allow-Credentials", "true"});
    }
    return response;
}

Verdict shownTo(const Cors &cors, Verdict verdict)
{
    if (auto *response = std::get_if<HttpResponse>(&verdict)) {
        return shownTo(cors, std::move(*response));
    }
    if (auto *listen = std::get_if<ChannelApi::Listen>(&verdict)) {
        listen->head = shownTo(cors, std::move(listen->head));
    } else if (auto *body = std::get_if<ChannelApi::ReceiveBody>(&verdict)) {
        body->answer = [cors, answer = std::move(body->answer)](const QByteArray &bytes) {
            return shownTo(cors, answer(bytes));
        };
    }
    return verdict;
}

} // namespace

ChannelApi::ChannelApi(const HubOptions &options,
                       const OriginPolicy &origins,
                       ChannelRegistry &channels,
                       IdempotencyCache &idempotency,
                       Publisher &publisher)
    : m_options(options)
    , m_origins(origins)
    , m_channels(channels)
    , m_publisher(publisher)
    , m_publishing(options, channels, idempotency, publisher)
{}

ChannelApi::Verdict ChannelApi::judge(ClientId client, const HttpRequest &request)
{
    if (meansWebSocket(request)) {
        return judgeHandshake(request);
    }
    if (request.method == "OPTIONS" && request.target == "*") {
        return allMethods();
    }
    const auto target = targetOf(request);
    if (!target) {
        return errorResponse(400, "bad_target",
                             "The request target must be a path that begins with a slash.");
    }
    const QByteArray origin = request.value("Origin");
    const OriginPolicy::Decision decision = decide(request, *target);
    if (decision == OriginPolicy::Decision::Refused) {
        RefusedPage refused = origin.isEmpty() ? refusedHost(target->host) : refusedOrigin(origin);
        refused.response = shownTo(Cors(), std::move(refused.response));
        return refused;
    }
    return shownTo(Cors{origin, decision == OriginPolicy::Decision::Listed},
                   judgeMethod(client, request, *target));
}

/// A page that reads what its own host serves sends no Origin. Its host is then what Host says, which
/// on loopback must be this machine's: see OriginPolicy::OwnHost.
OriginPolicy::Decision ChannelApi::decide(const HttpRequest &request,
                                          const RequestTarget &target) const
{
    const QByteArray origin = request.value("Origin");
    if (!origin.isEmpty() || target.host.isEmpty()
        || m_origins.allows("http://" + target.host, target.host)
        || m_origins.allows("https://" + target.host, target.host))
    {
        return m_origins.decide(origin, target.host);
    }
    return OriginPolicy::Decision::Refused;
}

ChannelApi::Verdict ChannelApi::judgeHandshake(const HttpRequest &request)
{
    const auto verdict = judgeUpgrade(request);
    if (const auto *refused = std::get_if<RefusedUpgrade>(&verdict)) {
        return RefusedHandshake{failureOf(refused->reason), refused->response};
    }
    const auto &upgrade = std::get<UpgradeRequest>(verdict);
    if (!m_origins.allows(upgrade.origin, upgrade.target.host)) {
        RefusedPage refused = refusedOrigin(upgrade.origin);
        return RefusedHandshake{HandshakeFailure::ForbiddenOrigin, std::move(refused.response),
                                std::move(refused.detail)};
    }
    auto channel = readChannelRequest(upgrade.target);
    if (auto *refusal = std::get_if<HttpResponse>(&channel)) {
        return RefusedHandshake{HandshakeFailure::BadRequest, std::move(*refusal)};
    }
    auto &asked = std::get<ChannelRequest>(channel);
    if (auto refusal = refuseToJoin(asked, true)) {
        return RefusedHandshake{HandshakeFailure::Channel, *std::move(refusal)};
    }
    const bool isMeta = upgrade.subprotocols.contains(kMetaSubprotocol);
    return Upgrade{{.target = asked.target,
                    .format = isMeta ? MessageFormat::WebSocketMeta : MessageFormat::WebSocket,
                    .echo = echoFor(asked),
                    .replay = asked.replay},
                   upgrade.key};
}

bool ChannelApi::echoFor(const ChannelRequest &request) const
{
    const bool byDefault =
        request.channel() == nullptr || m_channels.optionsOf(*request.channel()).echo;
    return request.echo.value_or(byDefault);
}

std::optional<HttpResponse> ChannelApi::refuseToJoin(const ChannelRequest &request,
                                                     bool mayOnlyPublish)
{
    if (request.channel() == nullptr) {
        return std::nullopt;
    }
    const ChannelOptions &options = m_channels.optionsOf(*request.channel());
    if (!options.subscribe && !(mayOnlyPublish && options.publish)) {
        return errorResponse(403, "subscribe_forbidden",
                             options.publish
                                 ? "Clients cannot listen to this channel, only publish to it."
                                 : "This channel is closed.");
    }
    if (options.maxClients > 0) {
        const ChannelHandle channel = m_channels.find(*request.channel());
        if (channel && channel->isFull()) {
            return errorResponse(503, "channel_full", "The channel is full (max_clients).");
        }
    }
    return std::nullopt;
}

ChannelApi::Verdict
ChannelApi::judgeMethod(ClientId client, const HttpRequest &request, const RequestTarget &target)
{
    if (request.method == "OPTIONS") {
        return preflight();
    }
    if (request.method == "POST") {
        return judgePost(client, request, target);
    }
    if (request.method == "GET" || request.method == "HEAD") {
        return judgeGet(request, target);
    }
    return methodNotAllowed();
}

ChannelApi::Verdict
ChannelApi::judgePost(ClientId client, const HttpRequest &request, const RequestTarget &target)
{
    const auto widen = [](PublishApi::Verdict verdict) {
        return std::visit([](auto value) { return Verdict(std::move(value)); }, std::move(verdict));
    };
    if (target.path == kBatchPath) {
        return widen(m_publishing.judgeBatch(client, request));
    }
    auto channel = readChannelRequest(target);
    if (auto *refusal = std::get_if<HttpResponse>(&channel)) {
        return std::move(*refusal);
    }
    const ChannelName *name = std::get<ChannelRequest>(channel).channel();
    if (name == nullptr) {
        return errorResponse(404, "no_such_channel",
                             "A pattern cannot be published to. Publish to a channel.");
    }
    return widen(m_publishing.judge(client, *name, request));
}

ChannelApi::Verdict ChannelApi::judgeGet(const HttpRequest &request, const RequestTarget &target)
{
    if (auto asset = webAsset(target.path, request)) {
        return *std::move(asset);
    }
    auto channel = readChannelRequest(target);
    if (auto *refusal = std::get_if<HttpResponse>(&channel)) {
        return std::move(*refusal);
    }
    const auto type = preferredType(request, kTypes);
    if (!type) {
        return errorResponse(406, "not_acceptable",
                             "A channel is available as application/json, text/event-stream or "
                             "text/html.");
    }
    auto &asked = std::get<ChannelRequest>(channel);
    if (kTypes.at(*type) == kPage) {
        return webPage(target.path, request);
    }
    if (kTypes.at(*type) == kEventStream) {
        return listen(request, std::move(asked));
    }
    if (auto refusal = refuseToJoin(asked, false); refusal && refusal->status == 403) {
        return *std::move(refusal);
    }
    return history(asked);
}

ChannelApi::Verdict ChannelApi::listen(const HttpRequest &request, ChannelRequest channel)
{
    if (auto refusal = refuseToJoin(channel, false)) {
        return *std::move(refusal);
    }
    // A browser that reconnects sends this: it is newer than the URL.
    if (const QByteArray lastId = request.value("Last-Event-ID"); !lastId.isEmpty()) {
        channel.replay.since = lastId;
    }
    HttpResponse head;
    head.contentType = kEventStream.toByteArray();
    head.fields = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
    return Listen{
        {.target = channel.target,
         .format = channel.wantsMeta ? MessageFormat::EventStreamMeta : MessageFormat::EventStream,
         .echo = true,
         .replay = channel.replay},
        std::move(head)};
}

HttpResponse ChannelApi::history(const ChannelRequest &request)
{
    // Escaped, a message may be six times as long: the answer must not outgrow a client's queue.
    const ReplayLimits limits{m_options.limits.queueSize / 8, m_publisher.now()};
    ReplayRequest wanted = request.replay;
    if (!request.last) {
        wanted.last = std::numeric_limits<int>::max();
    }
    HttpResponse response =
        jsonResponse(200, request.pattern() != nullptr
                              ? historyJson(*request.pattern(), m_channels, limits, wanted)
                              : historyJson(*request.channel(), m_channels, limits, wanted));
    response.fields = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
    return response;
}

} // namespace relay
