#include "url.h"

#include <netinet/in.h>

#include <charconv>
#include <cstring>
#include <netdb.h>

namespace relay::bench {

namespace {

bool isPort(std::string_view text)
{
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

} // namespace

std::string Url::authority() const
{
    const bool isIPv6 = host.find(':') != std::string::npos;
    return (isIPv6 ? "[" + host + "]" : host) + ":" + port;
}

Checked<Url> parseUrl(std::string_view text)
{
    constexpr std::string_view kScheme = "ws://";
    const std::string quoted = "'" + std::string(text) + "'";
    if (text.starts_with("wss://")) {
        return Problem{
            quoted + ": TLS is not spoken here; give the relay's plain port as ws://host:port/"};
    }
    if (!text.starts_with(kScheme)) {
        return Problem{quoted + " is not a WebSocket URL; write ws://host:port/"};
    }
    text.remove_prefix(kScheme.size());

    Url url;
    const std::size_t slash = text.find_first_of("/?");
    std::string_view authority = text.substr(0, slash);
    if (slash != std::string_view::npos) {
        url.target = text.substr(slash);
        if (url.target.front() == '?') {
            url.target.insert(0, "/");
        }
    }
    std::string_view port = "80";
    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon = authority.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        port = authority.substr(colon + 1);
        authority = authority.substr(0, colon);
    }
    if (authority.starts_with('[') && authority.ends_with(']')) {
        authority = authority.substr(1, authority.size() - 2);
    }
    if (authority.empty()) {
        return Problem{quoted + " names no host; write ws://host:port/"};
    }
    if (!isPort(port)) {
        return Problem{quoted + ": '" + std::string(port) + "' is not a port (1 to 65535)"};
    }
    url.host = authority;
    url.port = port;
    return url;
}

const sockaddr *Endpoint::get() const
{
    return reinterpret_cast<const sockaddr *>(&address);
}

bool Endpoint::isLoopback4() const
{
    if (address.ss_family != AF_INET) {
        return false;
    }
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    return (ntohl(ipv4.sin_addr.s_addr) >> 24) == 127;
}

Checked<Endpoint> resolve(const Url &url)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *found = nullptr;
    const int error = getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found);
    if (error != 0) {
        return Problem{"cannot find host '" + url.host + "': " + gai_strerror(error)};
    }
    Endpoint endpoint;
    std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
    endpoint.length = found->ai_addrlen;
    freeaddrinfo(found);
    return endpoint;
}

} // namespace relay::bench
