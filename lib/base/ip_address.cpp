#include "base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace relay {

namespace {

constexpr std::array<quint8, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::size_t kPrefixBytes = kMappedPrefix.size();

} // namespace

IpAddress::IpAddress(std::span<const quint8, 4> bytes)
{
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), m_bytes.begin());
    std::copy(bytes.begin(), bytes.end(), m_bytes.begin() + kPrefixBytes);
}

IpAddress::IpAddress(std::span<const quint8, 16> bytes)
{
    std::copy(bytes.begin(), bytes.end(), m_bytes.begin());
}

std::optional<IpAddress> IpAddress::fromText(QByteArrayView text)
{
    // inet_pton(3) is as strict as RFC 3986; it wants a text that ends in a NUL, and none before it.
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (text.size() >= static_cast<qsizetype>(buffer.size()) || text.contains('\0')) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), buffer.begin());
    std::array<quint8, 16> bytes{};
    if (::inet_pton(AF_INET, buffer.data(), bytes.data()) == 1) {
        return IpAddress(std::span(bytes).first<4>());
    }
    if (::inet_pton(AF_INET6, buffer.data(), bytes.data()) == 1) {
        return IpAddress(std::span<const quint8, 16>(bytes));
    }
    return std::nullopt;
}

std::span<const quint8, 4> IpAddress::v4() const
{
    return std::span(m_bytes).last<4>();
}

bool IpAddress::isV4() const
{
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), m_bytes.begin());
}

bool IpAddress::isAny() const
{
    const auto isZero = [](quint8 byte) { return byte == 0; };
    return isV4() ? std::all_of(v4().begin(), v4().end(), isZero)
                  : std::all_of(m_bytes.begin(), m_bytes.end(), isZero);
}

bool IpAddress::isLoopback() const
{
    static constexpr std::array<quint8, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                      0, 0, 0, 0, 0, 0, 0, 1};
    return isV4() ? v4()[0] == 127 : m_bytes == kLoopback;
}

bool IpAddress::isMulticast() const
{
    return isV4() ? (v4()[0] & 0xF0) == 0xE0 : m_bytes[0] == 0xFF;
}

bool IpAddress::isBroadcast() const
{
    return isV4()
           && std::all_of(v4().begin(), v4().end(), [](quint8 byte) { return byte == 0xFF; });
}

bool IpAddress::isLinkLocal() const
{
    return m_bytes[0] == 0xFE && (m_bytes[1] & 0xC0) == 0x80;
}

QByteArray IpAddress::toText() const
{
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (isV4()) {
        ::inet_ntop(AF_INET, v4().data(), buffer.data(), buffer.size());
    } else {
        ::inet_ntop(AF_INET6, m_bytes.data(), buffer.data(), buffer.size());
    }
    return buffer.data();
}

} // namespace relay
