#pragma once

#include "client.h"
#include "control.h"
#include "histogram.h"
#include "options.h"
#include "tally.h"

#include <mutex>
#include <string>
#include <vector>

struct epoll_event;

namespace relay::bench {

/// A thread of clients: opens their connections, publishes on schedule, reads, checks and times
/// what comes.
///
/// Thread: run() is the thread's body and confines all but tally(), which any thread may call. The
/// rest of the results may be read when run() has returned.
/// Owner: Run.
class Worker
{
public:
    /// Serves the clients `index`, `index` + options.threads, …
    Worker(const Options &options,
           const Endpoint &endpoint,
           const Control &control,
           int index,
           std::uint32_t runId);

    void run();

    [[nodiscard]] Tally tally() const;

    [[nodiscard]] const std::vector<Client> &clients() const { return m_clients; }
    /// From when a message was due to when a reading client had it whole.
    [[nodiscard]] const Histogram &latency() const { return m_latency; }
    /// From when a message was due to when this program sent it: what of the latency is its own
    /// doing.
    [[nodiscard]] const Histogram &lateness() const { return m_lateness; }

private:
    void turn();
    void prepareLoad();
    void connectMore();
    void onOpened(Client &client);
    [[nodiscard]] Nanoseconds connectDue(const Client &client) const;
    void watch(Client &client, int operation);
    void updateWriting(Client &client);
    void handle(const epoll_event &event);
    void readFrom(Client &client, std::size_t mostBytes);
    void readSlowly();
    void onMessage(Client &client);
    void onFrames(Client &client, std::span<const char> bytes);
    void onClose(Client &client);
    void sendPong(Client &client);
    void onEnded(Client &client, bool wasOpen);

    void probe();
    void publishDue();
    void publishWindows();
    void publish(Client &client, Nanoseconds due);
    [[nodiscard]] Nanoseconds dueOf(std::uint64_t index) const;
    [[nodiscard]] Nanoseconds nextWakeUp() const;
    void shareTally();

    const Options &m_options;
    const Endpoint &m_endpoint;
    const Control &m_control;
    const std::uint32_t m_runId;
    const std::string m_request;

    Descriptor m_epoll;
    Phase m_phase = Phase::Connect;
    std::vector<Client> m_clients;      ///< never grows after construction: epoll holds pointers
    std::vector<Client *> m_publishers; ///< of m_clients
    std::vector<Client *> m_slow;       ///< of m_clients
    std::size_t m_firstUnconnected = 0;
    int m_connecting = 0;
    Nanoseconds m_connectBegin = 0;
    Nanoseconds m_nextProbe = 0;
    Nanoseconds m_nextSlowRead = 0;
    std::uint64_t m_published = 0; ///< how far the schedule has been worked off
    Nanoseconds m_readAt = 0;      ///< when what is being looked at was read

    std::vector<char> m_buffer; ///< all clients read into it
    std::string m_frame;        ///< a publisher's frame; its stamp is overwritten for each message
    std::size_t m_stampAt = 0;

    Histogram m_latency;
    Histogram m_lateness;
    Tally m_tally;
    mutable std::mutex m_shareMutex;
    Tally m_shared; ///< guarded by m_shareMutex: m_tally at the end of the last turn
};

} // namespace relay::bench
