#pragma once

#include "wire/http_request.h"
#include "wire/http_response.h"
#include "wire/request_target.h"

#include <QByteArray>

#include <variant>

namespace relay {

/// What a valid opening handshake asks for (RFC 6455, section 4.2.1).
struct UpgradeRequest
{
    RequestTarget target;
    QByteArray origin; ///< empty: not a browser
    QByteArray key;    ///< Sec-WebSocket-Key: base64 of 16 bytes
};

enum class UpgradeRefusal {
    BadRequest,       ///< 400: an upgrade that breaks a rule
    MethodNotAllowed, ///< 405, with Allow: not GET
    UpgradeRequired,  ///< 426, with Upgrade: websocket (and Sec-WebSocket-Version: 13): no upgrade,
                      ///< or of another version
};

struct RefusedUpgrade
{
    UpgradeRefusal reason{};
    HttpResponse response; ///< says in a sentence what is missing
};

/// Judges a request's head. No socket, no state.
std::variant<UpgradeRequest, RefusedUpgrade> judgeUpgrade(const HttpRequest &request);

/// The shortest request head that asks QWebSocketServer for this upgrade: it keeps every field that
/// it is given for as long as the client lives, so it is given no more than it needs. `subprotocol`
/// may be empty.
QByteArray minimalUpgradeHead(const QByteArray &key, const QByteArray &subprotocol = {});

} // namespace relay
