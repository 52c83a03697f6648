#pragma once

#include "stream_position.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace relay::bench {

/// Which client is on which channel: number n is on channel n modulo the channels, whether it
/// publishes or not. The publishers are the first clients, so that they are spread like the rest.
///
/// Thread: a value.
struct ChannelPlan
{
    int channels = 1;
    int publishers = 1; ///< in the whole run

    [[nodiscard]] int channelOf(int client) const { return client % channels; }
    /// The place of a publisher among those of its channel, from 0.
    [[nodiscard]] std::size_t slotOf(int publisher) const
    {
        return static_cast<std::size_t>(publisher / channels);
    }
    [[nodiscard]] std::size_t publishersOf(int channel) const
    {
        return static_cast<std::size_t>(membersOf(channel, publishers));
    }
    /// Of the first `clients`, how many are on it.
    [[nodiscard]] int membersOf(int channel, int clients) const
    {
        return clients > channel ? (clients - channel - 1) / channels + 1 : 0;
    }
    /// The client that asks, before the load begins, who receives on the channel: its first.
    [[nodiscard]] bool isProber(int client) const { return client < channels; }

    /// The URL's target for a channel: `target` as it is if there is one channel only, else with
    /// "bench-<channel>" as a further segment of the path.
    [[nodiscard]] std::string targetOf(std::string_view target, int channel) const;
};

/// `target` with ?since= (or &since=) for what comes behind that position.
std::string withSince(std::string target, const StreamPosition &position);

} // namespace relay::bench
