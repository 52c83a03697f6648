#pragma once

#include "wire/http_request.h"
#include "wire/http_response.h"
#include "wire/request_target.h"

#include <QByteArray>
#include <QByteArrayList>

#include <variant>

namespace relay {

/// What a valid opening handshake asks for (RFC 6455, section 4.2.1).
struct UpgradeRequest
{
    RequestTarget target;
    QByteArray origin; ///< empty: not a browser
    QByteArray key;    ///< Sec-WebSocket-Key: base64 of 16 bytes
    QByteArrayList
        subprotocols; ///< as the client names them, the one it likes best first; case matters
};

enum class UpgradeRefusal {
    BadRequest,       ///< 400: an upgrade that breaks a rule
    MethodNotAllowed, ///< 405, with Allow: not GET
    UpgradeRequired,  ///< 426, with Upgrade: websocket (and Sec-WebSocket-Version: 13): Upgrade is
                      ///< missing, or the version is another
};

struct RefusedUpgrade
{
    UpgradeRefusal reason{};
    HttpResponse response; ///< says in a sentence what is missing
};

/// Whether the request is meant to open a WebSocket. Requests for other protocols (`Upgrade: h2c` of curl --http2 and of Java's
/// HttpClient) are not, nor are those of HTTP/1.0, in which Upgrade means nothing: there the field is ignored (RFC 9110, section
/// 7.8). A handshake of which a proxy on the way has swallowed Upgrade is: its sender would not know what to do with any other
/// answer.
bool meansWebSocket(const HttpRequest &request);

/// Judges the head of a request that meansWebSocket(). No socket, no state.
std::variant<UpgradeRequest, RefusedUpgrade> judgeUpgrade(const HttpRequest &request);

/// The shortest request head that asks QWebSocketServer for this upgrade: it keeps every field that
/// it is given for as long as the client lives, so it is given no more than it needs. `subprotocol`
/// may be empty.
QByteArray minimalUpgradeHead(const QByteArray &key, const QByteArray &subprotocol = {});

/// An answer of QWebSocketServer without the Access-Control fields that it adds on its own account. CORS does not apply to
/// WebSockets, and Qt's `*` would contradict the relay's own check of the origin.
QByteArray withoutCorsFields(const QByteArray &answerHead);

} // namespace relay
