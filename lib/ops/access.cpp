#include "ops/access.h"

#include "wire/request_target.h"

#include <QCryptographicHash>

#include <openssl/crypto.h>

namespace relay {

namespace {

/// Digests are equally long, so that the comparison tells nothing of the token's length either.
QByteArray digestOf(const QByteArray &token)
{
    return QCryptographicHash::hash(token, QCryptographicHash::Sha256);
}

HttpResponse unauthorized()
{
    HttpResponse response = errorResponse(
        401, "unauthorized",
        "This needs the relay's token (ops.token). Send it as \"Authorization: Bearer <token>\".");
    response.fields.append(HttpField{"WWW-Authenticate", "Bearer realm=\"relay\""});
    return response;
}

/// Whether a browser says that a page of another site asks. A person who follows a link is let in.
bool isForeignFetch(const HttpRequest &request)
{
    const QByteArray site = request.value("Sec-Fetch-Site");
    const bool isLink = request.method == "GET" && request.value("Sec-Fetch-Dest") == "document";
    return !site.isEmpty() && site != "same-origin" && site != "none" && !isLink;
}

} // namespace

Access::Access(const QByteArray &token, bool isLoopback, bool readWithoutToken)
    : m_tokenDigest(token.isEmpty() ? QByteArray() : digestOf(token))
    , m_isLoopback(isLoopback)
    , m_readWithoutToken(readWithoutToken)
    , m_origins({}, isLoopback ? OriginPolicy::OwnHost::LocalOnly : OriginPolicy::OwnHost::AnyName)
{}

std::optional<HttpResponse> Access::refuse(const HttpRequest &request, AccessKind kind) const
{
    if (kind == AccessKind::Health) {
        return std::nullopt;
    }
    const bool mayRead = kind == AccessKind::Read && m_readWithoutToken;
    const bool needsToken = !m_isLoopback || (!m_tokenDigest.isEmpty() && !mayRead);
    if (needsToken && !hasToken(request)) {
        return unauthorized();
    }
    if (const QByteArray why = whyForeign(request); !why.isEmpty()) {
        return errorResponse(403, "forbidden_origin", why);
    }
    return std::nullopt;
}

bool Access::hasToken(const HttpRequest &request) const
{
    constexpr QByteArrayView kScheme("Bearer ");
    const QByteArray value = request.value("Authorization");
    if (m_tokenDigest.isEmpty() || request.count("Authorization") != 1
        || value.left(kScheme.size()).compare(kScheme, Qt::CaseInsensitive) != 0)
    {
        return false;
    }
    const QByteArray given = digestOf(value.sliced(kScheme.size()).trimmed());
    return CRYPTO_memcmp(given.constData(), m_tokenDigest.constData(),
                         static_cast<std::size_t>(given.size()))
           == 0;
}

QByteArray Access::whyForeign(const HttpRequest &request) const
{
    const auto target = targetOf(request);
    const QByteArray host = target ? target->host : QByteArray();
    if (!host.isEmpty() && !m_origins.allows("http://" + host, host)) {
        return "The ops port on loopback is reached as localhost or by an IP address, and the "
               "request's Host is another name. A proxy must set Host.";
    }
    if (!m_origins.allows(request.value("Origin"), host) || isForeignFetch(request)) {
        return "Web pages of other origins may not use the ops port.";
    }
    return {};
}

} // namespace relay
