#include "worker.h"

#include <algorithm>
#include <numeric>

namespace relay::bench {

// What of a Worker publishes; worker.cpp has the loop, the connections and the reading.

namespace {

constexpr Nanoseconds kProbeInterval = 100 * kMillisecond;
/// A publisher that is late catches up by so many messages before it looks at what came.
constexpr int kMostMessagesPerTurn = 4096;

} // namespace

void Worker::probe()
{
    const Nanoseconds time = now();
    if (time < m_nextProbe) {
        return;
    }
    m_nextProbe = time + kProbeInterval;
    for (Client &client : m_clients) {
        if (!m_plan.isProber(client.number)) {
            return; // they come first
        }
        writeStamp(m_frame.data() + m_stampAt,
                   {.run = m_runId,
                    .publisher = MessageStamp::kProbe,
                    .sequence = static_cast<std::uint64_t>(client.channel)});
        if (client.connection.send(m_frame)) {
            updateWriting(client);
        }
    }
}

void Worker::prepareLoad()
{
    const auto isReading = [](const Client &client) { return client.kind.pace == Pace::Normal; };
    const auto reading =
        static_cast<std::size_t>(std::count_if(m_clients.begin(), m_clients.end(), isReading));
    // A thread has every threads-th client, so that the next one of the same channel stands there.
    const auto step = static_cast<std::size_t>(
        std::max(1, m_plan.channels / std::gcd(m_plan.channels, m_options.threads)));
    for (std::size_t i = 0; i < m_publishers.size(); ++i) {
        // Publishers come first on a thread as in the run, so the one at i is m_clients[i].
        const std::size_t next = i + step < reading ? i + step : i % step;
        m_clients[m_control.plan().hasEcho ? i : next].witnessOf = m_publishers[i];
    }
}

Nanoseconds Worker::dueOf(std::uint64_t index) const
{
    // Message k of all is publisher k % publishers'; this thread has some of them.
    const std::uint64_t round = index / m_publishers.size();
    const auto publisher = m_publishers[index % m_publishers.size()]->number;
    const std::uint64_t k = round * static_cast<std::uint64_t>(m_options.publishers)
                            + static_cast<std::uint64_t>(m_options.isAtOnce ? 0 : publisher);
    return m_control.plan().begin
           + static_cast<Nanoseconds>(static_cast<double>(k) * 1e9 / m_options.messagesPerSecond);
}

void Worker::publishDue()
{
    if (m_publishers.empty()) {
        return;
    }
    const Nanoseconds end = std::min(now() + 1, m_control.plan().end);
    for (int i = 0; i < kMostMessagesPerTurn; ++i) {
        const Nanoseconds due = dueOf(m_published);
        if (due >= end) {
            return;
        }
        publish(*m_publishers[m_published % m_publishers.size()], due);
        ++m_published;
    }
}

void Worker::publishWindows()
{
    const auto window = static_cast<std::uint64_t>(m_options.window);
    for (Client *client : m_publishers) {
        const std::uint64_t most = client->acknowledged + window;
        while (client->sent < most && client->unsent == 0) {
            const Nanoseconds time = now();
            if (time < m_control.plan().begin || time >= m_control.plan().end) {
                return;
            }
            publish(*client, time);
        }
    }
}

void Worker::publish(Client &client, Nanoseconds due)
{
    Connection &connection = client.connection;
    const bool wasOpen = connection.state() == Connection::State::Open;
    writeStamp(m_frame.data() + m_stampAt, {.run = m_runId,
                                            .publisher = static_cast<std::uint32_t>(client.number),
                                            .sequence = client.sent,
                                            .due = due});
    if (due >= m_control.plan().measure) {
        m_lateness.add(now() - due);
    }
    if (connection.send(m_frame)) {
        ++client.sent;
        ++m_tally.sent;
        const int readers = m_plan.membersOf(client.channel, m_options.readingClients());
        m_tally.expected +=
            static_cast<std::uint64_t>(readers - (m_control.plan().hasEcho ? 0 : 1));
        updateWriting(client);
        return;
    }
    ++client.unsent;
    if (wasOpen && connection.state() == Connection::State::Closed) {
        onEnded(client, true);
    }
}

} // namespace relay::bench
