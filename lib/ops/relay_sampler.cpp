#include "ops/relay_sampler.h"

#include "base/version.h"
#include "hub/hub.h"

#include <QDateTime>

#include <algorithm>
#include <numeric>
#include <utility>

namespace relay {

namespace {

constexpr std::chrono::seconds kTick{1};
/// Percentiles are of so many seconds.
constexpr std::size_t kWindow = 10;

quint64 droppedBy(const RelaySnapshot &counters)
{
    return std::accumulate(counters.dropped.begin(), counters.dropped.end(), quint64{0});
}

LatencySnapshot difference(const LatencySnapshot &now, const LatencySnapshot &before)
{
    LatencySnapshot result;
    for (std::size_t i = 0; i < result.buckets.size(); ++i) {
        result.buckets[i] = now.buckets[i] - before.buckets[i];
    }
    result.sum = now.sum - before.sum;
    return result;
}

quint64 slowDisconnectsIn(const RelaySnapshot &counters)
{
    return counters.limitHits[static_cast<std::size_t>(LimitHit::QueueSize)]
           + counters.limitHits[static_cast<std::size_t>(LimitHit::SlowGrace)];
}

} // namespace

std::optional<double> quantile(const LatencySnapshot &histogram, double q)
{
    const quint64 count =
        std::accumulate(histogram.buckets.begin(), histogram.buckets.end(), quint64{0});
    if (count == 0) {
        return std::nullopt;
    }
    const double rank = q * static_cast<double>(count);
    double below = 0;
    for (std::size_t i = 0; i < kLatencyBounds.size(); ++i) {
        const auto here = static_cast<double>(histogram.buckets[i]);
        if (here > 0 && below + here >= rank) {
            const double lower = i == 0 ? 0 : kLatencyBounds[i - 1];
            return lower + (kLatencyBounds[i] - lower) * (rank - below) / here;
        }
        below += here;
    }
    return kLatencyBounds.back();
}

RelaySampler::RelaySampler(const Hub &hub, QObject *parent)
    : QObject(parent)
    , m_hub(hub)
    , m_startedAt(static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000.0)
{
    m_tick.setInterval(kTick);
    connect(&m_tick, &QTimer::timeout, this, &RelaySampler::takeSample);
    m_tick.start();
    takeSample();
}

Overview RelaySampler::overview() const
{
    const RelaySnapshot counters = m_hub.counters();
    Overview o = m_measured;
    o.version = QString::fromLatin1(kVersion);
    o.state = !m_hub.isListening() ? QStringLiteral("stopping")
              : m_hub.isDraining() ? QStringLiteral("draining")
                                   : QStringLiteral("serving");
    o.address = m_hub.address();
    o.port = m_hub.port();
    o.tls = m_hub.usesTls();
    o.startedAt = m_startedAt;
    o.clients = m_hub.clientCount();
    o.eventStreams = m_hub.eventStreamCount();
    o.channels = m_hub.channelCount();
    o.historyBytes = m_hub.historyBytes();
    o.messages = static_cast<qint64>(counters.messages);
    o.deliveries = static_cast<qint64>(counters.deliveries);
    o.dropped = static_cast<qint64>(droppedBy(counters));
    o.slowDisconnects = static_cast<qint64>(slowDisconnectsIn(counters));
    const std::vector<Hub::WorkerStats> workers = m_hub.workerStats();
    o.workers.resize(static_cast<qsizetype>(workers.size()));
    for (std::size_t i = 0; i < workers.size(); ++i) {
        o.workers[static_cast<qsizetype>(i)].clients = workers[i].clients;
    }
    return o;
}

void RelaySampler::takeSample()
{
    Sample now{.at = std::chrono::steady_clock::now(),
               .counters = m_hub.counters(),
               .workerDeliveries = {},
               .workerCpu = {},
               .cpuSeconds = std::nullopt};
    for (const Hub::WorkerStats &worker : m_hub.workerStats()) {
        now.workerDeliveries.push_back(worker.deliveries);
        now.workerCpu.push_back(worker.cpuTime);
    }
    m_measured.uptimeSeconds = std::chrono::duration<double>(now.at - m_start).count();
    if (const auto process = m_process.read()) {
        now.cpuSeconds = process->cpuSeconds;
        m_measured.residentBytes = static_cast<qint64>(process->residentBytes);
    }
    if (!m_samples.empty()) {
        measureRates(m_samples.back(), now);
        const LatencySnapshot recent =
            difference(now.counters.publishToWrite, m_samples.front().counters.publishToWrite);
        m_measured.latencyP50 = quantile(recent, 0.5);
        m_measured.latencyP99 = quantile(recent, 0.99);
    }
    m_samples.push_back(std::move(now));
    if (m_samples.size() > kWindow) {
        m_samples.pop_front();
    }
    Q_EMIT sampled();
}

void RelaySampler::measureRates(const Sample &before, const Sample &now)
{
    const double seconds = std::chrono::duration<double>(now.at - before.at).count();
    const auto rate = [seconds](quint64 later, quint64 earlier) {
        return seconds > 0 ? static_cast<double>(later - earlier) / seconds : 0;
    };
    Overview &o = m_measured;
    o.messagesPerSecond = rate(now.counters.messages, before.counters.messages);
    o.deliveriesPerSecond = rate(now.counters.deliveries, before.counters.deliveries);
    o.receivedBytesPerSecond = rate(now.counters.receivedBytes, before.counters.receivedBytes);
    o.sentBytesPerSecond = rate(now.counters.sentBytes, before.counters.sentBytes);
    o.droppedPerSecond = rate(droppedBy(now.counters), droppedBy(before.counters));
    if (now.cpuSeconds && before.cpuSeconds && seconds > 0) {
        o.cpuCores = (*now.cpuSeconds - *before.cpuSeconds) / seconds;
    }
    // Those that began in between have no rates yet.
    const std::size_t workers =
        std::min(now.workerDeliveries.size(), before.workerDeliveries.size());
    o.workers.resize(static_cast<qsizetype>(workers));
    for (std::size_t i = 0; i < workers; ++i) {
        WorkerShare &share = o.workers[static_cast<qsizetype>(i)];
        share.deliveriesPerSecond = rate(now.workerDeliveries[i], before.workerDeliveries[i]);
        if (now.workerCpu[i] && before.workerCpu[i] && seconds > 0) {
            share.cpuCores =
                std::chrono::duration<double>(*now.workerCpu[i] - *before.workerCpu[i]).count()
                / seconds;
        }
    }
}

} // namespace relay
