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
    /// `patterns` as server.origins: "https://example.com", "https://*.example.com", "*"; case is
    /// ignored.
    explicit OriginPolicy(QStringList patterns);

    /// Whether a request may connect: without an Origin (no browser), with the request's own host
    /// as its origin, or with one that a pattern names.
    [[nodiscard]] bool allows(const QByteArray &origin, const QByteArray &host) const;

private:
    QStringList m_patterns;
};

} // namespace relay
