#include "net/listen_address.h"

#include "net/socket_handle.h"

#include <QtEndian>

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace relay {

namespace {

/// 0177.0.0.1, 127.1, 0x7f000001: other programs read them as addresses, each in its own way.
bool looksLikeNumbers(const QString &text)
{
    return !text.isEmpty() && text.front().isDigit()
           && std::all_of(text.begin(), text.end(), [](QChar c) {
                  return c.isDigit() || c == QLatin1Char('.') || c == QLatin1Char('x')
                         || (c >= QLatin1Char('a') && c <= QLatin1Char('f'));
              });
}

QString notAnAddress(const QString &text)
{
    return looksLikeNumbers(text)
               ? QStringLiteral("is not an IP address: write four decimal numbers from 0 to 255 "
                                "without leading zeros, such as 127.0.0.1")
               : QStringLiteral("is not an IP address: write one such as 127.0.0.1 or ::1, or "
                                "0.0.0.0 or :: for all interfaces");
}

} // namespace

Result<ListenAddress> ListenAddress::fromText(const QString &text)
{
    const qsizetype percent = text.indexOf(QLatin1Char('%'));
    const QString withoutScope = percent < 0 ? text : text.first(percent);
    const auto address = IpAddress::fromText(withoutScope.toUtf8());
    if (!address) {
        return Error{notAnAddress(text)};
    }
    ListenAddress result;
    result.m_address = *address;
    result.m_scope = percent < 0 ? QString() : text.sliced(percent + 1);
    if (address->isLinkLocal() ? result.m_scope.isEmpty() : percent >= 0) {
        return Error{
            address->isLinkLocal()
                ? QStringLiteral("is a link-local address: write its interface after it, such as "
                                 "%1%eth0")
                      .arg(withoutScope)
                : QStringLiteral("has an interface, which only link-local addresses need: write %1")
                      .arg(withoutScope)};
    }
    if (address->isV4() && withoutScope.contains(QLatin1Char(':'))) {
        return Error{QStringLiteral("is an IPv4 address written as IPv6: write %1")
                         .arg(QString::fromLatin1(address->toText()))};
    }
    if (address->isMulticast()) {
        return Error{QStringLiteral("is a multicast address: no client can connect to it. Write an "
                                    "address of this machine, such as 127.0.0.1")};
    }
    if (address->isBroadcast()) {
        return Error{QString::fromLatin1(kBroadcastProblem)};
    }
    return result;
}

QHostAddress ListenAddress::toHostAddress() const
{
    if (isAny() && !isV4()) {
        return {QHostAddress::Any};
    }
    QHostAddress address(QString::fromLatin1(m_address.toText()));
    address.setScopeId(m_scope);
    return address;
}

bool ListenAddress::isLocalBroadcast() const
{
    if (!isV4()) {
        return false;
    }
    // The kernel's routes know. It refuses to aim a datagram socket at a broadcast address unless asked for it; nothing is sent.
    const SocketHandle probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = qToBigEndian(quint16{9});
    address.sin_addr.s_addr = qToBigEndian(toHostAddress().toIPv4Address());
    return ::connect(probe.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0
           && errno == EACCES;
}

bool isLoopbackAddress(const QString &text)
{
    const auto address = ListenAddress::fromText(text);
    return address && address.value().isLoopback();
}

} // namespace relay
