#include "wire/authority.h"

#include "base/ip_address.h"
#include "wire/http_grammar.h"

#include <algorithm>
#include <cstring>

namespace relay {

namespace {

/// unreserved / pct-encoded / sub-delims: RFC 3986 is generous with names.
bool isNameChar(char c)
{
    const bool isAlphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return isAlphanumeric || (c != '\0' && std::strchr("-._~%!$&'()*+,;=", c) != nullptr);
}

/// Where the port's colon stands, or the end of the text.
qsizetype hostEnd(QByteArrayView text)
{
    const qsizetype from = text.startsWith('[') ? std::max<qsizetype>(text.indexOf(']'), 0) : 0;
    const qsizetype colon = text.indexOf(':', from);
    return colon < 0 ? text.size() : colon;
}

bool readHost(QByteArrayView text, Authority &into)
{
    std::optional<IpAddress> address;
    if (text.startsWith('[')) {
        address = text.endsWith(']') && text.contains(':')
                      ? IpAddress::fromText(text.sliced(1, text.size() - 2))
                      : std::nullopt;
        if (!address) {
            return false;
        }
    } else {
        address = IpAddress::fromText(text);
    }
    into.isAddress = address.has_value();
    into.host = address ? address->toText() : text.toByteArray().toLower();
    return address || (std::all_of(text.begin(), text.end(), isNameChar) && hasWholeEscapes(text));
}

/// An empty port is the scheme's own (RFC 3986, section 3.2.3).
bool readPort(QByteArrayView digits, Authority &into)
{
    if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return false;
    }
    bool fits = digits.isEmpty();
    const quint16 port = fits ? quint16{0} : digits.toUShort(&fits);
    if (fits && !digits.isEmpty()) {
        into.port = port;
    }
    return fits;
}

} // namespace

std::optional<Authority> Authority::fromText(QByteArrayView text)
{
    Authority authority;
    const qsizetype end = hostEnd(text);
    const bool hasPort = end < text.size();
    if (!readHost(text.first(end), authority)
        || (hasPort && (end == 0 || !readPort(text.sliced(end + 1), authority))))
    {
        return std::nullopt;
    }
    return authority;
}

} // namespace relay
