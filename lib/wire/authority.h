#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <optional>

namespace relay {

/// Host and port, as in the Host field (RFC 9110, section 7.2), in an absolute request target and in an Origin: RFC 3986, section
/// 3.2, without a user.
///
/// Thread: a value.
struct Authority
{
    /// A name in lower case, or an address in its canonical form without brackets, an IPv4-mapped one as IPv4. Empty only for an
    /// empty text.
    QByteArray host;
    std::optional<quint16> port;
    bool isAddress = false;

    /// Returns nullopt if the text breaks the grammar: a user, blanks, a bad address in brackets, a port that is not a number up
    /// to 65535, a port without a host.
    static std::optional<Authority> fromText(QByteArrayView text);

    [[nodiscard]] int portOr(int byDefault) const { return port ? int{*port} : byDefault; }
};

} // namespace relay
