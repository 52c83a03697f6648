#pragma once

#include "wire/http_request.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QList>

namespace relay {

/// An HTTP/1.1 answer with a body that is known whole.
struct HttpResponse
{
    int status = 200;
    /// Besides Content-Length, Connection, Date and Server, which serialize() adds. A field named Upgrade
    /// is named in Connection too.
    QList<HttpField> fields;
    QByteArray contentType; ///< none when empty
    QByteArray body;
    QByteArray sentence = {}; ///< of an error, for a person: what a page shows instead of the body
    // Set by the connection that sends it:
    QByteArray date = {}; ///< as DateField says
    bool keepAlive = false;

    /// Names a request's field in Vary: caches keep the answers to its different values apart.
    void varyBy(const QByteArray &field);

    /// Head and body as they go to the wire (Boost.Beast's serializer). `headOnly` answers a HEAD
    /// request.
    [[nodiscard]] QByteArray serialize(bool headOnly = false) const;

    /// The head of an answer without a length, such as text/event-stream: what follows it goes on
    /// until the connection ends. `body` and `keepAlive` do not count.
    [[nodiscard]] QByteArray serializeStreamHead() const;
};

/// Tells a client that waits for it to send its body (RFC 9110, section 15.2.1); the answer follows.
inline constexpr QByteArrayView kContinueAnswer("HTTP/1.1 100 Continue\r\n\r\n");

/// "Not Found" for 404.
QByteArray reasonPhrase(int status);

/// A text/plain answer: a sentence for a person.
HttpResponse plainResponse(int status, const QByteArray &text);

/// An application/json answer: `json` and a line end, for terminals.
HttpResponse jsonResponse(int status, QByteArray json);

/// {"error":"<code>","message":"<sentence>"}: a code in snake_case for programs, a sentence in UTF-8
/// for a person.
HttpResponse errorResponse(int status, const char *code, const QByteArray &sentence);

/// The same answer with Retry-After: the client should send its request again after a second.
HttpResponse retryLater(HttpResponse response);

} // namespace relay
