#pragma once

#include "base/ip_address.h"
#include "base/result.h"

#include <QHostAddress>
#include <QString>

namespace relay {

/// The address that a server listens on: one of this machine's, or all of them.
///
/// :: is all addresses of both families: an IPv4 client reaches such a server as well. 0.0.0.0 is all of IPv4.
///
/// Thread: a value.
/// Errors: fromText() returns a sentence without its subject, to stand after a key and the text.
class ListenAddress
{
public:
    /// As IpAddress reads it; a link-local address has its interface after it (fe80::1%eth0).
    static Result<ListenAddress> fromText(const QString &text);

    /// Whether only this machine reaches it.
    [[nodiscard]] bool isLoopback() const { return m_address.isLoopback(); }
    [[nodiscard]] bool isAny() const { return m_address.isAny(); }
    [[nodiscard]] bool isV4() const { return m_address.isV4(); }
    /// Whether it is the broadcast address of one of this machine's networks, such as 127.255.255.255: the kernel lets a
    /// server listen there, and no connection ever reaches it.
    [[nodiscard]] bool isLocalBroadcast() const;

    /// For QTcpServer, of which :: alone would mean IPv6 only.
    [[nodiscard]] QHostAddress toHostAddress() const;

private:
    IpAddress m_address;
    QString m_scope; ///< the interface of a link-local address
};

/// Whether the text is an address that only this machine reaches; false if it is not an address.
[[nodiscard]] bool isLoopbackAddress(const QString &text);

/// What both ports say of ListenAddress::isLocalBroadcast().
inline constexpr const char *kBroadcastProblem = "is a broadcast address: no client can connect to "
                                                 "it. Write an address of this machine, such as "
                                                 "127.0.0.1";

} // namespace relay
