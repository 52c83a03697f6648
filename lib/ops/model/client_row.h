#pragma once

#include "ops/model/json_fields.h"

#include <QString>

#include <optional>
#include <tuple>

namespace relay {

/// The kernel's view of a connection: tcp(7), TCP_INFO.
struct SocketRow
{
    double rttSeconds = 0; ///< smoothed round-trip time
    double rttVarianceSeconds = 0;
    qint64 retransmits = 0;         ///< segments sent again, ever
    qint64 unacknowledgedBytes = 0; ///< sent, and not acknowledged by the peer
    qint64 unsentBytes = 0;         ///< waiting in the kernel

    static constexpr auto jsonFields()
    {
        return std::tuple{field("rtt_seconds", &SocketRow::rttSeconds),
                          field("rtt_variance_seconds", &SocketRow::rttVarianceSeconds),
                          field("retransmits", &SocketRow::retransmits),
                          field("unacknowledged_bytes", &SocketRow::unacknowledgedBytes),
                          field("unsent_bytes", &SocketRow::unsentBytes)};
    }
    friend bool operator==(const SocketRow &, const SocketRow &) = default;
};

/// A client in `GET /-/api/clients`.
struct ClientRow
{
    qint64 id = 0;
    QString address;
    QString channel;   ///< or pattern; "/" for the root
    QString transport; ///< "websocket", "relay.meta" or "eventsource"
    QString userAgent;
    double connectedAt = 0; ///< seconds since 1970-01-01 UTC
    qint64 messagesIn = 0;
    qint64 messagesOut = 0;
    qint64 bytesIn = 0;
    qint64 bytesOut = 0;
    qint64 queuedMessages = 0; ///< waiting in the relay for the client to take them
    qint64 queuedBytes = 0;
    std::optional<double>
        slowForSeconds;                ///< more than half of limits.queue_size has waited so long
    std::optional<double> pingSeconds; ///< the last ping's round trip
    std::optional<SocketRow> socket;

    static constexpr auto jsonFields()
    {
        using C = ClientRow;
        return std::tuple{field("id", &C::id),
                          field("address", &C::address),
                          field("channel", &C::channel),
                          field("transport", &C::transport),
                          field("user_agent", &C::userAgent),
                          field("connected_at", &C::connectedAt),
                          field("messages_in", &C::messagesIn),
                          field("messages_out", &C::messagesOut),
                          field("bytes_in", &C::bytesIn),
                          field("bytes_out", &C::bytesOut),
                          field("queued_messages", &C::queuedMessages),
                          field("queued_bytes", &C::queuedBytes),
                          field("slow_for_seconds", &C::slowForSeconds),
                          field("ping_seconds", &C::pingSeconds),
                          field("socket", &C::socket)};
    }
    friend bool operator==(const ClientRow &, const ClientRow &) = default;
};

} // namespace relay
