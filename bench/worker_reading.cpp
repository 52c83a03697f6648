#include "head_line.h"
#include "worker.h"

#include <sys/epoll.h>

#include <algorithm>

namespace relay::bench {

// What of a Worker reads, checks and times what comes.

namespace {

constexpr Nanoseconds kSlowReadInterval = 50 * kMillisecond;

} // namespace

void Worker::handle(const epoll_event &event)
{
    Client &client = *static_cast<Client *>(event.data.ptr);
    Connection &connection = client.connection;
    const bool wasOpen = connection.state() == Connection::State::Open;
    if (connection.state() == Connection::State::Closed) {
        return; // ended by something that this turn did before
    }
    if (wasOpen && client.kind.pace == Pace::Slow) {
        return; // comes to the end at its own pace
    }
    if (wasOpen && client.kind.pace == Pace::Stalled) {
        if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
            connection.fail("the server closed the connection");
            onEnded(client, true);
        }
        return;
    }
    if ((event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 && connection.isWaitingToWrite()) {
        connection.onWritable(connection.state() == Connection::State::Connecting
                                  ? requestOf(client)
                                  : std::string());
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
    if (client.kind.medium == Medium::EventSource) {
        onEvents(client, bytes);
    } else {
        onFrames(client, bytes);
    }
}

void Worker::onFrames(Client &client, std::span<const char> bytes)
{
    FrameReader &reader = client.connection.frames();
    while (!bytes.empty() && client.connection.state() == Connection::State::Open) {
        switch (reader.next(bytes)) {
        case FrameReader::Event::NeedMore:
        case FrameReader::Event::Pong:
            break;
        case FrameReader::Event::Message:
            onFrameMessage(client);
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

void Worker::onFrameMessage(Client &client)
{
    const FrameReader &reader = client.connection.frames();
    const std::span<const char> front = reader.front();
    Payload payload{.front = {front.data(), front.size()}, .bytes = reader.messageBytes()};
    if (client.kind.wantsPositions && !takeHeadLine(client, payload)) {
        return;
    }
    onMessage(client, payload);
}

/// Takes the head line off the payload. False if there is no message behind it.
bool Worker::takeHeadLine(Client &client, Payload &payload)
{
    const std::size_t end = payload.front.find('\n');
    const auto head =
        end == std::string_view::npos ? std::nullopt : parseHeadLine(payload.front.substr(0, end));
    if (!head) {
        ++m_tally.malformed;
        return false;
    }
    if (!head->isGreeting) {
        client.offsets.observe(head->position);
        payload.front.remove_prefix(end + 1);
        payload.bytes -= end + 1;
        return true;
    }
    if (head->gapTo) {
        client.offsets.tellGap(*head->gapTo);
    } else {
        client.offsets.begin(head->position);
    }
    return false;
}

void Worker::onEvents(Client &client, std::span<const char> bytes)
{
    EventStreamReader &reader = client.connection.events();
    while (true) {
        switch (reader.next(bytes)) {
        case EventStreamReader::Event::NeedMore:
            return;
        case EventStreamReader::Event::Id:
            // A resumed stream goes on from where it was told to, unless a gap event says else.
            if (const auto position = positionToCheck(client); position && !client.offsets.last()) {
                client.offsets.begin(*position);
            }
            break;
        case EventStreamReader::Event::Message:
            onEvent(client);
            break;
        }
    }
}

/// The position that the event's id names, if this client's are checked.
std::optional<StreamPosition> Worker::positionToCheck(Client &client)
{
    if (!client.kind.wantsPositions) {
        return std::nullopt;
    }
    const auto position = parsePosition(client.connection.events().lastId());
    m_tally.malformed += position ? 0 : 1;
    return position;
}

void Worker::onEvent(Client &client)
{
    const EventStreamReader &reader = client.connection.events();
    if (reader.type() == "gap") {
        if (const auto to = parseGap(reader.data())) {
            client.offsets.tellGap(*to);
        } else {
            ++m_tally.malformed;
        }
        return;
    }
    if (const auto position = positionToCheck(client)) {
        client.offsets.observe(*position);
    }
    onMessage(client, {.front = reader.data(), .bytes = reader.dataBytes()});
}

void Worker::onMessage(Client &client, const Payload &payload)
{
    const bool hasStamp = payload.bytes >= kStampBytes && payload.front.size() >= kStampBytes;
    const MessageStamp stamp = hasStamp ? readStamp(payload.front.data()) : MessageStamp{};
    if (!hasStamp || stamp.run != m_runId) {
        ++m_tally.foreign;
        return;
    }
    if (stamp.publisher == MessageStamp::kProbe) {
        onProbe(client, stamp);
        return;
    }
    if (payload.bytes != m_options.messageBytes
        || stamp.publisher >= static_cast<std::uint32_t>(m_options.publishers))
    {
        ++m_tally.malformed;
        return;
    }
    const auto publisher = static_cast<int>(stamp.publisher);
    if (m_plan.channelOf(publisher) != client.channel) {
        ++m_tally.strayed;
        return;
    }
    const std::uint64_t before = client.checker.received();
    client.checker.observe(m_plan.slotOf(publisher), stamp.sequence);
    if (client.kind.pace != Pace::Normal) {
        return;
    }
    m_tally.received += client.checker.received() - before;
    const LoadPlan &plan = m_control.plan();
    if (stamp.due >= plan.measure && stamp.due < plan.end) {
        m_latency.add(m_readAt - stamp.due);
    }
    Client *witnessed = client.witnessOf;
    if (witnessed != nullptr && publisher == witnessed->number) {
        witnessed->acknowledged = std::max(witnessed->acknowledged, stamp.sequence + 1);
    }
}

void Worker::onProbe(Client &client, const MessageStamp &stamp)
{
    if (stamp.sequence != static_cast<std::uint64_t>(client.channel)) {
        ++m_tally.strayed;
    } else if (!client.sawProbe && client.kind.pace == Pace::Normal) {
        client.sawProbe = true;
        ++m_tally.probed;
        m_tally.hasEcho = m_tally.hasEcho || m_plan.isProber(client.number);
    }
}

void Worker::onClose(Client &client)
{
    const FrameReader &reader = client.connection.frames();
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
    const std::span<const char> payload = client.connection.frames().controlPayload();
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
