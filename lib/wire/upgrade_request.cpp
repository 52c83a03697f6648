#include "wire/upgrade_request.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace relay {

namespace {

constexpr qsizetype kKeyBytes = 16;        ///< what a Sec-WebSocket-Key decodes to
constexpr qsizetype kEncodedKeyBytes = 24; ///< as base64, padding included

RefusedUpgrade badRequest(const QByteArray &text)
{
    return {UpgradeRefusal::BadRequest, plainResponse(400, text)};
}

RefusedUpgrade methodNotAllowed()
{
    RefusedUpgrade refused{UpgradeRefusal::MethodNotAllowed,
                           plainResponse(405, "A WebSocket is opened with GET.")};
    refused.response.fields.append(HttpField{"Allow", "GET"});
    return refused;
}

RefusedUpgrade upgradeRequired(const QByteArray &text)
{
    RefusedUpgrade refused{UpgradeRefusal::UpgradeRequired, plainResponse(426, text)};
    refused.response.fields.append(HttpField{"Upgrade", "websocket"});
    refused.response.fields.append(HttpField{"Sec-WebSocket-Version", "13"});
    return refused;
}

bool isKey(const QByteArray &key)
{
    const auto decoded =
        QByteArray::fromBase64Encoding(key, QByteArray::AbortOnBase64DecodingErrors);
    return key.size() == kEncodedKeyBytes && decoded && decoded.decoded.size() == kKeyBytes;
}

/// Whether the request asks for this protocol at all, in a version of HTTP and by a method that
/// can.
std::optional<RefusedUpgrade> refuseOtherRequests(const HttpRequest &request)
{
    if (request.method != "GET") {
        return methodNotAllowed();
    }
    if (!request.hasToken("Upgrade", "websocket")) {
        return upgradeRequired("This is a WebSocket relay. Open this address with a WebSocket "
                               "client (ws:// or wss://), not with a browser's address bar or "
                               "curl.");
    }
    if (request.version < 11) {
        return badRequest("A WebSocket needs HTTP/1.1. A proxy on the way must be told to use it "
                          "(nginx: proxy_http_version 1.1).");
    }
    if (!request.hasToken("Connection", "upgrade")) {
        return badRequest("The upgrade lacks \"Connection: upgrade\". A proxy on the way must be "
                          "told to pass it on.");
    }
    return std::nullopt;
}

/// The fields of the opening handshake, each by its rule.
std::optional<RefusedUpgrade> refuseBrokenHandshake(const HttpRequest &request)
{
    if (request.count("Sec-WebSocket-Version") != 1
        || request.value("Sec-WebSocket-Version") != "13") {
        return upgradeRequired("This relay speaks version 13 of the WebSocket protocol.");
    }
    if (request.count("Sec-WebSocket-Key") != 1) {
        return badRequest("The upgrade needs one Sec-WebSocket-Key header field.");
    }
    if (!isKey(request.value("Sec-WebSocket-Key"))) {
        return badRequest("Sec-WebSocket-Key is not the base64 encoding of 16 bytes.");
    }
    if (request.count("Host") != 1) {
        return badRequest("The upgrade needs one Host header field.");
    }
    if (request.count("Origin") > 1) {
        return badRequest("The upgrade has more than one Origin header field.");
    }
    // What follows the head is frames: a body there would be read as such.
    const QByteArray contentLength = request.value("Content-Length");
    if ((!contentLength.isNull() && contentLength != "0") || request.count("Transfer-Encoding") > 0)
    {
        return badRequest("An upgrade has no body.");
    }
    return std::nullopt;
}

struct Resource
{
    QByteArray host;
    QByteArray path; ///< with its query
};

/// What a request's target names: a path at the Host field's host, or an absolute URI, whose own
/// host then counts (RFC 6455, section 4.2.1; RFC 9112, section 3.2.2). Nothing when it is neither.
std::optional<Resource> resourceOf(const HttpRequest &request)
{
    const QByteArray &target = request.target;
    if (target.startsWith('/')) {
        return Resource{.host = request.value("Host"), .path = target};
    }
    for (const QByteArrayView scheme : {QByteArrayView("http://"), QByteArrayView("https://")}) {
        if (target.left(scheme.size()).compare(scheme, Qt::CaseInsensitive) != 0) {
            continue;
        }
        const QByteArray rest = target.mid(scheme.size());
        const auto *const hostEnd = std::find_if(
            rest.begin(), rest.end(), [](char c) { return c == '/' || c == '?' || c == '#'; });
        const QByteArray host = rest.left(hostEnd - rest.begin());
        if (host.isEmpty() || host.contains('@')) {
            return std::nullopt;
        }
        const QByteArray path = rest.mid(host.size());
        return Resource{.host = host, .path = path.startsWith('/') ? path : QByteArray("/") + path};
    }
    return std::nullopt;
}

} // namespace

std::variant<UpgradeRequest, RefusedUpgrade> judgeUpgrade(const HttpRequest &request)
{
    if (auto refused = refuseOtherRequests(request)) {
        return *std::move(refused);
    }
    if (auto refused = refuseBrokenHandshake(request)) {
        return *std::move(refused);
    }
    const auto resource = resourceOf(request);
    if (!resource) {
        return RefusedUpgrade{
            badRequest("The request target must be a path that begins with a slash.")};
    }
    return UpgradeRequest{.target = resource->path,
                          .host = resource->host,
                          .origin = request.value("Origin"),
                          .key = request.value("Sec-WebSocket-Key"),
                          .userAgent = request.value("User-Agent")};
}

QByteArray minimalUpgradeHead(const QByteArray &key)
{
    // One space after each colon: QWebSocketServer splits its fields there.
    return "GET / HTTP/1.1\r\n"
           "Host: r\r\n"
           "Upgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: "
           + key + "\r\n\r\n";
}

} // namespace relay
