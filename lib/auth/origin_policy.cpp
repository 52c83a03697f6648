#include "auth/origin_policy.h"

#include <QHostAddress>
#include <QUrl>

#include <algorithm>

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

int defaultPort(const QString &scheme)
{
    if (scheme == QLatin1String("https") || scheme == QLatin1String("wss")) {
        return 443;
    }
    return 80;
}

bool isLocalName(const QString &host)
{
    return host == QLatin1String("localhost") || host.endsWith(QLatin1String(".localhost"))
           || !QHostAddress(host).isNull();
}

bool isOwnHost(const QByteArray &origin, const QByteArray &host, OriginPolicy::OwnHost ownHost)
{
    const QUrl originUrl(QString::fromUtf8(origin), QUrl::StrictMode);
    if (!originUrl.isValid() || originUrl.host().isEmpty()) {
        return false; // "null", file:, data:
    }
    const QUrl hostUrl(originUrl.scheme() % QLatin1String("://") % QString::fromUtf8(host),
                       QUrl::StrictMode);
    const int port = defaultPort(originUrl.scheme());
    const bool isTrusted = ownHost == OriginPolicy::OwnHost::AnyName || isLocalName(hostUrl.host());
    return isTrusted && hostUrl.isValid() && originUrl.host() == hostUrl.host()
           && originUrl.port(port) == hostUrl.port(port);
}

} // namespace

OriginPolicy::OriginPolicy(QStringList patterns, OwnHost ownHost)
    : m_patterns(std::move(patterns))
    , m_ownHost(ownHost)
{
    for (QString &pattern : m_patterns) {
        pattern = pattern.toLower();
    }
}

bool OriginPolicy::allows(const QByteArray &origin, const QByteArray &host) const
{
    if (origin.isEmpty() || isOwnHost(origin, host, m_ownHost)) {
        return true;
    }
    const QString lower = QString::fromUtf8(origin).toLower();
    return std::any_of(m_patterns.cbegin(), m_patterns.cend(), [&lower](const QString &pattern) {
        return matchesWildcard(pattern, lower);
    });
}

} // namespace relay
