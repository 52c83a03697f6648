#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <array>
#include <optional>
#include <span>

namespace relay {

/// An IPv4 or IPv6 address.
///
/// Text is read strictly (RFC 3986, section 3.2.2): IPv4 is four decimal numbers without leading zeros. Other programs read
/// 0177.0.0.1, 127.1 and 2130706433 as 127.0.0.1, which makes two readers of one text disagree; here they are no addresses.
/// An IPv4 address that is written as IPv6 (::ffff:192.0.2.1) is that IPv4 address, so a client and its Host look the same
/// whether a socket serves one family or both.
///
/// Thread: a value.
class IpAddress
{
public:
    /// ::
    IpAddress() = default;
    /// `bytes` in network order: 4 of IPv4, or 16 of IPv6.
    explicit IpAddress(std::span<const quint8, 4> bytes);
    explicit IpAddress(std::span<const quint8, 16> bytes);
    /// Returns nullopt if the text is not an address. Brackets, ports and zones (%eth0) are not part of one.
    static std::optional<IpAddress> fromText(QByteArrayView text);

    [[nodiscard]] bool isV4() const;
    /// All addresses of the machine: 0.0.0.0 or ::.
    [[nodiscard]] bool isAny() const;
    /// Reached by this machine only: 127.0.0.0/8 or ::1.
    [[nodiscard]] bool isLoopback() const;
    /// 224.0.0.0/4 or ff00::/8.
    [[nodiscard]] bool isMulticast() const;
    /// 255.255.255.255.
    [[nodiscard]] bool isBroadcast() const;
    /// fe80::/10: an IPv6 address that means something only together with an interface.
    [[nodiscard]] bool isLinkLocal() const;

    /// The canonical form (RFC 5952), without brackets.
    [[nodiscard]] QByteArray toText() const;

    friend bool operator==(const IpAddress &, const IpAddress &) = default;

private:
    [[nodiscard]] std::span<const quint8, 4> v4() const;

    std::array<quint8, 16> m_bytes{}; ///< IPv4 in its mapped form, ::ffff:a.b.c.d
};

} // namespace relay
