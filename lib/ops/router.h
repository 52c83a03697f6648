#pragma once

#include "ops/access.h"
#include "ops/reply.h"
#include "wire/http_request.h"
#include "wire/http_response.h"

#include <QByteArray>

#include <functional>
#include <optional>
#include <utility>
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
    using Handler = std::function<void(const RoutedRequest &request, const ReplyPtr &reply)>;

    QByteArray method; ///< GET answers HEAD, too
    /// "/metrics": compared byte for byte with the target, without its query.
    /// "/-/api/clients/*": any longer path that begins so.
    QByteArray path;
    QByteArray description;
    Handler handler;
    AccessKind access = AccessKind::Read;
    qint64 maxBodyBytes = 0;       ///< 0: a request with a body is refused
    QByteArray bodyLimitName = {}; ///< the setting that says so, for who is refused a longer one
};

/// A request in a line of the log: "POST /-/api/drain from 127.0.0.1:50112".
QString describe(const HttpRequest &head, const QString &peer);

/// A handler that answers immediately.
Route::Handler answering(std::function<HttpResponse(const RoutedRequest &request)> answer);

/// Finds what answers a request. A value: no socket, no clock.
///
/// Of several routes that fit, the one that was added first answers.
/// Errors: are answers: 404 for a path that nobody has, 405 (with Allow) for a method that its path
/// has not, Access' for who may not, 413 for a body where none is taken.
class Router
{
public:
    explicit Router(Access access = Access({}, true))
        : m_access(std::move(access))
    {}

    void add(Route route);

    /// Judges a request before its body is read: what is wrong with it, or nothing.
    [[nodiscard]] std::optional<HttpResponse> refuse(const HttpRequest &head, bool hasBody) const;
    /// How long the body of this request may be. Precondition: it was not refused.
    [[nodiscard]] qint64 maxBodyBytes(const HttpRequest &head) const;
    /// The answer to who sends a longer one.
    [[nodiscard]] HttpResponse bodyTooLong(const HttpRequest &head) const;
    [[nodiscard]] bool isHealthCheck(const HttpRequest &head) const;
    /// Precondition: it was not refused. An order (AccessKind::Change) leaves a line in the log: who gave it, and what the
    /// answer was.
    void
    answer(HttpRequest head, QByteArray body, const QString &peer, const ReplyPtr &reply) const;

    /// A page in plain text: each route with its description, in the order of add().
    [[nodiscard]] QByteArray index() const;

private:
    [[nodiscard]] const Route *find(const QByteArray &method, QByteArrayView path) const;
    [[nodiscard]] HttpResponse noRoute(QByteArrayView path) const;
    /// The methods that `path` has, as the Allow field lists them; empty when nobody has the path.
    [[nodiscard]] QByteArray allowedMethods(QByteArrayView path) const;

    Access m_access;
    std::vector<Route> m_routes;
};

} // namespace relay
