#pragma once

#include "metrics/process_stats.h"
#include "metrics/relay_counters.h"
#include "ops/model/overview.h"

#include <QObject>
#include <QTimer>

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

namespace relay {

class Hub;

/// Looks at the relay's counters once a second, and makes rates and percentiles of them.
///
/// Thread: the hub's.
/// Owner: AdminApi.
/// Cost: a few hundred numbers a second; nothing of the workers' time.
class RelaySampler : public QObject
{
    Q_OBJECT

public:
    /// The hub must outlive it.
    explicit RelaySampler(const Hub &hub, QObject *parent = nullptr);

    /// As of now, but for what is measured once a second: rates, latencies, cpu, memory and the time
    /// of that. Without the configuration.
    [[nodiscard]] Overview overview() const;

Q_SIGNALS:
    void sampled();

private:
    struct Sample
    {
        std::chrono::steady_clock::time_point at;
        RelaySnapshot counters;
        std::vector<quint64> workerDeliveries;
        std::vector<std::optional<std::chrono::nanoseconds>> workerCpu;
        std::optional<double> cpuSeconds;
    };

    void takeSample();
    void measureRates(const Sample &before, const Sample &now);

    const Hub &m_hub;
    const ProcessStatsReader m_process;
    const std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    const double m_startedAt;     ///< seconds since 1970-01-01 UTC
    std::deque<Sample> m_samples; ///< of the last ten seconds, oldest first
    Overview m_measured;          ///< once a second; all else of it is nothing
    QTimer m_tick;
};

/// The value below which the fraction `q` of a histogram's observations lies, taking those of a
/// bucket for evenly spread (as Prometheus' histogram_quantile does); nothing without observations.
/// Beyond the last bound it is the last bound.
std::optional<double> quantile(const LatencySnapshot &histogram, double q);

} // namespace relay
