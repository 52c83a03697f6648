#include "run_result.h"

#include <algorithm>
#include <map>

namespace relay::bench {

namespace {

/// What the clients of each channel got and saw.
struct ChannelSums
{
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::map<std::uint64_t, int> clientsByOrder; ///< of those who got all
};

std::vector<ChannelSums> sumsOf(const std::vector<std::unique_ptr<Worker>> &workers, int channels)
{
    std::vector<ChannelSums> sums(static_cast<std::size_t>(channels));
    for (const auto &worker : workers) {
        for (const Client &client : worker->clients()) {
            sums[static_cast<std::size_t>(client.channel)].sent += client.sent;
        }
    }
    for (const auto &worker : workers) {
        for (const Client &client : worker->clients()) {
            ChannelSums &channel = sums[static_cast<std::size_t>(client.channel)];
            const SequenceChecker &got = client.checker;
            if (client.kind.pace != Pace::Normal) {
                continue;
            }
            channel.received += got.received();
            // Orders are compared of those only who got the same messages: all of them, each once,
            // in each publisher's order.
            if (got.received() == channel.sent && got.duplicated() == 0 && got.outOfOrder() == 0) {
                ++channel.clientsByOrder[got.orderHash()];
            }
        }
    }
    return sums;
}

} // namespace

bool RunResult::isClean() const
{
    return lost == 0 && duplicated == 0 && outOfOrder == 0 && orderMismatches == 0 && unsent == 0
           && unanswered == 0 && holes == 0 && doubles == 0 && tally.failed == 0
           && tally.dropped == 0 && tally.away == 0 && tally.malformed == 0 && tally.strayed == 0;
}

void RunResult::addUp(const Options &options, const std::vector<std::unique_ptr<Worker>> &workers)
{
    std::vector<std::uint64_t> sent(static_cast<std::size_t>(options.publishers));
    for (const auto &worker : workers) {
        latency.merge(worker->latency());
        lateness.merge(worker->lateness());
        for (const Client &client : worker->clients()) {
            unsent += client.unsent;
            if (client.number < options.publishers) {
                sent[static_cast<std::size_t>(client.number)] = client.sent;
            }
        }
    }
    for (const auto &worker : workers) {
        for (const Client &client : worker->clients()) {
            judge(client, options, sent);
        }
    }
    leastOfAChannel = UINT64_MAX;
    std::vector<ChannelSums> channels = sumsOf(workers, options.channels);
    channels.resize(static_cast<std::size_t>(std::min(options.channels, options.publishers)));
    for (const ChannelSums &channel : channels) {
        leastOfAChannel = std::min(leastOfAChannel, channel.received);
        mostOfAChannel = std::max(mostOfAChannel, channel.received);
        int most = 0;
        for (const auto &[order, clients] : channel.clientsByOrder) {
            most = std::max(most, clients);
            orderCompared += clients;
            orderMismatches += clients;
        }
        orderMismatches -= most;
    }
}

void RunResult::judge(const Client &client,
                      const Options &options,
                      const std::vector<std::uint64_t> &sent)
{
    duplicated += client.checker.duplicated();
    outOfOrder += client.checker.outOfOrder();
    holes += client.offsets.holes();
    doubles += client.offsets.doubles();
    gapsTold += client.offsets.gapsTold();
    if (client.kind.pace != Pace::Normal) {
        skippedForSlow += client.checker.skipped();
    } else if (client.lastedToTheEnd && options.idle == 0) {
        const std::uint64_t missed = lostBy(client, options.channelPlan(), sent);
        lost += missed - std::min(missed, client.offsets.offsetsTold());
    }
}

std::uint64_t RunResult::lostBy(const Client &client,
                                const ChannelPlan &plan,
                                const std::vector<std::uint64_t> &sent) const
{
    std::uint64_t missed = 0;
    for (int publisher = client.channel; publisher < plan.publishers; publisher += plan.channels) {
        if (publisher != client.number || hasEcho) {
            missed += client.checker.lost(plan.slotOf(publisher),
                                          sent[static_cast<std::size_t>(publisher)]);
        }
    }
    return missed;
}

} // namespace relay::bench
