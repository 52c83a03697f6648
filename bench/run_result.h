#pragma once

#include "histogram.h"
#include "options.h"
#include "tally.h"
#include "worker.h"

#include <memory>
#include <optional>
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
    /// Of the channels that have a publisher: messages that the readers of each got, together.
    std::uint64_t leastOfAChannel = 0;
    std::uint64_t mostOfAChannel = 0;

    // Of the receivers that drop and come back: the channel's offsets, each once?
    std::uint64_t holes = 0;
    std::uint64_t doubles = 0;
    std::uint64_t gapsTold = 0; ///< what lies in them is not lost

    /// Adds up what the workers, which have ended, found.
    void addUp(const Options &options, const std::vector<std::unique_ptr<Worker>> &workers);

    /// Nothing to complain of: the exit status.
    [[nodiscard]] bool isClean() const;

private:
    void
    judge(const Client &client, const Options &options, const std::vector<std::uint64_t> &sent);
    [[nodiscard]] std::uint64_t lostBy(const Client &client,
                                       const ChannelPlan &plan,
                                       const std::vector<std::uint64_t> &sent) const;
};

} // namespace relay::bench
