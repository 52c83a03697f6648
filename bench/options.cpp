#include "options.h"

#include "base/version.h"

#include "message_stamp.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

namespace relay::bench {

namespace {

using Text = std::string_view;

/// A number and what stands behind it: "10s" is 10 and "s".
struct Quantity
{
    double number = 0;
    Text unit;
};

std::optional<Quantity> readQuantity(Text text)
{
    Quantity quantity;
    const char *const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, quantity.number);
    if (error != std::errc() || !std::isfinite(quantity.number) || quantity.number < 0) {
        return std::nullopt;
    }
    quantity.unit = Text(end, static_cast<std::size_t>(last - end));
    return quantity;
}

bool readCount(Text text, int least, int most, int &value)
{
    int number = 0;
    const char *const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc() || end != last || number < least || number > most) {
        return false;
    }
    value = number;
    return true;
}

bool readPerSecond(Text text, double &value)
{
    const auto quantity = readQuantity(text);
    if (!quantity || quantity->number <= 0 || quantity->number > 1e7
        || (!quantity->unit.empty() && quantity->unit != "/s"))
    {
        return false;
    }
    value = quantity->number;
    return true;
}

bool readDuration(Text text, Nanoseconds least, Nanoseconds &value)
{
    const auto quantity = readQuantity(text);
    if (!quantity) {
        return false;
    }
    double factor = 0;
    if (quantity->unit.empty() || quantity->unit == "s") {
        factor = 1e9;
    } else if (quantity->unit == "ms") {
        factor = 1e6;
    } else if (quantity->unit == "m" || quantity->unit == "min") {
        factor = 60e9;
    }
    const double nanoseconds = quantity->number * factor;
    if (factor == 0 || nanoseconds < static_cast<double>(least) || nanoseconds > 86400e9) {
        return false;
    }
    value = static_cast<Nanoseconds>(nanoseconds);
    return true;
}

bool readBytes(Text text, std::size_t least, std::size_t &value)
{
    if (text.ends_with("/s")) {
        text.remove_suffix(2);
    }
    const auto quantity = readQuantity(text);
    if (!quantity) {
        return false;
    }
    double factor = 0;
    if (quantity->unit.empty() || quantity->unit == "B") {
        factor = 1;
    } else if (quantity->unit == "KiB") {
        factor = 1024;
    } else if (quantity->unit == "MiB") {
        factor = 1024.0 * 1024;
    }
    const double bytes = quantity->number * factor;
    if (factor == 0 || bytes < static_cast<double>(least) || bytes > 256.0 * 1024 * 1024) {
        return false;
    }
    value = static_cast<std::size_t>(bytes);
    return true;
}

constexpr int kMaxClients = 1'000'000;
constexpr int kMaxPid = 1 << 22; // Linux hands out none from here on

struct Flag
{
    Text name;
    Text value; ///< what follows it, in the help; empty: nothing does
    Text wants; ///< what a right value is, for the error
    Text help;
    bool (*apply)(Options &options, Text value);
};

