#include "wire/http_grammar.h"

#include <algorithm>
#include <cstring>

namespace relay {

namespace {

bool isHexDigit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

} // namespace

bool isTokenChar(char c)
{
    const bool isAlphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return isAlphanumeric || (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

bool isHttpToken(QByteArrayView text)
{
    return !text.isEmpty() && std::all_of(text.begin(), text.end(), isTokenChar);
}

bool equalsIgnoringCase(QByteArrayView a, QByteArrayView b)
{
    return a.size() == b.size() && a.compare(b, Qt::CaseInsensitive) == 0;
}

bool hasWholeEscapes(QByteArrayView text)
{
    for (qsizetype percent = text.indexOf('%'); percent >= 0;
         percent = text.indexOf('%', percent + 3)) {
        if (percent + 2 >= text.size() || !isHexDigit(text[percent + 1])
            || !isHexDigit(text[percent + 2])) {
            return false;
        }
    }
    return true;
}

} // namespace relay
