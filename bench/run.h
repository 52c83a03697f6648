#pragma once

#include "control.h"
#include "options.h"
#include "run_result.h"
#include "server_process.h"
#include "worker.h"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace relay::bench {

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
