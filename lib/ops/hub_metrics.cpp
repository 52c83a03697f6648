#include "ops/hub_metrics.h"

#include "base/logging.h"
#include "hub/hub.h"
#include "metrics/process_stats.h"
#include "wire/frame_parser.h"

namespace relay {

static_assert(kProtocolRules == kViolationCount, "each rule has its counter");

MetricsInput metricsOf(const Hub &hub)
{
    MetricsInput input;
    input.counters = hub.counters();
    input.eventStreams = hub.eventStreamCount();
    input.connectedClients = hub.clientCount() - input.eventStreams;
    input.channels = hub.channelCount();
    input.historyBytes = hub.historyBytes();
    input.workers = hub.workerCount();
    for (std::size_t rule = 0; rule < kProtocolRules; ++rule) {
        input.protocolRuleLabels[rule] = describe(static_cast<Violation>(rule)).label;
    }
    return input;
}

std::function<MetricsInput()> metricsSource(const Hub &hub)
{
    return [&hub, process = ProcessStatsReader()] {
        MetricsInput input = metricsOf(hub);
        input.process = process.read();
        input.droppedLogLines = droppedLogLines();
        return input;
    };
}

} // namespace relay
