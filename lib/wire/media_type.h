#pragma once

#include "wire/http_request.h"

#include <QByteArray>
#include <QByteArrayView>

#include <optional>
#include <span>

namespace relay {

/// A Content-Type's parts (RFC 9110, section 8.3): type and charset, in lower case.
struct MediaType
{
    QByteArray type;    ///< "text/plain"; empty without the field
    QByteArray charset; ///< empty when it is not said
};
MediaType contentTypeOf(const HttpRequest &request);

/// Which of the types the request's Accept fields like best (RFC 9110, section 12.5.1): the highest
/// weight, and of equals the one that is named first. A type that is named only by a wildcard has
/// the narrowest one's weight, and comes after those that are named themselves, in the order of
/// `types`. Nothing when none is acceptable; the first of `types` without the field.
std::optional<std::size_t> preferredType(const HttpRequest &request,
                                         std::span<const QByteArrayView> types);

} // namespace relay
