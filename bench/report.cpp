#include "report.h"

#include "formatted.h"
#include "json_object.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace relay::bench {

namespace {

/// 1234567.8 as "1,234,568".
std::string count(double value)
{
    std::string digits = formatted("%.0f", value);
    for (std::size_t i = digits.size(); i > 3; i -= 3) {
        digits.insert(i - 3, 1, ',');
    }
    return digits;
}

std::string count(std::uint64_t value)
{
    return count(static_cast<double>(value));
}

std::string duration(Nanoseconds span)
{
    const auto value = static_cast<double>(span);
    if (span < kMillisecond) {
        return formatted("%.0f us", value / 1e3);
    }
    if (span < kSecond) {
        return formatted(span < 10 * kMillisecond ? "%.2f ms" : "%.0f ms", value / 1e6);
    }
    return formatted("%.2f s", value / 1e9);
}

double perDelivery(double cpuSeconds, const RunResult &result)
{
    return result.deliveries == 0 ? 0 : cpuSeconds * 1e6 / static_cast<double>(result.deliveries);
}

double bytesPerClient(const ServerCost &server, const RunResult &result)
{
    const auto grown =
        static_cast<double>(server.bytesConnected) - static_cast<double>(server.bytesBefore);
    return grown / std::max(1, result.connected);
}

double rate(std::uint64_t events, double seconds)
{
    return seconds > 0 ? static_cast<double>(events) / seconds : 0;
}

double connectRate(const RunResult &result)
{
    return result.connectSeconds > 0 ? result.connected / result.connectSeconds : 0;
}

std::string bar(double share)
{
    constexpr int kColumns = 40;
    constexpr std::array<const char *, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto filled = static_cast<int>(std::lround(share * kColumns * 8));
    std::string text;
    for (int i = 0; i < filled / 8; ++i) {
        text += "█";
    }
    text += kEighths[static_cast<std::size_t>(filled % 8)];
    const int used = filled / 8 + (filled % 8 != 0 ? 1 : 0);
    return text + std::string(static_cast<std::size_t>(kColumns - used), ' ');
}

std::string loadLine(const Options &options)
{
    const std::string clients = count(static_cast<std::uint64_t>(options.clients)) + " clients";
    if (options.idle > 0) {
        return clients + " held idle for " + duration(options.idle);
    }
    const std::string load = options.window > 0
                                 ? formatted("%d messages in flight each", options.window)
                                 : formatted("%g msg/s together", options.messagesPerSecond);
    const std::string channels =
        options.channels > 1
            ? " on " + count(static_cast<std::uint64_t>(options.channels)) + " channels"
            : "";
    const std::string medium = options.hasListeners ? ", the rest by EventSource" : "";
    return clients + channels + formatted(", %d publishers", options.publishers) + medium + ", "
           + load + formatted(", %zu B, measured for ", options.messageBytes)
           + duration(options.duration);
}

std::string deliveryLines(const RunResult &result)
{
    const Histogram &latency = result.latency;
    const auto at = [&latency](double fraction) { return duration(latency.percentile(fraction)); };
    std::string text = "published    " + count(result.published) + " ("
                       + count(rate(result.published, result.seconds)) + "/s)\n";
    text += "deliveries   " + count(result.deliveries) + " ("
            + count(rate(result.deliveries, result.seconds)) + "/s)"
            + (result.hasEcho ? "" : "; the sender does not get its own") + "\n";
    text += "latency      p50 " + at(0.5) + "  p90 " + at(0.9) + "  p99 " + at(0.99) + "  p99.9 "
            + at(0.999) + "  max " + duration(latency.max()) + ", from when a message was due\n";
    text += "             of which this program sent late: p99 "
            + duration(result.lateness.percentile(0.99)) + "  max "
            + duration(result.lateness.max()) + "\n";
    text += "checked      " + count(result.tally.received) + "  lost " + count(result.lost)
            + "  duplicated " + count(result.duplicated) + "  out of order "
            + count(result.outOfOrder)
            + formatted("  another total order %d of %d\n", result.orderMismatches,
                        result.orderCompared);
    return text;
}

std::string channelLine(const RunResult &result)
{
    return "channels     each received " + count(result.leastOfAChannel) + " to "
           + count(result.mostOfAChannel) + " messages\n";
}

std::string resumeLine(const RunResult &result)
{
    return "resumed      " + count(result.tally.resumes) + " of " + count(result.tally.drops)
           + " dropped connections; gaps told " + count(result.gapsTold) + "  holes "
           + count(result.holes) + "  doubles " + count(result.doubles) + "\n";
}

std::string serverLine(const Options &options, const RunResult &result)
{
    const ServerCost &server = *result.server;
    std::string text = "server       ";
    if (options.idle == 0) {
        text += formatted("%.2f us CPU per delivery, ", perDelivery(server.cpuSeconds, result));
    }
    constexpr double kMebibyte = 1024.0 * 1024;
    text += formatted("%.1f %% of a core, %.1f MiB, %.2f KiB per client\n",
                      result.seconds > 0 ? 100 * server.cpuSeconds / result.seconds : 0,
                      static_cast<double>(server.bytesAtEnd) / kMebibyte,
                      bytesPerClient(server, result) / 1024);
    return text;
}

/// What went wrong, a line each; empty if nothing did.
std::string troubleLines(const Options &options, const RunResult &result)
{
    const Tally &tally = result.tally;
    std::string text;
    const auto add = [&text](std::uint64_t number, const std::string &what) {
        if (number > 0) {
            text += "!            " + count(number) + " " + what + "\n";
        }
    };
    const std::string first =
        tally.firstFailure.empty() ? "" : "; the first: " + tally.firstFailure;
    add(static_cast<std::uint64_t>(tally.failed), "clients could not connect" + first);
    add(static_cast<std::uint64_t>(result.unanswered), "clients got no answer to their handshake");
    add(static_cast<std::uint64_t>(tally.dropped), "connections were lost during the run" + first);
    for (const auto &[code, number] : tally.closeCodes) {
        add(static_cast<std::uint64_t>(number),
            formatted("close frames with code %u", unsigned{code}));
    }
    add(static_cast<std::uint64_t>(tally.away), "clients that dropped did not get back");
    add(tally.malformed, "messages of another length than was sent, or without their position");
    add(tally.strayed, "messages came on another channel than they were sent to");
    add(result.unsent, "messages were due, but the relay took no more from their publishers");
    if (options.stalledClients + options.slowClients > 0) {
        text += formatted("slow         %d of %d slow or stalled clients were closed, ",
                          tally.evicted, options.stalledClients + options.slowClients)
                + count(result.skippedForSlow) + " messages left out for them\n";
    }
    add(tally.foreign, "messages of others came on this channel, and were not counted");
    if (result.wasInterrupted) {
        text += "!            interrupted: the figures are of the time until then\n";
    }
    return text;
}

void addLatency(JsonObject &json, const std::string &prefix, const Histogram &histogram)
{
    const auto add = [&](const char *name, Nanoseconds value) {
        json.add((prefix + name + "_ms").c_str(), static_cast<double>(value) / 1e6);
    };
    add("_p50", histogram.percentile(0.5));
    add("_p90", histogram.percentile(0.9));
    add("_p99", histogram.percentile(0.99));
    add("_p999", histogram.percentile(0.999));
    add("_max", histogram.max());
}

void addResume(JsonObject &json, const RunResult &result)
{
    json.add("drops", result.tally.drops);
    json.add("resumes", result.tally.resumes);
    json.add("gaps_told", result.gapsTold);
    json.add("holes", result.holes);
    json.add("doubles", result.doubles);
    json.add("not_back", result.tally.away);
}

void addServer(JsonObject &json, const RunResult &result)
{
    const ServerCost &server = *result.server;
    json.add("server_cpu_seconds", server.cpuSeconds);
    json.add("server_cpu_us_per_delivery", perDelivery(server.cpuSeconds, result));
    json.add("server_cores", result.seconds > 0 ? server.cpuSeconds / result.seconds : 0);
    json.add("server_bytes", static_cast<std::uint64_t>(server.bytesAtEnd));
    json.add("server_bytes_per_client", bytesPerClient(server, result));
}

} // namespace

