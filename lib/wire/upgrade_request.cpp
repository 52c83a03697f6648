#include "wire/upgrade_request.h"

#include "wire/http_grammar.h"

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
        return upgradeRequired("This WebSocket handshake lacks \"Upgrade: websocket\". A proxy in "
                               "front of the relay must pass on Upgrade and Connection.");
    }
    if (request.version < 11) {
        return badRequest("A WebSocket needs HTTP/1.1. A proxy in front of the relay must use it "
                          "(nginx: proxy_http_version 1.1).");
    }
    if (!request.hasToken("Connection", "upgrade")) {
        return badRequest(
            "The upgrade lacks \"Connection: upgrade\". A proxy in front of the relay "
            "must pass it on.");
    }
    return std::nullopt;
}

bool isTokenList(const HttpRequest &request, QByteArrayView name)
{
    return std::none_of(request.fields.begin(), request.fields.end(), [name](const HttpField &f) {
        return equalsIgnoringCase(f.name, name)
               && anyListElement(f.value, [](QByteArrayView e) { return !isHttpToken(e); });
    });
}

/// Takes blanks and then a token off the front; false if there is none.
bool takeToken(QByteArrayView &text)
{
    text = text.trimmed();
    const auto *const end = std::find_if_not(text.begin(), text.end(), isTokenChar);
    const bool isThere = end != text.begin();
    text = text.sliced(end - text.begin()).trimmed();
    return isThere;
}

/// A parameter's value in quotes must be a token without them (RFC 6455, section 9.1).
bool takeQuotedToken(QByteArrayView &text)
{
    QByteArray value;
    for (qsizetype i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text = text.sliced(i + 1).trimmed();
            return isHttpToken(value);
        }
        if (text[i] == '\\' && ++i == text.size()) {
            break;
        }
        value.append(text[i]);
    }
    return false;
}

bool take(QByteArrayView &text, char separator)
{
    if (!text.startsWith(separator)) {
        return false;
    }
    text = text.sliced(1).trimmed();
    return true;
}

/// extension-list of RFC 6455, section 9.1. The relay uses none, but a server must fail a handshake in which it is malformed.
bool isExtensionList(QByteArrayView text)
{
    text = text.trimmed();
    while (!text.isEmpty()) {
        if (take(text, ',')) { // an empty element
            continue;
        }
        if (!takeToken(text)) {
            return false;
        }
        while (take(text, ';')) {
            if (!takeToken(text)) {
                return false;
            }
            if (take(text, '=')
                && !(text.startsWith('"') ? takeQuotedToken(text) : takeToken(text))) {
                return false;
            }
        }
        if (!text.isEmpty() && !text.startsWith(',')) {
            return false;
        }
    }
    return true;
}

bool hasSoundExtensions(const HttpRequest &request)
{
    return std::all_of(request.fields.begin(), request.fields.end(), [](const HttpField &f) {
        return !equalsIgnoringCase(f.name, "Sec-WebSocket-Extensions") || isExtensionList(f.value);
    });
}

QByteArrayList subprotocolsOf(const HttpRequest &request)
{
    QByteArrayList names;
    for (const HttpField &field : request.fields) {
        if (equalsIgnoringCase(field.name, "Sec-WebSocket-Protocol")) {
            (void)anyListElement(field.value, [&names](QByteArrayView name) {
                names.append(name.toByteArray());
                return false;
            });
        }
    }
    return names;
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
    if (!isTokenList(request, "Sec-WebSocket-Protocol")) {
        return badRequest("Sec-WebSocket-Protocol is not a list of names, separated by commas.");
    }
    if (!hasSoundExtensions(request)) {
        return badRequest(
            "Sec-WebSocket-Extensions is not a list as RFC 6455, section 9.1, has it.");
    }
    if (request.count("Host") != 1) {
        return badRequest("The upgrade needs one Host header field.");
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

bool meansWebSocket(const HttpRequest &request)
{
    return request.count("Sec-WebSocket-Key") > 0 || request.count("Sec-WebSocket-Version") > 0
           || (request.version >= 11 && request.hasToken("Upgrade", "websocket"));
}

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
                          .key = request.value("Sec-WebSocket-Key"),
                          .subprotocols = subprotocolsOf(request)};
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

QByteArray withoutCorsFields(const QByteArray &answerHead)
{
    constexpr QByteArrayView kPrefix("Access-Control-");
    QByteArray rest;
    rest.reserve(answerHead.size());
    for (qsizetype begin = 0; begin < answerHead.size();) {
        const qsizetype newline = answerHead.indexOf('\n', begin);
        const qsizetype end = newline < 0 ? answerHead.size() : newline + 1;
        const QByteArrayView line = QByteArrayView(answerHead).sliced(begin, end - begin);
        if (!equalsIgnoringCase(line.first(std::min(line.size(), kPrefix.size())), kPrefix)) {
            rest.append(line);
        }
        begin = end;
    }
    return rest;
}

} // namespace relay