constexpr auto kFlags = std::to_array<Flag>({
    {"--url", "URL", "ws://host:port/channel", "the relay [ws://127.0.0.1:8443/]",
     // Read by apply(), as its errors say more than `wants` could.
     [](Options &, Text) { return true; }},
    {"--clients", "N", "a count from 1", "connections [100]",
     [](Options &o, Text v) { return readCount(v, 1, kMaxClients, o.clients); }},
    {"--publishers", "N", "a count from 1", "how many of them send, the first ones [1]",
     [](Options &o, Text v) { return readCount(v, 1, kMaxClients, o.publishers); }},
    {"--rate", "N", "messages a second, above 0",
     "open loop: messages per second of all publishers together, on a fixed schedule [50]",
     [](Options &o, Text v) { return readPerSecond(v, o.messagesPerSecond); }},
    {"--at-once", "", "", "on that schedule, all publishers send at the same moments",
     [](Options &o, Text) { return o.isAtOnce = true; }},
    {"--window", "N", "a count from 1",
     "closed loop instead: each publisher keeps N of its messages in flight",
     [](Options &o, Text v) { return readCount(v, 1, 1'000'000, o.window); }},
    {"--size", "BYTES", "a size of at least 48 bytes, the length of the stamp in each message",
     "length of a message, at least 48; also 16KiB [64]",
     [](Options &o, Text v) { return readBytes(v, kStampBytes, o.messageBytes); }},
    {"--binary", "", "", "send binary messages, not text",
     [](Options &o, Text) { return o.isBinary = true; }},
    {"--channels", "N", "a count from 1",
     "client i joins channel i modulo N: the URL's path followed by /bench-<channel> [1]",
     [](Options &o, Text v) { return readCount(v, 1, kMaxClients, o.channels); }},
    {"--event-source", "", "", "clients that do not publish listen with EventSource, not WebSocket",
     [](Options &o, Text) { return o.hasListeners = true; }},
    {"--drop-rate", "N", "drops a second, above 0",
     "receivers per second that drop their connection and resume: each offset must come once",
     [](Options &o, Text v) { return readPerSecond(v, o.dropsPerSecond); }},
    {"--away", "TIME", "a time such as 100ms or 0",
     "the longest time that they stay away; each time a random part of it [100ms]",
     [](Options &o, Text v) { return readDuration(v, 0, o.longestAway); }},
    {"--duration", "TIME", "a time such as 10s, 500ms or 2m", "how long to measure [10s]",
     [](Options &o, Text v) { return readDuration(v, kMillisecond, o.duration); }},
    {"--warmup", "TIME", "a time such as 1s or 0", "how long to send before measuring [1s]",
     [](Options &o, Text v) { return readDuration(v, 0, o.warmup); }},
    {"--connect-rate", "N", "connections a second, above 0",
     "connections per second [as fast as they are accepted]",
     [](Options &o, Text v) { return readPerSecond(v, o.connectsPerSecond); }},
    {"--stall", "K", "a count", "the last K clients never read [0]",
     [](Options &o, Text v) { return readCount(v, 0, kMaxClients, o.stalledClients); }},
    {"--slow", "BYTES/S", "bytes a second, above 0",
     "the last client before those reads only this much per second",
     [](Options &o, Text v) { return readBytes(v, 1, o.slowBytesPerSecond); }},
    {"--slow-clients", "K", "a count from 1", "K clients read so slowly, not one [1]",
     [](Options &o, Text v) { return readCount(v, 1, kMaxClients, o.slowClients); }},
    {"--idle", "TIME", "a time such as 10s",
     "send nothing: hold the connections, report memory and CPU (with --pid)",
     [](Options &o, Text v) { return readDuration(v, kMillisecond, o.idle); }},
    {"--no-echo", "", "", "the relay does not send a message back to its sender [detected]",
     [](Options &o, Text) { return o.isWithoutEcho = true; }},
    {"--pid", "PID", "the number of a process",
     "the server's process, to report its CPU and memory",
     [](Options &o, Text v) {
         int pid = 0;
         const bool isGood = readCount(v, 1, kMaxPid, pid);
         o.serverPid = pid;
         return isGood;
     }},
    {"--threads", "N", "a count from 1 to 256", "threads that serve the clients [1]",
     [](Options &o, Text v) { return readCount(v, 1, 256, o.threads); }},
    {"--json", "", "", "print the result as one JSON object",
     [](Options &o, Text) { return o.isJson = true; }},
    {"--progress", "", "", "a line each second even if standard error is not a terminal",
     [](Options &o, Text) { return o.hasProgress = true; }},
});

std::string helpText()
{
    std::string text =
        "Usage: relay-bench [options]\n"
        "Loads a WebSocket relay and checks what it delivers: every message, once, in order.\n"
        "Latency counts from when a message was due, not from when it was sent.\n\n";
    for (const Flag &flag : kFlags) {
        std::string left = "  " + std::string(flag.name) + " " + std::string(flag.value);
        left.resize(std::max<std::size_t>(left.size() + 1, 24), ' ');
        text += left + std::string(flag.help) + "\n";
    }
    text +=
        "  --help, --version\n\n"
        "Exit status: 0 all messages came, once and in order, on connections that lasted, except\n"
        "gaps that were reported to a resuming client; 1 this is not so, or nothing could be "
        "measured;\n"
        "2 wrong options.\n\n"
        "Example: relay-bench --clients 1000 --publishers 10 --rate 50 --pid \"$(pidof relayd)\"\n";
    return text;
}

std::optional<Problem> checkListeners(const Options &options)
{
    if (options.hasListeners && options.isBinary) {
        return Problem{"--binary and --event-source exclude each other: an event stream is text"};
    }
    if (options.hasListeners && !options.isListener(options.clients - 1)) {
        return Problem{"--event-source leaves none to listen: the publishers, and the first client"
                       " of each channel, are WebSocket clients"};
    }
    if (options.dropsPerSecond > 0 && !options.isDropping(options.readingClients() - 1)) {
        return Problem{"--drop-rate leaves none to drop: publishers keep their connections"};
    }
    if (options.dropsPerSecond > 0 && options.idle > 0) {
        return Problem{"--drop-rate and --idle exclude each other: nothing is sent to be missed"};
    }
    return std::nullopt;
}

