#include "worker.h"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace relay::bench {

namespace {

/// One source address serves so many clients: fewer than the 28,000 ports that Linux hands out by
/// default.
constexpr int kClientsPerSource = 20'000;
/// A worker looks at the run's phase, and its slow and absent clients, at least so often.
constexpr Nanoseconds kLongestWait = 10 * kMillisecond;
/// As much as a turn reads from one client: a burst of frames in one system call.
constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

/// A final, masked frame. The zero key is as legal as any and costs the sender nothing; the relay
/// cannot tell.
std::string maskedFrame(bool isBinary, std::size_t payloadBytes)
{
    std::string frame(1, static_cast<char>(isBinary ? 0x82 : 0x81));
    int lengthBytes = 0;
    if (payloadBytes < 126) {
        frame += static_cast<char>(0x80U | payloadBytes);
    } else {
        lengthBytes = payloadBytes <= 0xFFFF ? 2 : 8;
        frame += static_cast<char>(lengthBytes == 2 ? 0xFE : 0xFF);
    }
    for (int shift = 8 * (lengthBytes - 1); shift >= 0; shift -= 8) {
        frame += static_cast<char>(payloadBytes >> static_cast<unsigned>(shift));
    }
    frame.append(4, '\0');
    frame.append(payloadBytes, '.');
    return frame;
}

} // namespace

Worker::Worker(const Options &options,
               const Endpoint &endpoint,
               const Control &control,
               int index,
               std::uint32_t runId)
    : m_options(options)
    , m_endpoint(endpoint)
    , m_control(control)
    , m_runId(runId)
    , m_plan(options.channelPlan())
    , m_epoll(epoll_create1(EPOLL_CLOEXEC))
    , m_buffer(kBufferBytes)
    , m_frame(maskedFrame(options.isBinary, options.messageBytes))
    , m_stampAt(m_frame.size() - options.messageBytes)
{
    const bool isIdle = options.idle > 0;
    m_clients.reserve(static_cast<std::size_t>(options.clients / options.threads) + 1);
    for (int number = index; number < options.clients; number += options.threads) {
        const int channel = m_plan.channelOf(number);
        Client &client = m_clients.emplace_back(number, channel, kindOf(number),
                                                isIdle ? 0 : m_plan.publishersOf(channel));
        if (client.kind.pace == Pace::Slow) {
            m_slow.push_back(&client);
        }
        if (!isIdle && number < options.publishers) {
            m_publishers.push_back(&client);
        }
        if (options.isDropping(number)) {
            m_dropping.push_back(&client);
        }
    }
}

ConnectionKind Worker::kindOf(int number) const
{
    ConnectionKind kind;
    if (number >= m_options.clients - m_options.stalledClients) {
        kind.pace = Pace::Stalled;
    } else if (number >= m_options.readingClients()) {
        kind.pace = Pace::Slow;
    }
    kind.medium = m_options.isListener(number) ? Medium::EventSource : Medium::WebSocket;
    kind.wantsPositions = m_options.isDropping(number);
    const bool needsSources = m_options.clients > kClientsPerSource && m_endpoint.isLoopback4();
    kind.source = needsSources ? 2 + number / kClientsPerSource : 0;
    return kind;
}

Tally Worker::tally() const
{
    const std::lock_guard lock(m_shareMutex);
    return m_shared;
}

void Worker::shareTally()
{
    const std::lock_guard lock(m_shareMutex);
    m_shared = m_tally;
}

void Worker::run()
{
    prctl(PR_SET_TIMERSLACK,
          1); // the kernel may else wake it 50 us late, which would count as latency
    m_connectBegin = now();
    while (m_phase != Phase::Stop) {
        turn();
        const Phase told = m_control.phase();
        if (told == Phase::Load && m_phase != told) {
            prepareLoad();
            planNextDrop(m_control.plan().begin);
        }
        m_phase = told;
        shareTally();
    }
    for (Client &client : m_clients) {
        client.lastedToTheEnd = client.connection.state() == Connection::State::Open;
        client.connection.close();
    }
}

void Worker::turn()
{
    switch (m_phase) {
    case Phase::Connect:
        connectMore();
        break;
    case Phase::Probe:
        probe();
        break;
    case Phase::Load:
    case Phase::Drain:
        dropSome();
        bringBack();
        m_options.window > 0 ? publishWindows() : publishDue();
        break;
    case Phase::Hold:
    case Phase::Stop:
        break;
    }
    readSlowly();

    const Nanoseconds wait = std::max<Nanoseconds>(0, nextWakeUp() - now());
    const timespec timeout{.tv_sec = wait / kSecond, .tv_nsec = wait % kSecond};
    std::array<epoll_event, 512> events; // NOLINT(cppcoreguidelines-pro-type-member-init)
    const int count = epoll_pwait2(m_epoll.get(), events.data(), static_cast<int>(events.size()),
                                   &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
        handle(events[static_cast<std::size_t>(i)]);
    }
}

Nanoseconds Worker::nextWakeUp() const
{
    Nanoseconds wakeUp = now() + kLongestWait;
    if (m_phase == Phase::Connect && m_options.connectsPerSecond > 0
        && m_firstUnconnected < m_clients.size())
    {
        wakeUp = std::min(wakeUp, connectDue(m_clients[m_firstUnconnected]));
    }
    if ((m_phase == Phase::Load || m_phase == Phase::Drain) && m_options.window == 0
        && !m_publishers.empty())
    {
        const Nanoseconds due = dueOf(m_published);
        wakeUp = due < m_control.plan().end ? std::min(wakeUp, due) : wakeUp;
    }
    return std::min(wakeUp, nextDropOrReturn());
}

} // namespace relay::bench
