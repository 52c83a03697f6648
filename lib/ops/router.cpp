#include "ops/router.h"

#include "wire/request_target.h"

#include <QByteArrayList>

#include <algorithm>
#include <utility>

namespace relay {

namespace {

/// Empty for what is no target: nobody has that path.
QByteArray pathOf(const HttpRequest &head)
{
    const auto target = targetOf(head);
    return target ? target->path : QByteArray();
}

QByteArray methodOf(const HttpRequest &head)
{
    return head.method == "HEAD" ? QByteArray("GET") : head.method;
}

/// The part of a route's path before the `*`; the whole path when it has none.
QByteArrayView fixedPart(const Route &route)
{
    const QByteArrayView path(route.path);
    return path.endsWith('*') ? path.chopped(1) : path;
}

bool fits(const Route &route, QByteArrayView path)
{
    const QByteArrayView fixed = fixedPart(route);
    return fixed.size() == route.path.size() ? path == fixed
                                             : path.size() > fixed.size() && path.startsWith(fixed);
}

} // namespace

Route::Handler answering(std::function<HttpResponse(const RoutedRequest &)> answer)
{
    return [answer = std::move(answer)](const RoutedRequest &request, const ReplyPtr &reply) {
        reply->send(answer(request));
    };
}

void Router::add(Route route)
{
    m_routes.push_back(std::move(route));
}

qint64 Router::maxBodyBytes(const HttpRequest &head) const
{
    const Route *route = find(methodOf(head), pathOf(head));
    return route == nullptr ? 0 : route->maxBodyBytes;
}

HttpResponse Router::bodyTooLong(const HttpRequest &head) const
{
    const Route *route = find(methodOf(head), pathOf(head));
    QByteArray sentence =
        "The body is longer than " + QByteArray::number(maxBodyBytes(head)) + " bytes";
    if (route != nullptr && !route->bodyLimitName.isEmpty()) {
        sentence += ", which is " + route->bodyLimitName;
    }
    return errorResponse(413, "too_big", sentence + '.');
}

void Router::answer(HttpRequest head, QByteArray body, const ReplyPtr &reply) const
{
    const QByteArray path = pathOf(head);
    const Route *route = find(methodOf(head), path);
    const QByteArray parameter = path.sliced(fixedPart(*route).size());
    route->handler({std::move(head), std::move(body), parameter}, reply);
}

std::optional<HttpResponse> Router::refuse(const HttpRequest &head, bool hasBody) const
{
    const QByteArray path = pathOf(head);
    const Route *route = find(methodOf(head), path);
    // Without a right to look, nobody learns what there is to see.
    const AccessKind access = route == nullptr ? AccessKind::Read : route->access;
    if (auto refused = m_access.refuse(head, access)) {
        return refused;
    }
    if (route == nullptr) {
        return noRoute(path);
    }
    if (hasBody && route->maxBodyBytes == 0) {
        return plainResponse(413,
                             "A request to this path must not have a body. Write parameters in "
                             "the query, as in /path?name=value.");
    }
    return std::nullopt;
}

const Route *Router::find(const QByteArray &method, QByteArrayView path) const
{
    const auto route = std::find_if(m_routes.begin(), m_routes.end(), [&](const Route &candidate) {
        return candidate.method == method && fits(candidate, path);
    });
    return route == m_routes.end() ? nullptr : &*route;
}

HttpResponse Router::noRoute(QByteArrayView path) const
{
    const QByteArray allowed = allowedMethods(path);
    if (allowed.isEmpty()) {
        return plainResponse(404, "There is no such path. GET / lists all paths.");
    }
    HttpResponse response = plainResponse(405, "This path answers the methods " + allowed + ".");
    response.fields.append({"Allow", allowed});
    return response;
}

QByteArray Router::index() const
{
    QByteArrayList lines{"relay: the ops port", ""};
    for (const Route &route : m_routes) {
        lines.append(route.method.leftJustified(6) + ' ' + route.path.leftJustified(30) + ' '
                     + route.description);
    }
    return lines.join('\n');
}

QByteArray Router::allowedMethods(QByteArrayView path) const
{
    QByteArrayList methods;
    for (const Route &route : m_routes) {
        if (fits(route, path)) {
            methods.append(route.method);
            if (route.method == "GET") {
                methods.append("HEAD");
            }
        }
    }
    return methods.join(", ");
}

} // namespace relay
