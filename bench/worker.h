#pragma once

#include "client.h"
#include "control.h"
#include "histogram.h"
#include "options.h"
#include "tally.h"

#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
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
    /// A message as its medium gave it.
    struct Payload
    {
        std::string_view front; ///< as much as the reader kept
        std::uint64_t bytes;    ///< all of it
    };

    [[nodiscard]] ConnectionKind kindOf(int number) const;
    [[nodiscard]] std::string requestOf(const Client &client) const;

    void turn();
    void prepareLoad();
    void connectMore();
    void connect(Client &client);
    void onOpened(Client &client);
    [[nodiscard]] Nanoseconds connectDue(const Client &client) const;
    void watch(Client &client, int operation);
    void updateWriting(Client &client);
    void handle(const epoll_event &event);
    void readFrom(Client &client, std::size_t mostBytes);
    void readSlowly();
    void onFrames(Client &client, std::span<const char> bytes);
    void onFrameMessage(Client &client);
    bool takeHeadLine(Client &client, Payload &payload);
    void onEvents(Client &client, std::span<const char> bytes);
    void onEvent(Client &client);
    [[nodiscard]] std::optional<StreamPosition> positionToCheck(Client &client);
    void onMessage(Client &client, const Payload &payload);
    void onProbe(Client &client, const MessageStamp &stamp);
    void onClose(Client &client);
    void sendPong(Client &client);
    void onEnded(Client &client, bool wasOpen);

    void planNextDrop(Nanoseconds from);
    void dropSome();
    void drop(Client &client);
    void bringBack();
    [[nodiscard]] Nanoseconds nextDropOrReturn() const;

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
    const ChannelPlan m_plan;

    Descriptor m_epoll;
    Phase m_phase = Phase::Connect;
    std::vector<Client> m_clients;      ///< never grows after construction: epoll holds pointers
    std::vector<Client *> m_publishers; ///< of m_clients
    std::vector<Client *> m_slow;       ///< of m_clients
    std::vector<Client *> m_dropping;   ///< of m_clients: all that may
    std::vector<Client *> m_away;       ///< of m_dropping
    std::size_t m_firstUnconnected = 0;
    int m_connecting = 0;
    Nanoseconds m_connectBegin = 0;
    Nanoseconds m_nextProbe = 0;
    Nanoseconds m_nextSlowRead = 0;
    Nanoseconds m_nextDrop = 0;
    std::mt19937_64 m_random{std::random_device{}()};
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
