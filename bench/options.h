#pragma once

#include "nanoseconds.h"
#include "problem.h"
#include "url.h"

#include <sys/types.h>

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
    int window = 0;                ///< 0: open loop
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
};

/// --help or --version: the text that was asked for.
struct Information
{
    std::string text;
};

/// Errors: the first thing that is wrong, as a sentence that says what would be right.
std::variant<Options, Information, Problem> parseOptions(std::span<const char *const> arguments);

} // namespace relay::bench
