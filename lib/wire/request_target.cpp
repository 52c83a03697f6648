#include "wire/request_target.h"

#include <algorithm>

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
    for (const QByteArrayView scheme : {QByteArrayView("http://"), QByteArrayView("https://")}) {
        if (target.left(scheme.size()).compare(scheme, Qt::CaseInsensitive) != 0) {
            continue;
        }
        const QByteArray rest = target.mid(scheme.size());
        const auto *const hostEnd = std::find_if(
            rest.begin(), rest.end(), [](char c) { return c == '/' || c == '?' || c == '#'; });
        const QByteArray host = rest.left(hostEnd - rest.begin());
        if (host.isEmpty() || host.contains('@')) {
            return std::nullopt;
        }
        const QByteArray path = rest.mid(host.size());
        return parted(host, path.startsWith('/') ? path : "/" + path);
    }
    return std::nullopt;
}

} // namespace relay
