#pragma once

#include "wire/http_request.h"
#include "wire/http_response.h"

#include <QByteArray>

#include <functional>
#include <vector>

namespace relay {

/// What answers one method on one path.
struct Route
{
    QByteArray method; ///< GET answers HEAD, too
    QByteArray path;   ///< "/metrics": compared byte for byte with the target, without its query
    QByteArray description;
    std::function<HttpResponse(const HttpRequest &request)> handler;
};

/// Finds what answers a request. A value: no socket, no clock.
///
/// Errors: are answers: 404 for a path that nobody has, 405 (with Allow) for a method that its path
/// has not, 413 for a request with a body (no route takes one).
class Router
{
public:
    void add(Route route);

    [[nodiscard]] HttpResponse answer(const HttpRequest &request) const;

    /// A page in plain text: each route with its description, in the order of add().
    [[nodiscard]] QByteArray index() const;

private:
    /// The methods that `path` has, as the Allow field lists them; empty when nobody has the path.
    [[nodiscard]] QByteArray allowedMethods(QByteArrayView path) const;

    std::vector<Route> m_routes;
};

/// Whether the head announces a body, however long.
bool announcesBody(const HttpRequest &request);

} // namespace relay
