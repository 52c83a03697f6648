#pragma once

#include "control.h"
#include "histogram.h"
#include "options.h"
#include "server_process.h"
#include "tally.h"
#include "worker.h"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace relay::bench {

/// What the server's process cost; only with --pid.
struct ServerCost
{
    double cpuSeconds = 0; ///< while measured
    std::size_t bytesBefore = 0;
    std::size_t bytesConnected = 0;
    std::size_t bytesAtEnd = 0;
};

/// What a run found.
struct RunResult
{
    Tally tally;
    double connectSeconds = 0;
    int connected = 0;  ///< before anything was sent
    int unanswered = 0; ///< neither accepted nor refused
    bool hasEcho = true;
    bool wasInterrupted = false;

    double seconds = 0;           ///< measured
    std::uint64_t published = 0;  ///< while measured
    std::uint64_t deliveries = 0; ///< while measured, to clients that read at once
    Histogram latency;
    Histogram lateness;
    double loadCpuSeconds = 0; ///< of this program, while measured
    std::optional<ServerCost> server;

    // Over the whole run, the warm-up included.
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t outOfOrder = 0;
    std::uint64_t unsent = 0;         ///< were due, but the relay took no more from their publisher
    std::uint64_t skippedForSlow = 0; ///< holes in what slow clients got: a relay may drop for them
    int orderMismatches = 0; ///< clients that got every message, but in another order than most
    int orderCompared = 0;

    /// Nothing to complain of: the exit status.
    [[nodiscard]] bool isClean() const;
};

/// One run: opens the connections, asks who receives, warms up, measures, waits for what is in
/// flight, and adds up.
///
/// Thread: its owner's; starts the workers and has joined them when execute() returns.
class Run
{
public:
    /// `interrupted`: set by a signal; ends the run early, with the results so far.
    Run(const Options &options, const std::atomic<bool> &interrupted);
    ~Run();
    Run(const Run &) = delete;
    Run &operator=(const Run &) = delete;

    /// Errors: what makes a measurement impossible.
    Checked<RunResult> execute();

private:
    struct Sample
    {
        Nanoseconds time;
        Nanoseconds serverCpu;
        Nanoseconds ownCpu;
        std::uint64_t sent;
        std::uint64_t received;
    };

    std::optional<Problem> prepare();
    std::optional<Problem> connectAll();
    std::optional<Problem> findReceivers();
    void hold();
    void load();
    void drain();
    void finish();
    void addUp();
    [[nodiscard]] std::uint64_t lostBy(const Client &client,
                                       const std::vector<std::uint64_t> &sent) const;
    void compareOrders();

    void startWorkers();
    void stopWorkers();
    [[nodiscard]] Tally tally() const;
    [[nodiscard]] Sample sample() const;
    void takeDifference(const Sample &from, const Sample &to);
    void sleepUntil(Nanoseconds time);
    void showProgress();
    [[nodiscard]] Problem connectProblem(const Tally &sum) const;

    const Options &m_options;
    const std::atomic<bool> &m_interrupted;
    const bool m_showsProgress;
    Endpoint m_endpoint;
    Control m_control;
    std::optional<ServerProcess> m_server;
    std::vector<std::unique_ptr<Worker>> m_workers;
    std::vector<std::thread> m_threads;
    RunResult m_result;
    Sample m_lastShown{};
    Nanoseconds m_connectBegin = 0;
};

} // namespace relay::bench
