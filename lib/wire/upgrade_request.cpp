#include "wire/upgrade_request.h"

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

} // namespace

std::variant<UpgradeRequest, RefusedUpgrade> judgeUpgrade(const HttpRequest &request)
{
    if (auto refused = refuseOtherRequests(request)) {
        return *std::move(refused);
    }
    if (auto refused = refuseBrokenHandshake(request)) {
        return *std::move(refused);
    }
    const auto target = targetOf(request);
    if (!target) {
        return RefusedUpgrade{
            badRequest("The request target must be a path that begins with a slash.")};
    }
    return UpgradeRequest{.target = *target,
                          .origin = request.value("Origin"),
                          .key = request.value("Sec-WebSocket-Key")};
}

QByteArray minimalUpgradeHead(const QByteArray &key, const QByteArray &subprotocol)
{
    const QByteArray protocolField =
        subprotocol.isEmpty() ? QByteArray() : "\r\nSec-WebSocket-Protocol: " + subprotocol;
    // One space after each colon: QWebSocketServer splits its fields there.
    return "GET / HTTP/1.1\r\n"
           "Host: r\r\n"
           "Upgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: "
           + key + protocolField + "\r\n\r\n";
}

} // namespace relay
