#include "ops/router.h"

#include <QByteArrayList>

#include <algorithm>
#include <utility>

namespace relay {

namespace {

/// The path of a request's target, in origin form ("/metrics?x") or, as for a proxy, in absolute
/// form ("http://host/metrics").
QByteArray pathOf(const QByteArray &target)
{
    constexpr QByteArrayView kScheme("http://");
    QByteArray path = target;
    if (path.left(kScheme.size()).toLower() == kScheme) {
        const qsizetype slash = path.indexOf('/', kScheme.size());
        path = slash < 0 ? QByteArray("/") : path.mid(slash);
    }
    const qsizetype query = path.indexOf('?');
    return query < 0 ? path : path.left(query);
}

} // namespace

void Router::add(Route route)
{
    m_routes.push_back(std::move(route));
}

HttpResponse Router::answer(const HttpRequest &request) const
{
    const QByteArray path = pathOf(request.target);
    const QByteArray method = request.method == "HEAD" ? QByteArray("GET") : request.method;
    const auto route = std::find_if(m_routes.begin(), m_routes.end(), [&](const Route &candidate) {
        return candidate.path == path && candidate.method == method;
    });
    if (route != m_routes.end()) {
        return announcesBody(request)
                   ? plainResponse(413, "A request to this path must not have a body.")
                   : route->handler(request);
    }
    const QByteArray allowed = allowedMethods(path);
    if (allowed.isEmpty()) {
        return plainResponse(404, "Nothing is here. GET / lists what there is.");
    }
    HttpResponse response = plainResponse(405, "This path answers " + allowed + ".");
    response.fields.append({"Allow", allowed});
    return response;
}

QByteArray Router::index() const
{
    QByteArrayList lines{"relay: the ops port", ""};
    for (const Route &route : m_routes) {
        lines.append(route.method + ' ' + route.path.leftJustified(12) + ' ' + route.description);
    }
    return lines.join('\n');
}

QByteArray Router::allowedMethods(QByteArrayView path) const
{
    QByteArrayList methods;
    for (const Route &route : m_routes) {
        if (route.path == path) {
            methods.append(route.method);
            if (route.method == "GET") {
                methods.append("HEAD");
            }
        }
    }
    return methods.join(", ");
}

bool announcesBody(const HttpRequest &request)
{
    if (request.count("Transfer-Encoding") > 0) {
        return true;
    }
    // Several Content-Length fields: the parser refuses those that differ.
    const QByteArray length = request.value("Content-Length");
    return !length.isNull()
           && std::any_of(length.begin(), length.end(), [](char digit) { return digit != '0'; });
}

} // namespace relay
