#pragma once

#include <QString>
#include <QtGlobal>

#include <sys/socket.h>

#include <array>

namespace relay {

/// The address and port of a connection's other end, in the 20 bytes that 10,000 of them are worth.
class PeerAddress
{
public:
    PeerAddress() = default;
    /// As accept(2) gave it; unknown when that is no IP address.
    explicit PeerAddress(const sockaddr_storage &address);

    /// "127.0.0.1:50112", "[::1]:50112", or "unknown". An IPv4 peer of an IPv6 socket is shown as
    /// IPv4.
    [[nodiscard]] QString toString() const;

private:
    enum class Family : quint8 {
        Unknown,
        V4,
        V6
    };

    std::array<quint8, 16> m_bytes{};
    quint16 m_port = 0;
    Family m_family = Family::Unknown;
};

} // namespace relay
