#pragma once

#include "url.h"

#include <optional>
#include <string>
#include <string_view>

namespace relay::bench {

/// The opening handshake's request (RFC 6455, section 4.1). Its key is the RFC's own example, so
/// that the one right answer is known without a hash: nothing here depends on keys that cannot be
/// guessed.
std::string upgradeRequest(const Url &url);

/// Why this response's head (all up to the empty line) is no upgrade to WebSocket, for a person;
/// nothing if it is one.
std::optional<std::string> upgradeRefusal(std::string_view head);

/// The longest head of a response that is waited for.
inline constexpr std::size_t kMaxResponseHeadBytes = std::size_t{16} << 10;

} // namespace relay::bench
