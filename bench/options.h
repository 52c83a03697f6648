#pragma once

#include "channel_plan.h"
#include "nanoseconds.h"
#include "problem.h"
#include "url.h"

#include <sys/types.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace relay::bench {

/// What the command line says; options.cpp holds the table that names, explains and checks each.
struct Options
{
    Url url;
    int clients = 100;
    int publishers = 1;            ///< the first so many clients
    double messagesPerSecond = 50; ///< all publishers together; 0 with a window
    bool isAtOnce = false;         ///< on the schedule, all publishers send at the same moments
    int window = 0;                ///< 0: open loop
    int channels = 1;
    bool hasListeners = false; ///< who does not publish listens by EventSource
    double dropsPerSecond = 0; ///< receivers that drop their connections, to resume
    Nanoseconds longestAway = 100 * kMillisecond; ///< before they come back
    std::size_t messageBytes = 64;
    Nanoseconds duration = 10 * kSecond;
    Nanoseconds warmup = kSecond;
    double connectsPerSecond = 0; ///< 0: as fast as they are accepted
    int stalledClients = 0;       ///< the last so many
    std::size_t slowBytesPerSecond = 0;
    int slowClients = 0;  ///< the last before the stalled ones
    Nanoseconds idle = 0; ///< not 0: no messages, only hold the connections
    std::optional<pid_t> serverPid;
    int threads = 1;
    bool isJson = false;
    bool isBinary = false;
    bool isWithoutEcho = false; ///< told so; else found out
    bool hasProgress = false;   ///< also if standard error is no terminal

    [[nodiscard]] int readingClients() const { return clients - stalledClients - slowClients; }
    [[nodiscard]] ChannelPlan channelPlan() const
    {
        return {.channels = channels, .publishers = publishers};
    }
    /// Whether this client listens by EventSource: it neither publishes nor asks who receives.
    [[nodiscard]] bool isListener(int client) const
    {
        return hasListeners && (idle > 0 || client >= std::max(publishers, channels));
    }
    /// Whether this client drops its connection and comes back.
    [[nodiscard]] bool isDropping(int client) const
    {
        return dropsPerSecond > 0 && client >= publishers && client < readingClients();
    }
};

/// --help or --version: the text that was asked for.
struct Information
{
    std::string text;
};

/// Errors: the first thing that is wrong, as a sentence that says what would be right.
std::variant<Options, Information, Problem> parseOptions(std::span<const char *const> arguments);

} // namespace relay::bench
