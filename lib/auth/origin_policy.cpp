#include "auth/origin_policy.h"

#include "wire/authority.h"

#include <QByteArrayView>

#include <algorithm>
#include <optional>

namespace relay {

namespace {

/// `*` matches any run of characters. Iterative, so that no pattern makes it slow.
bool matchesWildcard(QStringView pattern, QStringView text)
{
    qsizetype p = 0;
    qsizetype t = 0;
    qsizetype star = -1;
    qsizetype resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == QLatin1Char('*')) {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star >= 0) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == QLatin1Char('*')) {
        ++p;
    }
    return p == pattern.size();
}

/// The two schemes whose pages can reach a relay; nullopt for others.
std::optional<int> defaultPort(QByteArrayView scheme)
{
    if (scheme.compare("http", Qt::CaseInsensitive) == 0) {
        return 80;
    }
    return scheme.compare("https", Qt::CaseInsensitive) == 0 ? std::optional(443) : std::nullopt;
}

bool isLocal(const Authority &host)
{
    return host.isAddress || host.host == "localhost" || host.host.endsWith(".localhost");
}

/// An Origin is scheme://host[:port] (RFC 6454, section 6.1): no user, no path.
bool isOwnHost(const QByteArray &origin, const QByteArray &host, OriginPolicy::OwnHost ownHost)
{
    const qsizetype schemeEnd = origin.indexOf("://");
    const auto port = defaultPort(QByteArrayView(origin).first(std::max<qsizetype>(schemeEnd, 0)));
    if (!port) {
        return false; // "null", file:, data:
    }
    const auto page = Authority::fromText(QByteArrayView(origin).sliced(schemeEnd + 3));
    const auto relay = Authority::fromText(host);
    const bool isSame = page && relay && !page->host.isEmpty() && page->host == relay->host
                        && page->portOr(*port) == relay->portOr(*port);
    return isSame && (ownHost == OriginPolicy::OwnHost::AnyName || isLocal(*relay));
}

/// Whether a pattern says whose pages it means: its host is more than wildcards.
bool namesHost(const QString &pattern)
{
    const qsizetype schemeEnd = pattern.indexOf(QLatin1String("://"));
    if (schemeEnd < 0) {
        return false; // *, null
    }
    const QString host = pattern.sliced(schemeEnd + 3);
    const qsizetype colon = host.lastIndexOf(QLatin1Char(':'));
    const QString name = colon > host.lastIndexOf(QLatin1Char(']')) ? host.first(colon) : host;
    return std::any_of(name.begin(), name.end(), [](QChar c) { return c.isLetterOrNumber(); });
}

} // namespace

OriginPolicy::OriginPolicy(const QStringList &patterns, OwnHost ownHost)
    : m_ownHost(ownHost)
{
    for (const QString &pattern : patterns) {
        m_patterns.append({pattern.toLower(), namesHost(pattern)});
    }
}

OriginPolicy::Decision OriginPolicy::decide(const QByteArray &origin, const QByteArray &host) const
{
    if (origin.isEmpty()) {
        return Decision::NoOrigin;
    }
    if (isOwnHost(origin, host, m_ownHost)) {
        return Decision::OwnHost;
    }
    Decision decision = Decision::Refused;
    const QString lower = QString::fromUtf8(origin).toLower();
    for (const Pattern &pattern : m_patterns) {
        if (!matchesWildcard(pattern.text, lower)) {
            continue;
        }
        if (pattern.namesHost) {
            return Decision::Listed;
        }
        decision = Decision::Anyone;
    }
    return decision;
}

} // namespace relay
