#pragma once

#include "wire/http_request.h"

#include <QByteArray>

#include <optional>

namespace relay {

/// What a request's target names: a path at the Host field's host, or an absolute URI, whose own
/// host then counts (RFC 6455, section 4.2.1; RFC 9112, section 3.2.2).
struct RequestTarget
{
    QByteArray host;  ///< with its port, as sent
    QByteArray path;  ///< begins with a slash; percent-encoded
    QByteArray query; ///< without its question mark; percent-encoded

    /// The decoded value of a query's first field of that name ("a=1&b" has "" for b); nullopt if
    /// there is none.
    [[nodiscard]] std::optional<QByteArray> parameter(QByteArrayView name) const;
};

/// Returns nullopt if it is neither.
std::optional<RequestTarget> targetOf(const HttpRequest &request);

/// Why the target breaks RFC 9112, section 3.2, as a sentence; empty if it does not. The brackets, braces, ^, ` and | that RFC
/// 3986 wants encoded are let pass: browsers send them as they are (WHATWG URL). What no browser sends and proxies read in
/// different ways (\, #, quotes, angle brackets, a lone %) is refused.
QByteArray targetProblem(const HttpRequest &request);

} // namespace relay
