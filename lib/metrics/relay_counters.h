#pragma once

#include "metrics/counter.h"

#include <array>
#include <cstddef>

/// What the relay counts. Each worker owns one RelayCounters and is its only writer; a reader sums
/// them into a RelaySnapshot. How a number is called for Prometheus is said once, in
/// metrics/catalogue.
namespace relay {

/// Why a message that was accepted did not reach a client (relay_dropped_total{reason}).
enum class DropReason : quint8 {
    SlowConsumer, ///< the client was closed as too slow
    DropOldest,   ///< left out by slow_clients.policy: drop_oldest
    Disconnected, ///< the client's connection ended
};
inline constexpr std::array<const char *, 3> kDropReasonLabels{"slow_consumer", "drop_oldest",
                                                               "disconnected"};
static_assert(kDropReasonLabels.size() == static_cast<std::size_t>(DropReason::Disconnected) + 1);

/// Why a connection never became a client (relay_handshake_failures_total{reason}).
enum class HandshakeFailure : quint8 {
    BadRequest,       ///< 400
    ForbiddenOrigin,  ///< 403
    MethodNotAllowed, ///< 405
    UpgradeRequired,  ///< 426
    Channel,          ///< the channel may not be joined (403), or is full (as above)
    HeadTooLarge,     ///< 431
    ConnectionLimit,  ///< limits.connections: 1013, 503, or an event stream that ends
    ShuttingDown,     ///< 503
    Timeout,          ///< limits.handshake_timeout
    Tls,              ///< no TLS session
    Disconnected,     ///< gone before its request was complete
};
inline constexpr std::array<const char *, 11> kHandshakeFailureLabels{
    "bad_request",    "forbidden_origin", "method_not_allowed", "upgrade_required", "channel",
    "head_too_large", "connection_limit", "shutting_down",      "timeout",          "tls",
    "disconnected"};
static_assert(kHandshakeFailureLabels.size()
              == static_cast<std::size_t>(HandshakeFailure::Disconnected) + 1);

/// The close codes that are counted one by one; all others share a last place
/// (relay_disconnections_total{code}).
inline constexpr std::array<quint16, 14> kCountedCloseCodes{
    1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};

constexpr std::size_t closeCodeIndex(quint16 code)
{
    for (std::size_t i = 0; i < kCountedCloseCodes.size(); ++i) {
        if (kCountedCloseCodes[i] == code) {
            return i;
        }
    }
    return kCountedCloseCodes.size();
}

/// Why the relay ended a connection itself, by the limit that was hit
/// (relay_limit_disconnections_total{limit}).
enum class LimitHit : quint8 {
    MessageSize,      ///< limits.message_size, 1009
    QueueSize,        ///< limits.queue_size, 1008
    SlowGrace,        ///< slow_clients.grace, 1008
    KeepaliveTimeout, ///< keepalive.timeout
    ChannelClients,   ///< channels[].max_clients, 1013
    ControlFrames,    ///< limits.control_frames, 1008
};
inline constexpr std::array<const char *, 6> kLimitHitLabels{"message_size",    "queue_size",
                                                             "slow_grace",      "keepalive_timeout",
                                                             "channel_clients", "control_frames"};
static_assert(kLimitHitLabels.size() == static_cast<std::size_t>(LimitHit::ControlFrames) + 1);

/// How a listener's wish to go on from a position was met (relay_resumes_total{result}).
enum class ResumeResult : quint8 {
    Exact,   ///< all that followed the position was given
    Gap,     ///< the history did not reach back to it any more
    Unknown, ///< the position was of another epoch, or of none
};
inline constexpr std::array<const char *, 3> kResumeResultLabels{"exact", "gap", "unknown"};
static_assert(kResumeResultLabels.size() == static_cast<std::size_t>(ResumeResult::Unknown) + 1);

/// Methods of requests that are counted one by one (relay_http_requests_total{method}).
enum class HttpMethod : quint8 {
    Get,
    Head,
    Post,
    Options,
    Other, ///< also of requests that could not be read
};
inline constexpr std::array<const char *, 5> kHttpMethodLabels{"GET", "HEAD", "POST", "OPTIONS",
                                                               "other"};
static_assert(kHttpMethodLabels.size() == static_cast<std::size_t>(HttpMethod::Other) + 1);

/// The statuses that are counted one by one; all others share a last place
/// (relay_http_requests_total{code}).
inline constexpr std::array<int, 20> kCountedStatuses{101, 200, 204, 304, 400, 403, 404,
                                                      405, 406, 408, 409, 411, 413, 415,
                                                      422, 426, 429, 431, 501, 503};

constexpr std::size_t statusIndex(int status)
{
    for (std::size_t i = 0; i < kCountedStatuses.size(); ++i) {
        if (kCountedStatuses[i] == status) {
            return i;
        }
    }
    return kCountedStatuses.size();
}

/// How many rules of the protocol are counted: the Violations of wire/frame_parser.h, which this
/// layer must not know.
inline constexpr std::size_t kProtocolRules = 11;

/// `Cell` is Counter where it is written, quint64 where it was read.
template <typename Cell, typename Latency>
struct RelayNumbers
{
    Cell connections{};    ///< handshakes completed
    Cell disconnections{}; ///< of those, ended
    std::array<Cell, kCountedCloseCodes.size() + 1> disconnectionsByCode{};
    Cell eventStreams{};      ///< EventSource listeners that have come
    Cell eventStreamsEnded{}; ///< of those, gone
    Cell messages{};          ///< accepted from clients and from Hub::publish()
    Cell receivedBytes{};     ///< read from sockets, all bytes
    Cell sentBytes{};         ///< taken by the kernel (TLS: by the TLS layer), all bytes
    // A message for one client is either a delivery or never queued. A delivery is written to the
    // socket at once, or queued and then: written later, dropped, or waiting.
    Cell deliveries{};
    std::array<Cell, kDropReasonLabels.size()> neverQueued{}; ///< by DropReason
    Cell writtenLater{};                                      ///< from a queue
    std::array<Cell, kDropReasonLabels.size()> dropped{};     ///< from a queue, by DropReason
    Cell queued{};
    std::array<Cell, kHandshakeFailureLabels.size()> handshakeFailures{};
    std::array<Cell, kLimitHitLabels.size()> limitHits{};
    std::array<Cell, kProtocolRules> protocolViolations{}; ///< by Violation (wire/frame_parser.h)
    std::array<Cell, kResumeResultLabels.size()> resumes{};
    /// Answered on the clients' port, by HttpMethod and statusIndex(); an upgrade counts when it is
    /// done.
    std::array<std::array<Cell, kCountedStatuses.size() + 1>, kHttpMethodLabels.size()>
        httpRequests{};
    Cell pingsSent{};
    Cell inboxPauses{};       ///< a sender was not read from because a worker's inbox was full
    Cell turnWaits{};         ///< a client had to wait for the worker's next turn
    Latency turnSeconds{};    ///< the turns of the workers' loops
    Latency publishToWrite{}; ///< from acceptance to the end of the write that a turn gave each of
                              ///< its receivers
};

using RelayCounters = RelayNumbers<Counter, LatencyHistogram>;

struct RelaySnapshot : RelayNumbers<quint64, LatencySnapshot>
{
    /// Reads every number once. Numbers that are read one after the other may differ by what
    /// happened in between.
    RelaySnapshot &operator+=(const RelayCounters &counters);

    /// Messages that wait in the clients' queues, one for each receiver.
    [[nodiscard]] quint64 waiting() const;
};

} // namespace relay