std::optional<Problem> checkTogether(const Options &options)
{
    if (options.readingClients() < 1) {
        return Problem{"--clients " + std::to_string(options.clients)
                       + " leaves none that reads: stalled and slow clients are among them"};
    }
    if (options.idle == 0 && options.publishers > options.readingClients()) {
        return Problem{"--publishers " + std::to_string(options.publishers) + " are more than the "
                       + std::to_string(options.readingClients()) + " clients that read at once"};
    }
    if (options.channels > options.readingClients()) {
        return Problem{"--channels " + std::to_string(options.channels) + " are more than the "
                       + std::to_string(options.readingClients())
                       + " clients that read at once; each channel needs one"};
    }
    if (options.threads > options.clients) {
        return Problem{"--threads " + std::to_string(options.threads)
                       + " are more than the clients"};
    }
    return checkListeners(options);
}

/// What the command line gives twice over, or only half.
std::optional<Problem> settleDependent(Options &options, std::span<const Text> given)
{
    const auto isGiven = [given](Text name) {
        return std::find(given.begin(), given.end(), name) != given.end();
    };
    if (isGiven("--rate") && isGiven("--window")) {
        return Problem{"--rate and --window exclude each other: a schedule, or as fast as it goes"};
    }
    if (isGiven("--slow-clients") && !isGiven("--slow")) {
        return Problem{"--slow-clients needs --slow BYTES/S"};
    }
    if (isGiven("--at-once") && isGiven("--window")) {
        return Problem{"--at-once is about the schedule of --rate; it excludes --window"};
    }
    if (isGiven("--away") && !isGiven("--drop-rate")) {
        return Problem{"--away needs --drop-rate N"};
    }
    if (isGiven("--slow") && options.slowClients == 0) {
        options.slowClients = 1;
    }
    if (options.window > 0) {
        options.messagesPerSecond = 0;
    }
    return checkTogether(options);
}

/// The value that belongs to `flag`: behind the equals sign, or the next argument, which is then
/// taken from `rest`.
Checked<Text> takeValue(const Flag &flag, Text argument, std::span<const char *const> &rest)
{
    const std::size_t equals = argument.find('=');
    if (flag.value.empty()) {
        return equals == Text::npos ? Checked<Text>(Text())
                                    : Problem{std::string(flag.name) + " takes no value"};
    }
    if (equals != Text::npos) {
        return argument.substr(equals + 1);
    }
    if (rest.empty()) {
        return Problem{std::string(flag.name) + " needs a value: " + std::string(flag.wants)};
    }
    const Text value = rest.front();
    rest = rest.subspan(1);
    return value;
}

std::optional<Problem> apply(const Flag &flag, Text value, Options &options)
{
    if (flag.name == "--url") {
        auto url = parseUrl(value);
        if (const auto *problem = std::get_if<Problem>(&url)) {
            return Problem{"--url: " + problem->message};
        }
        options.url = std::get<Url>(std::move(url));
    } else if (!flag.apply(options, value)) {
        return Problem{std::string(flag.name) + " '" + std::string(value) + "' is not "
                       + std::string(flag.wants)};
    }
    return std::nullopt;
}

} // namespace

std::variant<Options, Information, Problem> parseOptions(std::span<const char *const> arguments)
{
    Options options;
    std::vector<Text> given;
    while (!arguments.empty()) {
        const Text argument = arguments.front();
        arguments = arguments.subspan(1);
        const Text name = argument.substr(0, argument.find('='));
        if (name == "--help" || name == "-h") {
            return Information{helpText()};
        }
        if (name == "--version") {
            return Information{std::string("relay-bench ") + kVersion + "\n"};
        }
        const auto *const flag = std::find_if(kFlags.begin(), kFlags.end(),
                                              [name](const Flag &f) { return f.name == name; });
        if (flag == kFlags.end()) {
            return Problem{"unknown option '" + std::string(argument)
                           + "'; see relay-bench --help"};
        }
        auto value = takeValue(*flag, argument, arguments);
        if (const auto *problem = std::get_if<Problem>(&value)) {
            return *problem;
        }
        if (auto problem = apply(*flag, std::get<Text>(value), options)) {
            return *problem;
        }
        given.push_back(name);
    }
    if (auto problem = settleDependent(options, given)) {
        return *problem;
    }
    return options;
}

} // namespace relay::bench
