#pragma once

#include "wire/http_request.h"
#include "wire/http_response.h"

#include <QByteArray>

#include <functional>
#include <vector>

namespace relay {

/// A request as its route's handler sees it.
struct RoutedRequest
{
    HttpRequest head;
    QByteArray body;
    QByteArray parameter; ///< what stands for the `*` of the route's path, as sent: %2F is no slash
};

/// What answers one method on one path.
struct Route
{
    QByteArray method; ///< GET answers HEAD, too
    /// "/metrics": compared byte for byte with the target, without its query.
    /// "/-/api/clients/*": any longer path that begins so.
    QByteArray path;
    QByteArray description;
    std::function<HttpResponse(const RoutedRequest &request)> handler;
    qint64 maxBodyBytes = 0; ///< 0: a request with a body is refused
};

/// Finds what answers a request. A value: no socket, no clock.
///
/// Of several routes that fit, the one that was added first answers.
/// Errors: are answers: 404 for a path that nobody has, 405 (with Allow) for a method that its path
/// has not, 413 for a body where none is taken.
class Router
{
public:
    void add(Route route);

    /// How long the body of this request may be; 0 when it shall have none.
    [[nodiscard]] qint64 maxBodyBytes(const HttpRequest &head) const;

    [[nodiscard]] HttpResponse answer(HttpRequest head, QByteArray body) const;

    /// Answers a request whose body is not read: 413, or 404 or 405 when it has no route anyway.
    [[nodiscard]] HttpResponse refuseBody(const HttpRequest &head) const;

    /// A page in plain text: each route with its description, in the order of add().
    [[nodiscard]] QByteArray index() const;

private:
    [[nodiscard]] const Route *find(const QByteArray &method, QByteArrayView path) const;
    [[nodiscard]] HttpResponse refuse(QByteArrayView path) const;
    /// The methods that `path` has, as the Allow field lists them; empty when nobody has the path.
    [[nodiscard]] QByteArray allowedMethods(QByteArrayView path) const;

    std::vector<Route> m_routes;
};

} // namespace relay
