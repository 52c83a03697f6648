#pragma once

#include "ops/model/json_fields.h"

#include <QList>
#include <QString>

#include <optional>
#include <tuple>

namespace relay {

/// One worker thread's part of the work.
struct WorkerShare
{
    int clients = 0;
    double deliveriesPerSecond = 0;
    std::optional<double> cpuCores; ///< of one core; nothing when it was not measured yet

    static constexpr auto jsonFields()
    {
        return std::tuple{field("clients", &WorkerShare::clients),
                          field("deliveries_per_second", &WorkerShare::deliveriesPerSecond),
                          field("cpu_cores", &WorkerShare::cpuCores)};
    }
    friend bool operator==(const WorkerShare &, const WorkerShare &) = default;
};

/// The relay at a glance: `GET /-/api/overview`, and `overview` events of the stream. Rates and
/// latencies are of the last second, or of the last ten where it says so.
struct Overview
{
    QString version;
    QString state;        ///< "serving", "draining" or "stopping"
    std::optional<QString> address; ///< that the clients' port listens on; older relays do not tell it
    int port = 0;                   ///< of the clients' port
    bool tls = false;     ///< whether clients connect by wss:// and https:// there
    double startedAt = 0; ///< seconds since 1970-01-01 UTC
    double uptimeSeconds = 0;
    int clients = 0;      ///< WebSockets and event streams
    int eventStreams = 0; ///< of those
    int channels = 0;
    qint64 historyBytes = 0;
    qint64 messages = 0;        ///< accepted since the start
    qint64 deliveries = 0;      ///< since the start
    qint64 dropped = 0;         ///< messages that did not reach a client, since the start
    qint64 slowDisconnects = 0; ///< clients closed as too slow, since the start
    double messagesPerSecond = 0;
    double deliveriesPerSecond = 0;
    double receivedBytesPerSecond = 0;
    double sentBytesPerSecond = 0;
    double droppedPerSecond = 0;
    std::optional<double> latencyP50; ///< publish to write, seconds, of the last ten; nothing
    std::optional<double> latencyP99; ///< without messages
    std::optional<qint64> residentBytes;
    std::optional<double> cpuCores; ///< all threads
    QList<WorkerShare> workers;
    std::optional<QString> config; ///< the settings in force, as --print-config writes them

    static constexpr auto jsonFields()
    {
        using O = Overview;
        return std::tuple{field("version", &O::version),
                          field("state", &O::state),
                          field("address", &O::address),
                          field("port", &O::port),
                          field("tls", &O::tls),
                          field("started_at", &O::startedAt),
                          field("uptime_seconds", &O::uptimeSeconds),
                          field("clients", &O::clients),
                          field("event_streams", &O::eventStreams),
                          field("channels", &O::channels),
                          field("history_bytes", &O::historyBytes),
                          field("messages", &O::messages),
                          field("deliveries", &O::deliveries),
                          field("dropped", &O::dropped),
                          field("slow_disconnects", &O::slowDisconnects),
                          field("messages_per_second", &O::messagesPerSecond),
                          field("deliveries_per_second", &O::deliveriesPerSecond),
                          field("received_bytes_per_second", &O::receivedBytesPerSecond),
                          field("sent_bytes_per_second", &O::sentBytesPerSecond),
                          field("dropped_per_second", &O::droppedPerSecond),
                          field("latency_p50_seconds", &O::latencyP50),
                          field("latency_p99_seconds", &O::latencyP99),
                          field("resident_bytes", &O::residentBytes),
                          field("cpu_cores", &O::cpuCores),
                          field("workers", &O::workers),
                          field("config", &O::config)};
    }
    friend bool operator==(const Overview &, const Overview &) = default;
};

} // namespace relay
