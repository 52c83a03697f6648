#pragma once

#include <QByteArray>
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
    explicit OriginPolicy(QStringList patterns, OwnHost ownHost = OwnHost::AnyName);

    /// Whether a request may connect: without an Origin (no browser), with the request's own host
    /// as its origin, or with one that a pattern names.
    [[nodiscard]] bool allows(const QByteArray &origin, const QByteArray &host) const;

private:
    QStringList m_patterns;
    OwnHost m_ownHost = OwnHost::AnyName;
};

} // namespace relay
