#include "net/peer_address.h"

#include <QHostAddress>
#include <QtEndian>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace relay {

PeerAddress::PeerAddress(const sockaddr_storage &address)
{
    if (address.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        std::memcpy(m_bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
        m_port = qFromBigEndian(v4.sin_port);
        m_family = Family::V4;
    } else if (address.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        std::memcpy(m_bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
        m_port = qFromBigEndian(v6.sin6_port);
        m_family = Family::V6;
    }
}

QString PeerAddress::toString() const
{
    if (m_family == Family::Unknown) {
        return QStringLiteral("unknown");
    }
    if (m_family == Family::V4) {
        return QHostAddress(qFromBigEndian<quint32>(m_bytes.data())).toString() % QLatin1Char(':')
               % QString::number(m_port);
    }
    const QHostAddress address(m_bytes.data());
    bool isV4 = false;
    const quint32 v4 = address.toIPv4Address(&isV4);
    if (isV4) {
        return QHostAddress(v4).toString() % QLatin1Char(':') % QString::number(m_port);
    }
    return QLatin1Char('[') % address.toString() % QLatin1String("]:") % QString::number(m_port);
}

} // namespace relay
