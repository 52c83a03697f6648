#include "ops/hub_metrics.h"

#include "base/logging.h"
#include "hub/hub.h"
#include "metrics/process_stats.h"
#include "wire/frame_parser.h"

#include <chrono>

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
    input.maxConnections = hub.maxConnections();
    input.idlePositions = hub.idlePositions();
    input.droppedPositions = hub.droppedPositions();
    input.replayLooks = hub.replayLooks();
    input.workers = hub.workerCount();
    for (const Hub::WorkerStats &worker : hub.workerStats()) {
        input.longestTurns.push_back(std::chrono::duration<double>(worker.longestTurn).count());
    }
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

std::function<QByteArray()> healthSource(const Hub &hub, TimePoint (*clock)())
{
    return [&hub, clock] {
        QByteArrayList complaints;
        for (const StuckWorker &worker : hub.stuckWorkers(clock())) {
            const auto seconds =
                std::chrono::duration_cast<std::chrono::seconds>(worker.silentFor).count();
            complaints.append("worker " + QByteArray::number(worker.number)
                              + " has not answered for "
                              + QByteArray::number(static_cast<qint64>(seconds)) + " seconds");
        }
        return complaints.join('\n');
    };
}

} // namespace relay
