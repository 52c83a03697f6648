#pragma once

#include "hub/disconnect.h"
#include "wire/http_response.h"

#include <QByteArray>

#include <chrono>

namespace relay {

/// What a client is told for which there is no room (DisconnectReason::ChannelFull or RelayFull), in
/// the way that its kind understands. Each is told another time to come back after, 5 to 15 times
/// event_source.retry, so that clients which were refused together do not come back together.
///
/// A WebSocket is upgraded, and closed with the reason's code: pages cannot see the status of a refused
/// handshake. A browser's EventSource comes back by itself after a stream that ends, and never after
/// another status than 200.

/// The end of an event stream: the time to come back after, and an event of type `full`. It has no id,
/// so that the browser resumes from the last event that it saw.
QByteArray fullEvent(DisconnectReason reason, std::chrono::milliseconds retry);

/// For EventSource: a stream with nothing else in it.
HttpResponse fullStream(DisconnectReason reason, std::chrono::milliseconds retry);

/// For everything else: 503 with Retry-After.
HttpResponse fullAnswer(DisconnectReason reason, std::chrono::milliseconds retry);

} // namespace relay
