#pragma once

#include "auth/origin_policy.h"
#include "wire/http_request.h"
#include "wire/http_response.h"

#include <QByteArray>

#include <optional>

namespace relay {

/// What a route lets its caller do, which decides whether the caller needs the token.
enum class AccessKind {
    Health, ///< never
    Read, ///< if there is a token, unless OpsOptions::readWithoutToken lets callers on loopback read
    Change, ///< if there is a token
};

/// Who may do what on the ops port: a bearer token (RFC 6750), and no foreign web page.
///
/// On loopback a request's Host must be this machine (see OriginPolicy::OwnHost), and an Origin its
/// own, but for health checks: any page that the operator looks at could otherwise
/// reach the port with his browser. What a page loads without an Origin, such as an image, is known
/// by Sec-Fetch-Site (W3C Fetch Metadata).
/// Thread: a value.
class Access
{
public:
    /// An empty token is none: everything is allowed on loopback then, and nothing but health checks elsewhere.
    Access(const QByteArray &token, bool isLoopback, bool readWithoutToken = false);

    /// The answer to who may not: 401 with WWW-Authenticate, or 403. The comparison takes the same
    /// time whatever the guess is.
    [[nodiscard]] std::optional<HttpResponse> refuse(const HttpRequest &request,
                                                     AccessKind kind) const;

    /// Whether the request shows the token.
    [[nodiscard]] bool hasToken(const HttpRequest &request) const;

private:
    /// What is foreign about who asks, as a sentence; empty when nothing is.
    [[nodiscard]] QByteArray whyForeign(const HttpRequest &request) const;

    QByteArray m_tokenDigest; ///< empty: no token
    bool m_isLoopback;
    bool m_readWithoutToken;
    OriginPolicy m_origins;
};

} // namespace relay
