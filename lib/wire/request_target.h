#pragma once

#include "wire/http_request.h"

#include <QByteArray>

#include <optional>

namespace relay {

/// What a request's target names: a path at the Host field's host, or an absolute URI, whose own
/// host then counts (RFC 6455, section 4.2.1; RFC 9112, section 3.2.2).
struct RequestTarget
{
    QByteArray host;
    QByteArray path;  ///< begins with a slash; percent-encoded
    QByteArray query; ///< without its question mark; percent-encoded

    /// The decoded value of a query's first field of that name ("a=1&b" has "" for b); nothing when
    /// there is none.
    [[nodiscard]] std::optional<QByteArray> parameter(QByteArrayView name) const;
};

/// Nothing when it is neither.
std::optional<RequestTarget> targetOf(const HttpRequest &request);

} // namespace relay
