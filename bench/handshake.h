#pragma once

#include "stream_position.h"
#include "url.h"

#include <optional>
#include <string>
#include <string_view>

namespace relay::bench {

/// The opening handshake's request (RFC 6455, section 4.1). Its key is the RFC's own example, so
/// that the one right answer is known without a hash: nothing here depends on keys that cannot be
/// guessed. `wantsPositions`: asks for the subprotocol relay.meta.
std::string upgradeRequest(const Url &url, bool wantsPositions);

/// Why this response's head (all up to the empty line) is no upgrade to WebSocket, for a person;
/// nothing if it is one. `wantsPositions`: an upgrade without relay.meta is none either.
std::optional<std::string> upgradeRefusal(std::string_view head, bool wantsPositions);

/// An EventSource's request. `last`: the event behind which it resumes.
std::string eventStreamRequest(const Url &url, const std::optional<StreamPosition> &last);

/// Why this response's head does not begin an event stream; nothing if it does.
std::optional<std::string> eventStreamRefusal(std::string_view head);

/// Whether what follows this head comes in chunks.
bool isChunked(std::string_view head);

/// The longest head of a response that is waited for.
inline constexpr std::size_t kMaxResponseHeadBytes = std::size_t{16} << 10;

} // namespace relay::bench
