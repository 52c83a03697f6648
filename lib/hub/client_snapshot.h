#pragma once

#include "base/ids.h"
#include "hub/message_format.h"
#include "net/tcp_view.h"

#include <QByteArray>
#include <QString>

#include <chrono>
#include <optional>

namespace relay {

/// What a client has sent and been given. Bytes are all bytes of its connection.
struct Traffic
{
    quint64 messagesIn = 0;
    quint64 messagesOut = 0; ///< written or queued
    quint64 bytesIn = 0;
    quint64 bytesOut = 0;
};

/// A client as it was at one moment, for those who watch the relay.
struct ClientSnapshot
{
    ClientId id{};
    QString address;
    QString channel; ///< or pattern; "/" for the root
    MessageFormat format{};
    QByteArray userAgent;
    qint64 connectedAt = 0; ///< milliseconds since 1970-01-01 UTC
    Traffic traffic;
    quint64 queuedMessages = 0;
    qint64 queuedBytes = 0; ///< costs included, as limits.queue_size counts them
    /// How long more than half of limits.queue_size has waited.
    std::optional<std::chrono::milliseconds> slowFor;
    std::optional<std::chrono::microseconds> ping; ///< the last one's round trip
    std::optional<TcpView> socket;                 ///< only of who was asked for by id
};

} // namespace relay
