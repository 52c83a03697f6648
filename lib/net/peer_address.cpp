#include "net/peer_address.h"

#include <QHostAddress>
#include <QtEndian>

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <span>

namespace relay {

PeerAddress::PeerAddress(const sockaddr_storage &address)
{
    if (address.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        std::array<quint8, 4> bytes{};
        std::memcpy(bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
        m_address = IpAddress(std::span<const quint8, 4>(bytes));
        m_port = qFromBigEndian(v4.sin_port);
        m_isKnown = true;
    } else if (address.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        m_address = IpAddress(std::span<const quint8, 16>(v6.sin6_addr.s6_addr));
        m_port = qFromBigEndian(v6.sin6_port);
        m_isKnown = true;
    }
}

PeerAddress::PeerAddress(const QHostAddress &address, quint16 port)
    : m_address(std::span<const quint8, 16>(address.toIPv6Address().c))
    , m_port(port)
    , m_isKnown(!address.isNull())
{}

QString PeerAddress::toString() const
{
    if (!m_isKnown) {
        return QStringLiteral("unknown");
    }
    const QString address = QString::fromLatin1(m_address.toText());
    const QString host =
        m_address.isV4() ? address : QString(QLatin1Char('[') % address % QLatin1Char(']'));
    return host % QLatin1Char(':') % QString::number(m_port);
}

} // namespace relay