std::string latencyPlot(const Histogram &latency)
{
    if (latency.count() == 0) {
        return {};
    }
    struct Row
    {
        Nanoseconds to;
        std::uint64_t samples;
    };
    std::vector<Row> rows;
    std::uint64_t most = 0;
    // Up to 1 us, 2 us, 4 us ...: bucket ends are powers of two less one, so 1,024 ns stand for a
    // microsecond.
    Nanoseconds from = -1;
    for (Nanoseconds to = 1023; from < latency.max(); from = to, to = 2 * to + 1) {
        const std::uint64_t samples = latency.countBetween(from, to);
        most = std::max(most, samples);
        if (samples > 0 || !rows.empty()) {
            rows.push_back({to, samples});
        }
    }
    std::string text;
    for (const Row &row : rows) {
        const auto samples = static_cast<double>(row.samples);
        text += formatted("  up to %7s  ", duration(row.to).c_str())
                + bar(samples / static_cast<double>(most))
                + formatted(" %6.2f %%\n", 100 * samples / static_cast<double>(latency.count()));
    }
    return text;
}

std::string textReport(const Options &options, const RunResult &result)
{
    std::string text = options.url.text() + ": " + loadLine(options) + "\n";
    text += "connected    " + count(static_cast<std::uint64_t>(result.connected))
            + formatted(" in %.2f s (", result.connectSeconds) + count(connectRate(result))
            + "/s)\n";
    if (options.idle == 0) {
        text += deliveryLines(result);
    }
    if (options.idle == 0 && options.channels > 1) {
        text += channelLine(result);
    }
    if (options.dropsPerSecond > 0) {
        text += resumeLine(result);
    }
    if (result.server) {
        text += serverLine(options, result);
    }
    text += formatted("this program %.1f %% of a core\n",
                      result.seconds > 0 ? 100 * result.loadCpuSeconds / result.seconds : 0);
    text += troubleLines(options, result);
    const std::string plot = latencyPlot(result.latency);
    return plot.empty() ? text : text + "\n" + plot;
}

