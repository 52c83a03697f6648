#pragma once

#include "base/ip_address.h"

#include <QString>
#include <QtGlobal>

#include <sys/socket.h>

class QHostAddress;

namespace relay {

/// The address and port of a connection's other end, in 20 bytes, as each of very many clients keeps one.
class PeerAddress
{
public:
    PeerAddress() = default;
    /// As accept(2) gave it; unknown if that is not an IP address.
    explicit PeerAddress(const sockaddr_storage &address);
    PeerAddress(const QHostAddress &address, quint16 port);

    /// "127.0.0.1:50112", "[::1]:50112", or "unknown". An IPv4 peer of an IPv6 socket is shown as
    /// IPv4.
    [[nodiscard]] QString toString() const;

private:
    IpAddress m_address;
    quint16 m_port = 0;
    bool m_isKnown = false;
};

} // namespace relay
