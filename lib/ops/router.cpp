#include "ops/router.h"

#include "wire/request_target.h"

#include <QByteArrayList>
#include <QLoggingCategory>

#include <algorithm>
#include <utility>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcOrders, "relay.ops")

/// A target is as long as a head may be; its beginning says what it was about.
constexpr qsizetype kMaxShownTarget = 200;

/// Passes the answer to an order on, and leaves a line in the log that says who gave the order and what came of it.
class LoggedReply final : public Reply
{
public:
    LoggedReply(QString order, ReplyPtr reply)
        : m_order(std::move(order))
        , m_reply(std::move(reply))
    {}
    LoggedReply(const LoggedReply &) = delete;
    LoggedReply &operator=(const LoggedReply &) = delete;
    ~LoggedReply() override
    {
        if (!m_isLogged) {
            qCWarning(lcOrders).noquote() << "order:" << m_order << "was not answered";
        }
    }

    void send(const HttpResponse &response) override
    {
        log(response);
        m_reply->send(response);
    }
    void beginStream(const HttpResponse &head) override
    {
        log(head);
        m_reply->beginStream(head);
    }
    bool write(const QByteArray &bytes) override { return m_reply->write(bytes); }

private:
    void log(const HttpResponse &response)
    {
        m_isLogged = true;
        qCInfo(lcOrders).noquote() << "order:" << m_order << "answered" << response.status;
    }

    const QString m_order;
    const ReplyPtr m_reply;
    bool m_isLogged = false;
};

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

QString describe(const HttpRequest &head, const QString &peer)
{
    const QByteArray target = head.target.size() > kMaxShownTarget
                                  ? head.target.first(kMaxShownTarget) + "..."
                                  : head.target;
    return QString::fromUtf8(head.method) + QLatin1Char(' ') + QString::fromUtf8(target)
           + QStringLiteral(" from ") + peer;
}

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

bool Router::isHealthCheck(const HttpRequest &head) const
{
    const Route *route = find(methodOf(head), pathOf(head));
    return route != nullptr && route->access == AccessKind::Health;
}

void Router::answer(HttpRequest head,
                    QByteArray body,
                    const QString &peer,
                    const ReplyPtr &reply) const
{
    const QByteArray path = pathOf(head);
    const Route *route = find(methodOf(head), path);
    const QByteArray parameter = path.sliced(fixedPart(*route).size());
    ReplyPtr answered = reply;
    if (route->access == AccessKind::Change) {
        answered = std::make_shared<LoggedReply>(describe(head, peer)
                                                     + (m_access.hasToken(head)
                                                            ? QStringLiteral(" with the token")
                                                            : QStringLiteral(" without a token")),
                                                 reply);
    }
    route->handler({std::move(head), std::move(body), parameter}, answered);
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
