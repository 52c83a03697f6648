#pragma once

#include "base/channel_name.h"

#include <QtGlobal>

#include <chrono>

namespace relay {

/// What a channel is like. Defaults are those of a channel that no rule matches.
struct ChannelOptions
{
    /// Whether a sender gets its own messages back, unless it asks otherwise (?echo=0).
    bool echo = true;
    /// Whether clients may publish. Hub::publish() always may.
    bool publish = true;
    /// Whether clients may listen, by the name or a pattern, and read the history. If not, who joins
    /// can only publish, and hears nothing.
    bool subscribe = true;
    /// Members at once, WebSocket and EventSource together; one more is answered 503. 0: no limit of
    /// its own.
    int maxClients = 0;

    struct History
    {
        /// The most messages that are kept; 0 keeps none.
        int messages = 100;
        /// Bytes of payload that are kept; a longer message is not kept at all.
        qint64 size = qint64{1} << 20;
        /// How long a message is kept. 0: until another limit is met.
        std::chrono::milliseconds age = std::chrono::minutes(10);

        friend bool operator==(const History &, const History &) = default;
    } history;

    friend bool operator==(const ChannelOptions &, const ChannelOptions &) = default;
};

/// The options of all channels whose names match. Of a list of rules, the first that matches a name
/// holds.
struct ChannelRule
{
    ChannelPattern match;
    ChannelOptions options;

    friend bool operator==(const ChannelRule &, const ChannelRule &) = default;
};

} // namespace relay
