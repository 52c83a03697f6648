#include "wire/request_target.h"

#include "wire/authority.h"
#include "wire/http_grammar.h"

#include <algorithm>
#include <cstring>

namespace relay {

namespace {

RequestTarget parted(const QByteArray &host, const QByteArray &pathAndQuery)
{
    const qsizetype question = pathAndQuery.indexOf('?');
    if (question < 0) {
        return {.host = host, .path = pathAndQuery, .query = {}};
    }
    return {.host = host,
            .path = pathAndQuery.first(question),
            .query = pathAndQuery.sliced(question + 1)};
}

bool isTargetChar(char c)
{
    return c > 0x20 && c < 0x7F && std::strchr("\"#<>\\", c) == nullptr;
}

/// Where the host begins in a target that is an http or https URI; 0 in any other.
qsizetype authorityBegin(const QByteArray &target)
{
    for (const QByteArrayView scheme : {QByteArrayView("http://"), QByteArrayView("https://")}) {
        if (equalsIgnoringCase(target.left(scheme.size()), scheme)) {
            return scheme.size();
        }
    }
    return 0;
}

QByteArrayView authorityIn(const QByteArray &target, qsizetype begin)
{
    const auto *const end = std::find_if(target.begin() + begin, target.end(),
                                         [](char c) { return c == '/' || c == '?'; });
    return QByteArrayView(target).sliced(begin, end - target.begin() - begin);
}

} // namespace

std::optional<QByteArray> RequestTarget::parameter(QByteArrayView name) const
{
    QByteArrayView rest = query;
    while (!rest.isEmpty()) {
        const qsizetype ampersand = rest.indexOf('&');
        const QByteArrayView field = ampersand < 0 ? rest : rest.first(ampersand);
        const qsizetype equals = field.indexOf('=');
        if ((equals < 0 ? field : field.first(equals)) == name) {
            return equals < 0
                       ? QByteArray("")
                       : QByteArray::fromPercentEncoding(field.sliced(equals + 1).toByteArray());
        }
        rest = ampersand < 0 ? QByteArrayView() : rest.sliced(ampersand + 1);
    }
    return std::nullopt;
}

std::optional<RequestTarget> targetOf(const HttpRequest &request)
{
    const QByteArray &target = request.target;
    if (target.startsWith('/')) {
        return parted(request.value("Host"), target);
    }
    const qsizetype begin = authorityBegin(target);
    if (begin == 0) {
        return std::nullopt;
    }
    const QByteArrayView host = authorityIn(target, begin);
    const auto authority = Authority::fromText(host);
    if (!authority || authority->host.isEmpty()) {
        return std::nullopt;
    }
    const QByteArray path = target.sliced(begin + host.size());
    return parted(host.toByteArray(), path.startsWith('/') ? path : "/" + path);
}

QByteArray targetProblem(const HttpRequest &request)
{
    const QByteArray &target = request.target;
    if (!std::all_of(target.begin(), target.end(), isTargetChar)) {
        return "the request target holds a byte that must be percent-encoded";
    }
    if (!hasWholeEscapes(target)) {
        return "the request target has a % that two hexadecimal digits do not follow";
    }
    const qsizetype begin = authorityBegin(target);
    if (begin == 0) {
        return {};
    }
    if (!targetOf(request)) {
        return "the request target's host is not a name or an IP address with an optional port";
    }
    // A client that names a host in the target names it in Host as well (RFC 9112, section 3.2).
    return request.count("Host") > 0 && request.value("Host").isEmpty()
               ? QByteArray("the Host header field is empty, but the request target names a host")
               : QByteArray();
}

} // namespace relay
