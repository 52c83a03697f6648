#pragma once

#include "wire/http_request.h"

#include <QByteArray>
#include <QList>

namespace relay {

/// An HTTP/1.1 answer with a body that is known whole.
struct HttpResponse
{
    int status = 200;
    /// Besides Content-Length, Connection and Server, which serialize() adds. A field named Upgrade
    /// is named in Connection too.
    QList<HttpField> fields;
    QByteArray contentType; ///< none when empty
    QByteArray body;
    bool keepAlive = false;

    /// Head and body as they go to the wire (Boost.Beast's serializer). `headOnly` answers a HEAD
    /// request.
    [[nodiscard]] QByteArray serialize(bool headOnly = false) const;
};

/// A text/plain answer: a sentence for a person.
HttpResponse plainResponse(int status, const QByteArray &text);

} // namespace relay
