#pragma once

#include "problem.h"

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace relay::bench {

/// Where the relay listens: `ws://host[:port][/target]`.
struct Url
{
    std::string host = "127.0.0.1"; ///< without the brackets of an IPv6 address
    std::string port = "8443";
    std::string target = "/";

    /// As it goes into the Host field, and into messages.
    [[nodiscard]] std::string authority() const;
    [[nodiscard]] std::string text() const { return "ws://" + authority() + target; }
};

/// Errors: another scheme (wss:// too: this program speaks plain TCP), no host, a port that is
/// none.
Checked<Url> parseUrl(std::string_view text);

/// An address to connect to.
struct Endpoint
{
    sockaddr_storage address{};
    socklen_t length = 0;

    [[nodiscard]] const sockaddr *get() const;
    /// Whether it is in 127.0.0.0/8, where connections may come from as many addresses as one
    /// likes.
    [[nodiscard]] bool isLoopback4() const;
};

/// Looks the host up: the first address that the system's resolver gives.
Checked<Endpoint> resolve(const Url &url);

} // namespace relay::bench
