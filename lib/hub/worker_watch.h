#pragma once

#include "base/clock.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace relay {

/// A worker that does not answer. It may be held up by a receiver of the hub's signals, by work that
/// nothing bounds, or by a machine that does not let it run.
struct StuckWorker
{
    int number = 0; ///< from 1, as in the thread's name
    std::chrono::nanoseconds silentFor{};
};

/// Finds workers that hang: each is asked for a sign of life once a second, which it gives between two
/// turns of its loop. A worker with nothing to do answers immediately.
///
/// Thread: its owner's. Answers come from the workers.
/// Owner: Hub. An answer may come later than the end of this.
/// Limits: one question at a time for each worker. A worker counts as stuck when it has not answered
/// one for kPatience.
class WorkerWatch
{
public:
    static constexpr std::chrono::seconds kInterval{1};
    static constexpr std::chrono::seconds kPatience{5};

    /// How a worker is asked: the function has it call `answer`, once, on any thread.
    using Ask = std::function<void(std::function<void()> answer)>;

    /// Starts to watch these workers, in the order of their numbers. None: nobody is watched.
    void watch(const std::vector<Ask> &workers);

    /// Asks each worker that owes no answer. Call it every kInterval. Logs which workers have become
    /// stuck, and which answer again.
    void ask(TimePoint now);

    /// Those that are stuck.
    [[nodiscard]] std::vector<StuckWorker> stuck(TimePoint now) const;
    /// How long each worker has owed an answer; 0 for one that owes none.
    [[nodiscard]] std::vector<std::chrono::nanoseconds> silences(TimePoint now) const;

private:
    struct Watched
    {
        Ask ask;
        int number = 0;
        std::shared_ptr<std::atomic<bool>> owesAnswer;
        TimePoint askedAt;
        bool isToldStuck = false;
    };

    static std::chrono::nanoseconds silenceOf(const Watched &worker, TimePoint now);
    static void tell(Watched &worker, TimePoint now);

    std::vector<Watched> m_workers;
};

} // namespace relay
