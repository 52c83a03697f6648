#pragma once

#include "ops/model/json_fields.h"

#include <QString>

#include <optional>
#include <tuple>

namespace relay {

/// A channel in `GET /-/api/channels`.
struct ChannelRow
{
    QString name; ///< "/" for the root
    QString epoch;
    qint64 offset = 0; ///< of the newest message
    int clients = 0;   ///< members; pattern listeners are not among them
    qint64 historyMessages = 0;
    qint64 historyBytes = 0;
    std::optional<double> messagesPerSecond; ///< between two looks, a second or more apart

    static constexpr auto jsonFields()
    {
        using C = ChannelRow;
        return std::tuple{field("name", &C::name),
                          field("epoch", &C::epoch),
                          field("offset", &C::offset),
                          field("clients", &C::clients),
                          field("history_messages", &C::historyMessages),
                          field("history_bytes", &C::historyBytes),
                          field("messages_per_second", &C::messagesPerSecond)};
    }
    friend bool operator==(const ChannelRow &, const ChannelRow &) = default;
};

} // namespace relay
