#pragma once

#include <QByteArrayView>

namespace relay {

// The small pieces that header fields are made of (RFC 9110, section 5.6).

/// A character of a token, such as a method or a field's name.
bool isTokenChar(char c);
/// A token; an empty text is none.
bool isHttpToken(QByteArrayView text);
/// Compares field names, tokens and schemes: ASCII, case is ignored.
bool equalsIgnoringCase(QByteArrayView a, QByteArrayView b);
/// Whether each % is followed by two hexadecimal digits (RFC 3986, section 2.1).
bool hasWholeEscapes(QByteArrayView text);

/// Whether `predicate` holds for an element of a comma-separated list (section 5.6.1). Blanks around elements and empty elements
/// are left out. Commas in quoted strings are not looked for: lists of tokens have none.
template <typename Predicate>
bool anyListElement(QByteArrayView list, Predicate predicate)
{
    while (true) {
        const qsizetype comma = list.indexOf(',');
        const QByteArrayView element = (comma < 0 ? list : list.first(comma)).trimmed();
        if (!element.isEmpty() && predicate(element)) {
            return true;
        }
        if (comma < 0) {
            return false;
        }
        list = list.sliced(comma + 1);
    }
}

} // namespace relay
