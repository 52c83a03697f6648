#include "worker.h"

#include "handshake.h"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace relay::bench {

namespace {

/// Connections that are being opened at once, all threads together: well below every server's
/// backlog (node: 511), as a full one costs the client a second until TCP tries again.
constexpr int kConnectsAtOnce = 64;
/// One source address serves so many clients: fewer than the 28,000 ports that Linux hands out by
/// default.
constexpr int kClientsPerSource = 20'000;
/// A worker looks at the run's phase, and its slow clients, at least so often.
constexpr Nanoseconds kLongestWait = 10 * kMillisecond;
constexpr Nanoseconds kSlowReadInterval = 50 * kMillisecond;
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
    , m_request(upgradeRequest(options.url))
    , m_epoll(epoll_create1(EPOLL_CLOEXEC))
    , m_buffer(kBufferBytes)
    , m_frame(maskedFrame(options.isBinary, options.messageBytes))
    , m_stampAt(m_frame.size() - options.messageBytes)
{
    const bool isIdle = options.idle > 0;
    m_clients.reserve(static_cast<std::size_t>(options.clients / options.threads) + 1);
    for (int number = index; number < options.clients; number += options.threads) {
        Pace pace = Pace::Normal;
        if (number >= options.clients - options.stalledClients) {
            pace = Pace::Stalled;
        } else if (number >= options.readingClients()) {
            pace = Pace::Slow;
        }
        Client &client = m_clients.emplace_back(
            number, pace, isIdle ? 0 : static_cast<std::size_t>(options.publishers));
        if (pace == Pace::Slow) {
            m_slow.push_back(&client);
        }
        if (!isIdle && number < options.publishers) {
            m_publishers.push_back(&client);
        }
    }
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
    return wakeUp;
}

// Connecting

Nanoseconds Worker::connectDue(const Client &client) const
{
    return m_connectBegin
           + static_cast<Nanoseconds>(client.number * 1e9 / m_options.connectsPerSecond);
}

void Worker::connectMore()
{
    const int most = std::max(1, kConnectsAtOnce / m_options.threads);
    const bool needsSources = m_options.clients > kClientsPerSource && m_endpoint.isLoopback4();
    while (m_firstUnconnected < m_clients.size() && m_connecting < most) {
        Client &client = m_clients[m_firstUnconnected];
        if (m_options.connectsPerSecond > 0 && now() < connectDue(client)) {
            break;
        }
        ++m_firstUnconnected;
        ++m_connecting;
        const int source = needsSources ? 2 + client.number / kClientsPerSource : 0;
        client.connection.connect(m_endpoint, client.pace, source);
        if (client.connection.state() == Connection::State::Closed) {
            onEnded(client, false);
        } else {
            client.isArmedToWrite = true;
            watch(client, EPOLL_CTL_ADD);
        }
    }
}

void Worker::watch(Client &client, int operation)
{
    epoll_event event{};
    event.data.ptr = &client;
    if (client.pace != Pace::Normal && client.connection.state() == Connection::State::Open) {
        // What comes is left alone; only the end is told, and once.
        event.events = EPOLLRDHUP | EPOLLET;
    } else {
        event.events = EPOLLIN | (client.isArmedToWrite ? EPOLLOUT : 0U);
    }
    epoll_ctl(m_epoll.get(), operation, client.connection.descriptor(), &event);
}

void Worker::updateWriting(Client &client)
{
    const bool isWaiting = client.connection.isWaitingToWrite();
    if (client.isArmedToWrite != isWaiting && client.connection.descriptor() >= 0) {
        client.isArmedToWrite = isWaiting;
        watch(client, EPOLL_CTL_MOD);
    }
}

void Worker::onOpened(Client &client)
{
    --m_connecting;
    ++m_tally.open;
    m_tally.lastOpened = now();
    if (client.pace == Pace::Normal) {
        ++m_tally.reading;
    } else {
        watch(client, EPOLL_CTL_MOD);
    }
}

void Worker::onEnded(Client &client, bool wasOpen)
{
    const Connection &connection = client.connection;
    if (!wasOpen) {
        --m_connecting;
        ++m_tally.failed;
        m_tally.connectError =
            m_tally.connectError != 0 ? m_tally.connectError : connection.connectError();
    } else {
        --m_tally.open;
        if (client.pace != Pace::Normal) {
            ++m_tally.evicted;
            return;
        }
        --m_tally.reading;
        ++m_tally.dropped;
    }
    if (m_tally.firstFailure.empty()) {
        m_tally.firstFailure = connection.failure();
    }
}

// Reading

void Worker::handle(const epoll_event &event)
{
    Client &client = *static_cast<Client *>(event.data.ptr);
    Connection &connection = client.connection;
    const bool wasOpen = connection.state() == Connection::State::Open;
    if (connection.state() == Connection::State::Closed) {
        return; // ended by something that this turn did before
    }
    if (wasOpen && client.pace == Pace::Slow) {
        return; // comes to the end at its own pace
    }
    if (wasOpen && client.pace == Pace::Stalled) {
        if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
            connection.fail("the server closed the connection");
            onEnded(client, true);
        }
        return;
    }
    if ((event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 && connection.isWaitingToWrite()) {
        connection.onWritable(m_request);
        if (connection.state() == Connection::State::Closed) {
            onEnded(client, wasOpen);
            return;
        }
        updateWriting(client);
    }
    if ((event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
        readFrom(client, m_buffer.size());
    }
}

void Worker::readFrom(Client &client, std::size_t mostBytes)
{
    Connection &connection = client.connection;
    const bool wasOpen = connection.state() == Connection::State::Open;
    const std::span<const char> bytes =
        connection.receive(std::span(m_buffer).first(std::min(mostBytes, m_buffer.size())));
    if (connection.state() == Connection::State::Closed) {
        onEnded(client, wasOpen);
        return;
    }
    if (!wasOpen && connection.state() == Connection::State::Open) {
        onOpened(client);
    }
    m_readAt = now();
    onFrames(client, bytes);
}

void Worker::onFrames(Client &client, std::span<const char> bytes)
{
    FrameReader &reader = client.connection.reader();
    while (!bytes.empty() && client.connection.state() == Connection::State::Open) {
        switch (reader.next(bytes)) {
        case FrameReader::Event::NeedMore:
        case FrameReader::Event::Pong:
            break;
        case FrameReader::Event::Message:
            onMessage(client);
            break;
        case FrameReader::Event::Ping:
            sendPong(client);
            break;
        case FrameReader::Event::Close:
            onClose(client);
            break;
        case FrameReader::Event::Violation:
            client.connection.fail(std::string("the server broke the protocol: ")
                                   + reader.violation());
            onEnded(client, true);
            break;
        }
    }
}

void Worker::onMessage(Client &client)
{
    const FrameReader &reader = client.connection.reader();
    const MessageStamp stamp = reader.hasStamp() ? reader.stamp() : MessageStamp{};
    if (!reader.hasStamp() || stamp.run != m_runId) {
        ++m_tally.foreign;
        return;
    }
    if (stamp.publisher == MessageStamp::kProbe) {
        if (!client.sawProbe && client.pace == Pace::Normal) {
            client.sawProbe = true;
            ++m_tally.probed;
            m_tally.hasEcho = m_tally.hasEcho || client.number == 0;
        }
        return;
    }
    if (reader.messageBytes() != m_options.messageBytes
        || stamp.publisher >= static_cast<std::uint32_t>(m_options.publishers))
    {
        ++m_tally.malformed;
        return;
    }
    const std::uint64_t before = client.checker.received();
    client.checker.observe(stamp.publisher, stamp.sequence);
    if (client.pace != Pace::Normal) {
        return;
    }
    m_tally.received += client.checker.received() - before;
    const LoadPlan &plan = m_control.plan();
    if (stamp.due >= plan.measure && stamp.due < plan.end) {
        m_latency.add(m_readAt - stamp.due);
    }
    Client *publisher = client.witnessOf;
    if (publisher != nullptr && static_cast<int>(stamp.publisher) == publisher->number) {
        publisher->acknowledged = std::max(publisher->acknowledged, stamp.sequence + 1);
    }
}

void Worker::onClose(Client &client)
{
    const FrameReader &reader = client.connection.reader();
    const std::uint16_t code = reader.closeCode();
    ++m_tally.closeCodes[code];
    std::string reason = "the server closed the connection with code " + std::to_string(code);
    const std::span<const char> payload = reader.controlPayload();
    if (payload.size() > 2) {
        reason += " (" + std::string(payload.data() + 2, payload.size() - 2) + ")";
    }
    client.connection.close();
    client.connection.fail(std::move(reason));
    onEnded(client, true);
}

void Worker::sendPong(Client &client)
{
    ++m_tally.pings;
    const std::span<const char> payload = client.connection.reader().controlPayload();
    std::string frame(6, '\0'); // head and the zero mask
    frame[0] = static_cast<char>(0x8A);
    frame[1] = static_cast<char>(0x80U | payload.size());
    frame.append(payload.data(), payload.size());
    // A pong that finds no room behind 16 MiB is no loss: the server has not read for long.
    (void)client.connection.send(frame);
    if (client.connection.state() == Connection::State::Closed) {
        onEnded(client, true);
        return;
    }
    updateWriting(client);
}

void Worker::readSlowly()
{
    const Nanoseconds time = now();
    if (m_slow.empty() || m_options.slowBytesPerSecond == 0 || time < m_nextSlowRead) {
        return;
    }
    m_nextSlowRead = time + kSlowReadInterval;
    const auto perSecond = static_cast<double>(m_options.slowBytesPerSecond);
    for (Client *client : m_slow) {
        if (client->connection.state() != Connection::State::Open) {
            continue;
        }
        client->slowAllowance += perSecond * toSeconds(kSlowReadInterval);
        const auto most = static_cast<std::size_t>(client->slowAllowance);
        if (most >= 1) {
            client->slowAllowance -= static_cast<double>(most);
            readFrom(*client, most);
        }
    }
}

} // namespace relay::bench
