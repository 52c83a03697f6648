#pragma once

#include "wire/http_request.h"
#include "wire/http_response.h"

#include <QByteArray>
#include <QByteArrayView>

#include <optional>
#include <span>
#include <variant>

namespace relay {

/// A Content-Type's parts (RFC 9110, section 8.3): type and charset, in lower case.
struct MediaType
{
    QByteArray type;    ///< "text/plain"; empty without the field
    QByteArray charset; ///< empty when it is not said
};
MediaType contentTypeOf(const HttpRequest &request);

/// Whether bodies of this type are published as text: text/*, application/json, application/*+json, and
/// application/x-www-form-urlencoded, which is what `curl -d` says of any text.
bool isTextType(QByteArrayView type);

/// What a published body is, as far as its Content-Type says.
enum class BodyKind {
    Text,       ///< must be UTF-8
    Binary,     ///< taken as it is
    TextIfUtf8, ///< without a Content-Type: text if it is valid UTF-8, else binary
};
/// Errors: the answer: 415 for text in another charset than UTF-8 (utf-8, utf8, and ASCII, which is part of it).
std::variant<BodyKind, HttpResponse> bodyKindOf(const HttpRequest &request);
/// Whether this body is text, now that it is known. Errors: the answer: 400 for text that is not UTF-8.
std::variant<bool, HttpResponse> isTextBody(BodyKind kind, const QByteArray &body);

/// Which of the types the request's Accept fields like best (RFC 9110, section 12.5.1): the highest
/// weight, and of equals the one that is named first. A type that is named only by a wildcard has
/// the narrowest one's weight, and comes after those that are named themselves, in the order of
/// `types`. Returns nullopt if none is acceptable; the first of `types` without the field.
std::optional<std::size_t> preferredType(const HttpRequest &request,
                                         std::span<const QByteArrayView> types);

} // namespace relay