std::string jsonReport(const Options &options, const RunResult &result)
{
    const Tally &tally = result.tally;
    JsonObject json;
    json.add("url", options.url.text());
    json.add("clients", options.clients);
    json.add("channels", options.channels);
    json.add("event_source", options.hasListeners);
    json.add("connected", result.connected);
    json.add("connect_seconds", result.connectSeconds);
    json.add("connects_per_second", connectRate(result));
    json.add("seconds", result.seconds);
    json.add("load_cores", result.seconds > 0 ? result.loadCpuSeconds / result.seconds : 0);
    if (options.idle == 0) {
        json.add("publishers", options.publishers);
        json.add("message_bytes", static_cast<std::uint64_t>(options.messageBytes));
        json.add("echo", result.hasEcho);
        json.add("published", result.published);
        json.add("published_per_second", rate(result.published, result.seconds));
        json.add("deliveries", result.deliveries);
        json.add("deliveries_per_second", rate(result.deliveries, result.seconds));
        addLatency(json, "latency", result.latency);
        addLatency(json, "sent_late", result.lateness);
        json.add("checked", tally.received);
        json.add("lost", result.lost);
        json.add("duplicated", result.duplicated);
        json.add("out_of_order", result.outOfOrder);
        json.add("order_mismatches", result.orderMismatches);
        json.add("order_compared", result.orderCompared);
        json.add("unsent", result.unsent);
        json.add("malformed", tally.malformed);
        json.add("foreign", tally.foreign);
        json.add("strayed", tally.strayed);
        json.add("channel_received_least", result.leastOfAChannel);
        json.add("channel_received_most", result.mostOfAChannel);
        json.add("slow_clients_closed", tally.evicted);
        json.add("slow_messages_skipped", result.skippedForSlow);
    }
    if (options.dropsPerSecond > 0) {
        addResume(json, result);
    }
    json.add("connect_failures", tally.failed + result.unanswered);
    json.add("connections_lost", tally.dropped);
    json.add("first_failure", tally.firstFailure);
    json.add("pings", tally.pings);
    if (result.server) {
        addServer(json, result);
    }
    json.add("interrupted", result.wasInterrupted);
    json.add("clean", result.isClean());
    return json.text();
}

} // namespace relay::bench
