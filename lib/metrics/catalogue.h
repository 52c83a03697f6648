#pragma once

#include "base/log_writer.h"
#include "metrics/process_stats.h"
#include "metrics/relay_counters.h"

#include <array>
#include <cstddef>
#include <optional>
#include <prometheus/metric_family.h>
#include <span>
#include <string>
#include <vector>

namespace relay {

/// All that a page of metrics is made from, read at one moment.
struct MetricsInput
{
    RelaySnapshot counters;
    int connectedClients = 0; ///< WebSockets
    int eventStreams = 0;     ///< EventSource listeners
    int channels = 0;
    qint64 historyBytes = 0;
    int maxConnections = 0;
    int idlePositions = 0; ///< kept of channels that vanished
    quint64 droppedPositions = 0;
    quint64 replayLooks = 0;
    int workers = 0;
    LogDropCounts droppedLogLines{};
    std::vector<double> longestTurns; ///< seconds, by worker
    /// Without it the process_* metrics are left out.
    std::optional<ProcessStats> process;
    /// The names of RelayCounters::protocolViolations, in its order. Must all be set, and outlive
    /// this struct.
    std::array<const char *, kProtocolRules> protocolRuleLabels{};
};

/// One metric as it is declared: the name says its unit (base units, `_total` for counters) and the
/// labels' values are all there from the start, with 0, so that a rate has a first value; but for
/// relay_http_requests_total, of whose many none is there before it was met.
struct MetricDefinition
{
    const char *name;
    prometheus::MetricType type;
    const char *labels; ///< names, parted by commas; empty for none
    const char *help;
    /// The samples; none means that the metric is left out of the page.
    std::vector<prometheus::ClientMetric> (*samples)(const MetricsInput &input);
};

/// Every metric of the relay, in the order of the page. The reference for people is made from it,
/// too.
std::span<const MetricDefinition> metricCatalogue();

/// Thread: any (as the next).   Cost: about 100 samples; no lock, nothing of the relay is touched.
std::vector<prometheus::MetricFamily> collectMetrics(const MetricsInput &input);

/// The page in Prometheus' text format 0.0.4 (prometheus-cpp's TextSerializer).
std::string renderMetrics(const MetricsInput &input);

} // namespace relay
