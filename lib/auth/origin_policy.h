#pragma once

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

namespace relay {

/// Decides which browsers may connect, by the Origin that they cannot lie about (RFC 6455,
/// section 10.2).
///
/// Without it, any page on the web could talk to a relay on its visitor's own machine.
/// Thread: any (immutable).
class OriginPolicy
{
public:
    OriginPolicy() = default;
    enum class OwnHost {
        AnyName,   ///< the request's Host, whatever it is
        LocalOnly, ///< only if it is localhost or an IP address
    };
    /// `patterns` as server.origins: "https://example.com", "https://*.example.com", "*"; case is ignored.
    ///
    /// A relay on loopback is told LocalOnly: any other name in Host may have been made to point to this machine by the
    /// very page that uses it (DNS rebinding), and must be named in `patterns`.
    explicit OriginPolicy(const QStringList &patterns, OwnHost ownHost = OwnHost::AnyName);

    enum class Decision {
        NoOrigin, ///< allowed: not a page of another host
        OwnHost,  ///< allowed: a page that the request's own host serves
        Listed,   ///< allowed: a pattern names its host
        Anyone,   ///< allowed by a pattern that any host matches (`*`), or any page can (`null`)
        Refused,
    };
    /// `host` is the request's: a name or an address, and perhaps a port.
    [[nodiscard]] Decision decide(const QByteArray &origin, const QByteArray &host) const;
    [[nodiscard]] bool allows(const QByteArray &origin, const QByteArray &host) const
    {
        return decide(origin, host) != Decision::Refused;
    }

private:
    struct Pattern
    {
        QString text; ///< in lower case
        bool namesHost = false;
    };
    QList<Pattern> m_patterns;
    OwnHost m_ownHost = OwnHost::AnyName;
};

} // namespace relay
