#include "net/peer_address.h"

#include <QHostAddress>
#include <QtEndian>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace relay {

PeerAddress PeerAddress::of(const SocketHandle &socket)
{
    PeerAddress peer;
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (::getpeername(socket.get(), reinterpret_cast<sockaddr *>(&storage), &length) != 0) {
        return peer;
    }
    if (storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        std::memcpy(peer.m_bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
        peer.m_port = qFromBigEndian(v4.sin_port);
        peer.m_family = Family::V4;
    } else if (storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &storage, sizeof v6);
        std::memcpy(peer.m_bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
        peer.m_port = qFromBigEndian(v6.sin6_port);
        peer.m_family = Family::V6;
    }
    return peer;
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
