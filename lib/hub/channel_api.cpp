#include "hub/channel_api.h"

#include "hub/history_json.h"
#include "hub/no_room.h"
#include "hub/web_page.h"
#include "wire/media_type.h"

#include <array>
#include <utility>

namespace relay {

namespace {

using Verdict = ChannelApi::Verdict;

constexpr QByteArrayView kBatchPath("/-/publish");

/// What a channel can be had as; the first is for who does not care.
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

/// Also a handshake whose Upgrade a proxy on the way has swallowed: its sender would not know what
/// to do with a history.
bool meansWebSocket(const HttpRequest &request)
{
    return request.count("Upgrade") > 0 || request.count("Sec-WebSocket-Key") > 0
           || request.count("Sec-WebSocket-Version") > 0;
}

HttpResponse forbiddenOrigin()
{
    return errorResponse(403, "forbidden_origin",
                         "This page's origin may not connect to this relay. Its operator can name "
                         "it in server.origins.");
}

HttpResponse methodNotAllowed()
{
    HttpResponse response = errorResponse(
        405, "method_not_allowed", "A channel takes GET (also with an upgrade), HEAD and POST.");
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

/// Lets the page of an allowed origin read the answer.
HttpResponse shownTo(const QByteArray &origin, HttpResponse response)
{
    if (!origin.isEmpty()) {
        response.fields.append(HttpField{"Access-Control-Allow-Origin", origin});
        response.fields.append(HttpField{"Vary", "Origin"});
    }
    return response;
}

Verdict shownTo(const QByteArray &origin, Verdict verdict)
{
    if (auto *response = std::get_if<HttpResponse>(&verdict)) {
        return shownTo(origin, std::move(*response));
    }
    if (auto *listen = std::get_if<ChannelApi::Listen>(&verdict)) {
        listen->head = shownTo(origin, std::move(listen->head));
    } else if (auto *refused = std::get_if<ChannelApi::RefusedHandshake>(&verdict)) {
        refused->response = shownTo(origin, std::move(refused->response));
    } else if (auto *body = std::get_if<ChannelApi::ReceiveBody>(&verdict)) {
        body->answer = [origin, answer = std::move(body->answer)](const QByteArray &bytes) {
            return shownTo(origin, answer(bytes));
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
    const auto target = targetOf(request);
    if (!target) {
        return errorResponse(400, "bad_target",
                             "The request target must be a path that begins with a slash.");
    }
    if (request.count("Origin") > 1) {
        return errorResponse(400, "bad_request", "More than one Origin header field.");
    }
    if (!isAllowed(request, *target)) {
        return forbiddenOrigin();
    }
    return shownTo(request.value("Origin"), judgeMethod(client, request, *target));
}

/// A page that reads what its own host serves sends no Origin. Its host is then what Host says, which
/// on loopback must be this machine's: see OriginPolicy::OwnHost.
bool ChannelApi::isAllowed(const HttpRequest &request, const RequestTarget &target) const
{
    const QByteArray origin = request.value("Origin");
    if (!origin.isEmpty() || target.host.isEmpty()) {
        return m_origins.allows(origin, target.host);
    }
    return m_origins.allows("http://" + target.host, target.host)
           || m_origins.allows("https://" + target.host, target.host);
}

ChannelApi::Verdict ChannelApi::judgeHandshake(const HttpRequest &request)
{
    const auto verdict = judgeUpgrade(request);
    if (const auto *refused = std::get_if<RefusedUpgrade>(&verdict)) {
        return RefusedHandshake{failureOf(refused->reason), refused->response};
    }
    const auto &upgrade = std::get<UpgradeRequest>(verdict);
    if (!m_origins.allows(upgrade.origin, upgrade.target.host)) {
        return RefusedHandshake{HandshakeFailure::ForbiddenOrigin, forbiddenOrigin()};
    }
    auto channel = readChannelRequest(upgrade.target);
    if (auto *refusal = std::get_if<HttpResponse>(&channel)) {
        return RefusedHandshake{HandshakeFailure::BadRequest, std::move(*refusal)};
    }
    auto &asked = std::get<ChannelRequest>(channel);
    if (auto refusal = refuseToJoin(asked, true)) {
        return RefusedHandshake{HandshakeFailure::Channel, *std::move(refusal)};
    }
    const auto refusal =
        isFull(asked) ? std::optional(DisconnectReason::ChannelFull) : std::nullopt;
    const bool isMeta = request.hasToken("Sec-WebSocket-Protocol", kMetaSubprotocol);
    return Upgrade{{.target = asked.target,
                    .format = isMeta ? MessageFormat::WebSocketMeta : MessageFormat::WebSocket,
                    .echo = echoFor(asked),
                    .replay = asked.replay},
                   upgrade.key,
                   refusal};
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
                             options.publish ? "This channel can only be published to."
                                             : "This channel is closed.");
    }
    return std::nullopt;
}

bool ChannelApi::isFull(const ChannelRequest &request)
{
    if (request.channel() == nullptr || m_channels.optionsOf(*request.channel()).maxClients == 0) {
        return false;
    }
    const ChannelHandle channel = m_channels.find(*request.channel());
    return channel && channel->isFull();
}

// No room

ChannelApi::Verdict ChannelApi::judgeWithoutRoom(const HttpRequest &request)
{
    if (meansWebSocket(request)) {
        Verdict verdict = judgeHandshake(request);
        if (auto *upgrade = std::get_if<Upgrade>(&verdict)) {
            upgrade->refusal = DisconnectReason::RelayFull;
        }
        return verdict;
    }
    const auto target = targetOf(request);
    if (!target || !isAllowed(request, *target)) {
        return refuse(DisconnectReason::RelayFull);
    }
    const auto type = preferredType(request, kTypes);
    const bool isListener = request.method == "GET" && type && kTypes.at(*type) == kEventStream;
    RefusedHandshake refused = isListener ? refuseListener(DisconnectReason::RelayFull)
                                          : refuse(DisconnectReason::RelayFull);
    refused.response = shownTo(request.value("Origin"), std::move(refused.response));
    return refused;
}

ChannelApi::RefusedHandshake ChannelApi::refuse(DisconnectReason reason) const
{
    return {failureOf(reason), fullAnswer(reason, m_options.eventSource.retry),
            describe(reason).limit};
}

ChannelApi::RefusedHandshake ChannelApi::refuseListener(DisconnectReason reason) const
{
    return {failureOf(reason), fullStream(reason, m_options.eventSource.retry),
            describe(reason).limit};
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
                             "A pattern can only be listened to: publish to a channel.");
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
                             "A channel is application/json, text/event-stream or text/html.");
    }
    auto &asked = std::get<ChannelRequest>(channel);
    if (kTypes.at(*type) == kPage) {
        return webPage(target.path, request);
    }
    if (kTypes.at(*type) == kEventStream && request.method == "GET") {
        return listen(request, std::move(asked));
    }
    if (auto refusal = refuseToJoin(asked, false)) {
        return *std::move(refusal);
    }
    return history(asked);
}

ChannelApi::Verdict ChannelApi::listen(const HttpRequest &request, ChannelRequest channel)
{
    if (auto refusal = refuseToJoin(channel, false)) {
        return *std::move(refusal);
    }
    if (isFull(channel)) {
        return refuseListener(DisconnectReason::ChannelFull);
    }
    // What a browser that reconnects says is newer than its URL.
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
