#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QList>

namespace relay {

struct HttpField
{
    QByteArray name; ///< as the client wrote it
    QByteArray value;
};

/// The head of an HTTP/1 request (RFC 9112), as plain values.
struct HttpRequest
{
    QByteArray method;
    QByteArray target; ///< as sent: "/chat?last=5"
    int version = 11;  ///< 10 or 11
    bool keepAlive = true;
    QList<HttpField> fields;

    /// The first field of that name (case is ignored), or a null QByteArray.
    [[nodiscard]] QByteArray value(QByteArrayView name) const;
    /// How many fields have that name.
    [[nodiscard]] int count(QByteArrayView name) const;
    /// Whether a comma-separated list in any field of that name holds this token (case is ignored;
    /// RFC 9110, section 5.6.1).
    [[nodiscard]] bool hasToken(QByteArrayView name, QByteArrayView token) const;
};

/// What a request's head may be at most.
struct HttpLimits
{
    qsizetype headBytes = 16384;
    int fields = 100;
};

/// Parses a request's head with Boost.Beast. Takes bytes and gives values; `bytes` may hold more
/// than the head.
///
/// Limits: HttpLimits; a head that is not complete within headBytes is TooLarge at once. Cheap
/// enough to be called again with the whole buffer at each arrival.
///
/// Errors: Malformed, with a sentence for the answer's body. Hostile input never throws.
struct HttpRequestParse
{
    enum class Status {
        NeedMore,
        Complete,
        Malformed, ///< 400
        TooLarge,  ///< 431
    };
    Status status = Status::NeedMore;
    HttpRequest request;     ///< when Complete
    qsizetype headBytes = 0; ///< when Complete: where the head ends in the input
    QByteArray problem;      ///< when Malformed or TooLarge
};
HttpRequestParse parseHttpRequest(QByteArrayView bytes, const HttpLimits &limits);

} // namespace relay
