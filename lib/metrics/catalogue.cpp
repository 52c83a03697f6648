#include "metrics/catalogue.h"

#include "base/version.h"

#include <QtGlobal>

#include <limits>
#include <prometheus/text_serializer.h>
#include <utility>

namespace relay {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using Samples = std::vector<ClientMetric>;

/// A gauge and a counter differ in the page's TYPE line only; the serializer reads the member that
/// fits the family's type.
ClientMetric sample(double value, std::vector<ClientMetric::Label> labels = {})
{
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = value;
    metric.gauge.value = value;
    return metric;
}

Samples single(double value)
{
    return {sample(value)};
}
Samples single(quint64 value)
{
    return single(static_cast<double>(value));
}

template <std::size_t Size>
Samples byLabel(const char *label,
                const std::array<const char *, Size> &values,
                const std::array<quint64, Size> &numbers)
{
    Samples samples;
    samples.reserve(Size);
    for (std::size_t i = 0; i < Size; ++i) {
        samples.push_back(sample(static_cast<double>(numbers[i]), {{label, values[i]}}));
    }
    return samples;
}

Samples disconnectionsByCode(const MetricsInput &input)
{
    const auto &numbers = input.counters.disconnectionsByCode;
    Samples samples;
    samples.reserve(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        std::string code =
            i < kCountedCloseCodes.size() ? std::to_string(kCountedCloseCodes[i]) : "other";
        samples.push_back(sample(static_cast<double>(numbers[i]), {{"code", std::move(code)}}));
    }
    return samples;
}

/// Only what was asked so far: most methods and statuses never go together.
Samples httpRequests(const MetricsInput &input)
{
    Samples samples;
    const auto &requests = input.counters.httpRequests;
    for (std::size_t method = 0; method < requests.size(); ++method) {
        for (std::size_t status = 0; status < requests[method].size(); ++status) {
            if (requests[method][status] > 0) {
                std::string code = status < kCountedStatuses.size()
                                       ? std::to_string(kCountedStatuses[status])
                                       : "other";
                samples.push_back(
                    sample(static_cast<double>(requests[method][status]),
                           {{"method", kHttpMethodLabels[method]}, {"code", std::move(code)}}));
            }
        }
    }
    return samples;
}

/// What was never queued and what was thrown out of a queue, side by side for each reason.
Samples droppedMessages(const MetricsInput &input)
{
    Samples samples;
    for (std::size_t i = 0; i < kDropReasonLabels.size(); ++i) {
        const auto add = [&](quint64 number, const char *queued) {
            samples.push_back(sample(static_cast<double>(number),
                                     {{"reason", kDropReasonLabels[i]}, {"queued", queued}}));
        };
        add(input.counters.neverQueued[i], "false");
        add(input.counters.dropped[i], "true");
    }
    return samples;
}

Samples longestTurns(const MetricsInput &input)
{
    Samples samples;
    for (std::size_t i = 0; i < input.longestTurns.size(); ++i) {
        samples.push_back(sample(input.longestTurns[i], {{"worker", std::to_string(i + 1)}}));
    }
    return samples;
}

Samples latency(const LatencySnapshot &snapshot)
{
    ClientMetric metric;
    quint64 cumulative = 0;
    for (std::size_t i = 0; i < snapshot.buckets.size(); ++i) {
        cumulative += snapshot.buckets[i];
        const double bound =
            i < kLatencyBounds.size() ? kLatencyBounds[i] : std::numeric_limits<double>::infinity();
        metric.histogram.bucket.push_back({cumulative, bound});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = snapshot.sum;
    return {metric};
}

Samples ofProcess(const MetricsInput &input, double ProcessStats::*member)
{
    return input.process ? single((*input.process).*member) : Samples{};
}

constexpr std::array kCatalogue{
    MetricDefinition{"websocket_connected_clients", MetricType::Gauge, "",
                     "Clients that are connected.",
                     [](const MetricsInput &in) { return single(double(in.connectedClients)); }},
    MetricDefinition{"websocket_messages_total", MetricType::Counter, "",
                     "Messages accepted for relaying. What a client had sent and the relay had not "
                     "read when the connection ended is not known, and not counted.",
                     [](const MetricsInput &in) { return single(in.counters.messages); }},
    MetricDefinition{"websocket_connections_total", MetricType::Counter, "",
                     "WebSocket handshakes completed.",
                     [](const MetricsInput &in) { return single(in.counters.connections); }},
    MetricDefinition{"websocket_disconnections_total", MetricType::Counter, "",
                     "WebSocket connections ended, for whatever reason.",
                     [](const MetricsInput &in) { return single(in.counters.disconnections); }},
    MetricDefinition{"relay_event_streams", MetricType::Gauge, "",
                     "EventSource listeners that are connected.",
                     [](const MetricsInput &in) { return single(double(in.eventStreams)); }},
    MetricDefinition{"relay_event_streams_total", MetricType::Counter, "",
                     "EventSource listeners that have come.",
                     [](const MetricsInput &in) { return single(in.counters.eventStreams); }},
    MetricDefinition{"relay_channels", MetricType::Gauge, "",
                     "Channels that somebody has joined, or that keep messages.",
                     [](const MetricsInput &in) { return single(double(in.channels)); }},
    MetricDefinition{"relay_history_bytes", MetricType::Gauge, "",
                     "What the histories of all channels take, overhead included.",
                     [](const MetricsInput &in) { return single(double(in.historyBytes)); }},
    MetricDefinition{"relay_idle_positions", MetricType::Gauge, "",
                     "Positions that are kept of channels which have no clients and no messages "
                     "any more.",
                     [](const MetricsInput &in) { return single(double(in.idlePositions)); }},
    MetricDefinition{"relay_positions_dropped_total", MetricType::Counter, "",
                     "Positions that were dropped because there were more than history.positions.",
                     [](const MetricsInput &in) { return single(in.droppedPositions); }},
    MetricDefinition{"relay_replay_looks_total", MetricType::Counter, "",
                     "Channels and messages that were looked at to replay a pattern's messages.",
                     [](const MetricsInput &in) { return single(in.replayLooks); }},
    MetricDefinition{"relay_resumes_total", MetricType::Counter, "result",
                     "Listeners that came back with a position: whether all that followed it could "
                     "be given.",
                     [](const MetricsInput &in) {
                         return byLabel("result", kResumeResultLabels, in.counters.resumes);
                     }},
    MetricDefinition{"relay_http_requests_total", MetricType::Counter, "method,code",
                     "Requests answered on the clients' port, by method and status.", httpRequests},
    MetricDefinition{"relay_build_info", MetricType::Gauge, "version,qt",
                     "Always 1; the labels tell the versions of the relay and of Qt.",
                     [](const MetricsInput &) {
                         return Samples{sample(1, {{"version", kVersion}, {"qt", qVersion()}})};
                     }},
    MetricDefinition{"relay_received_bytes_total", MetricType::Counter, "",
                     "Bytes read from client connections, handshakes and framing included.",
                     [](const MetricsInput &in) { return single(in.counters.receivedBytes); }},
    MetricDefinition{"relay_sent_bytes_total", MetricType::Counter, "",
                     "Bytes written to client connections, handshakes and framing included.",
                     [](const MetricsInput &in) { return single(in.counters.sentBytes); }},
    MetricDefinition{
        "relay_deliveries_total", MetricType::Counter, "",
        "Messages handed to a client's connection, one for each receiver, replayed ones "
        "included. Of these, relay_dropped_total{queued=\"true\"} were thrown out of the "
        "client's queue and relay_queued_messages still wait; the rest was written to "
        "the socket. What the kernel had not sent, or the client had not read, when a "
        "connection ended is not known, and counts as written.",
        [](const MetricsInput &in) { return single(in.counters.deliveries); }},
    MetricDefinition{"relay_queued_messages", MetricType::Gauge, "",
                     "Messages that wait in the clients' queues, one for each receiver.",
                     [](const MetricsInput &in) { return single(in.counters.waiting()); }},
    MetricDefinition{
        "relay_dropped_total", MetricType::Counter, "reason,queued",
        "Messages accepted that did not reach a client, one for each receiver. "
        "queued=\"false\": not put into the client's queue, and not a part of "
        "relay_deliveries_total. queued=\"true\": thrown out of the queue, or left in it "
        "when the connection ended. Small messages are written together, up to 64 KiB at "
        "a time; all of a write that was not finished count as dropped.",
        droppedMessages},
    MetricDefinition{"relay_handshake_failures_total", MetricType::Counter, "reason",
                     "Connections that never became a client.",
                     [](const MetricsInput &in) {
                         return byLabel("reason", kHandshakeFailureLabels,
                                        in.counters.handshakeFailures);
                     }},
    MetricDefinition{"relay_disconnections_total", MetricType::Counter, "code",
                     "WebSocket connections ended, by close code (1006: without a close frame).",
                     disconnectionsByCode},
    MetricDefinition{"relay_limit_disconnections_total", MetricType::Counter, "limit",
                     "Connections that the relay ended because a limit was reached.",
                     [](const MetricsInput &in) {
                         return byLabel("limit", kLimitHitLabels, in.counters.limitHits);
                     }},
    MetricDefinition{"relay_protocol_violations_total", MetricType::Counter, "rule",
                     "Connections that the relay ended because a client broke a protocol rule.",
                     [](const MetricsInput &in) {
                         return byLabel("rule", in.protocolRuleLabels,
                                        in.counters.protocolViolations);
                     }},
    MetricDefinition{"relay_pings_sent_total", MetricType::Counter, "",
                     "Keepalive pings sent to silent clients.",
                     [](const MetricsInput &in) { return single(in.counters.pingsSent); }},
    MetricDefinition{"relay_inbox_pauses_total", MetricType::Counter, "",
                     "Times that a sender was not read from because a worker's inbox was full.",
                     [](const MetricsInput &in) { return single(in.counters.inboxPauses); }},
    MetricDefinition{"relay_log_lines_dropped_total", MetricType::Counter, "reason",
                     "Lines left out of the log: rate (logging.rate), queue_full (standard error "
                     "did not take them), write_failed.",
                     [](const MetricsInput &in) {
                         return byLabel("reason", kLogDropLabels, in.droppedLogLines);
                     }},
    MetricDefinition{
        "relay_max_connections", MetricType::Gauge, "",
        "Connections that are served at the same time: limits.connections, or fewer where the "
        "limit of open files leaves less room.",
        [](const MetricsInput &in) { return single(double(in.maxConnections)); }},
    MetricDefinition{"relay_workers", MetricType::Gauge, "", "Threads that serve clients.",
                     [](const MetricsInput &in) { return single(double(in.workers)); }},
    MetricDefinition{"relay_turn_seconds", MetricType::Histogram, "le",
                     "Length of the turns of the workers' event loops. A client waits for the turn "
                     "of its worker to end, whatever it is for.",
                     [](const MetricsInput &in) { return latency(in.counters.turnSeconds); }},
    MetricDefinition{"relay_worker_longest_turn_seconds", MetricType::Gauge, "worker",
                     "Longest turn of a worker's event loop in the last minute. For a worker that "
                     "hangs: how long it has not answered, if that is longer.",
                     longestTurns},
    MetricDefinition{"relay_turn_waits_total", MetricType::Counter, "",
                     "Times that a client had to wait for its worker's next turn to be read from, "
                     "because this turn had read for long enough.",
                     [](const MetricsInput &in) { return single(in.counters.turnWaits); }},
    MetricDefinition{"relay_publish_to_write_seconds", MetricType::Histogram, "le",
                     "Time from a message's acceptance to its write to a receiver.",
                     [](const MetricsInput &in) { return latency(in.counters.publishToWrite); }},
    MetricDefinition{
        "process_cpu_seconds_total", MetricType::Counter, "", "User and system CPU time spent.",
        [](const MetricsInput &in) { return ofProcess(in, &ProcessStats::cpuSeconds); }},
    MetricDefinition{
        "process_resident_memory_bytes", MetricType::Gauge, "", "Memory that is resident.",
        [](const MetricsInput &in) { return ofProcess(in, &ProcessStats::residentBytes); }},
    MetricDefinition{
        "process_virtual_memory_bytes", MetricType::Gauge, "", "Address space that is mapped.",
        [](const MetricsInput &in) { return ofProcess(in, &ProcessStats::virtualBytes); }},
    MetricDefinition{
        "process_open_fds", MetricType::Gauge, "", "Descriptors that are open.",
        [](const MetricsInput &in) { return ofProcess(in, &ProcessStats::openDescriptors); }},
    MetricDefinition{
        "process_max_fds", MetricType::Gauge, "", "Descriptors that may be open (the soft limit).",
        [](const MetricsInput &in) { return ofProcess(in, &ProcessStats::maxDescriptors); }},
    MetricDefinition{
        "process_start_time_seconds", MetricType::Gauge, "",
        "When the process started, in seconds since 1970-01-01 UTC.",
        [](const MetricsInput &in) { return ofProcess(in, &ProcessStats::startTimeSeconds); }},
};

} // namespace

std::span<const MetricDefinition> metricCatalogue()
{
    return kCatalogue;
}

std::vector<prometheus::MetricFamily> collectMetrics(const MetricsInput &input)
{
    std::vector<prometheus::MetricFamily> families;
    families.reserve(kCatalogue.size());
    for (const MetricDefinition &definition : kCatalogue) {
        Samples samples = definition.samples(input);
        if (!samples.empty()) {
            families.push_back(
                {definition.name, definition.help, definition.type, std::move(samples)});
        }
    }
    return families;
}

std::string renderMetrics(const MetricsInput &input)
{
    return prometheus::TextSerializer().Serialize(collectMetrics(input));
}

} // namespace relay
