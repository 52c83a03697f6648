#include "handshake.h"
#include "worker.h"

#include <sys/epoll.h>

#include <algorithm>
#include <functional>

namespace relay::bench {

// What of a Worker connects, drops and connects again.

namespace {

/// Connections that are being opened at once, all threads together: well below every server's
/// backlog (node: 511), as a full one costs the client a second until TCP tries again.
constexpr int kConnectsAtOnce = 64;

} // namespace

Nanoseconds Worker::connectDue(const Client &client) const
{
    return m_connectBegin
           + static_cast<Nanoseconds>(client.number * 1e9 / m_options.connectsPerSecond);
}

void Worker::connectMore()
{
    const int most = std::max(1, kConnectsAtOnce / m_options.threads);
    while (m_firstUnconnected < m_clients.size() && m_connecting < most) {
        Client &client = m_clients[m_firstUnconnected];
        if (m_options.connectsPerSecond > 0 && now() < connectDue(client)) {
            break;
        }
        ++m_firstUnconnected;
        connect(client);
    }
}

void Worker::connect(Client &client)
{
    ++m_connecting;
    client.connection.connect(m_endpoint, client.kind);
    if (client.connection.state() == Connection::State::Closed) {
        onEnded(client, false);
    } else {
        client.isArmedToWrite = true;
        watch(client, EPOLL_CTL_ADD);
    }
}

std::string Worker::requestOf(const Client &client) const
{
    Url url = m_options.url;
    url.target = m_plan.targetOf(url.target, client.channel);
    const auto &last = client.offsets.last();
    if (client.kind.medium == Medium::EventSource) {
        return eventStreamRequest(url, last);
    }
    if (last) {
        url.target = withSince(std::move(url.target), *last);
    }
    return upgradeRequest(url, client.kind.wantsPositions);
}

void Worker::watch(Client &client, int operation)
{
    epoll_event event{};
    event.data.ptr = &client;
    if (client.kind.pace != Pace::Normal && client.connection.state() == Connection::State::Open) {
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
    if (client.isAway) {
        client.isAway = false;
        --m_tally.away;
        ++m_tally.resumes;
    }
    if (client.kind.pace == Pace::Normal) {
        ++m_tally.reading;
    } else {
        watch(client, EPOLL_CTL_MOD);
    }
}

void Worker::onEnded(Client &client, bool wasOpen)
{
    const Connection &connection = client.connection;
    if (client.isAway) {
        --m_connecting;
        client.isAway = false; // it will not try again
        --m_tally.away;
        ++m_tally.dropped;
    } else if (!wasOpen) {
        --m_connecting;
        ++m_tally.failed;
        m_tally.connectError =
            m_tally.connectError != 0 ? m_tally.connectError : connection.connectError();
    } else {
        --m_tally.open;
        if (client.kind.pace != Pace::Normal) {
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

// Dropping, and coming back

void Worker::planNextDrop(Nanoseconds from)
{
    if (m_dropping.empty()) {
        return;
    }
    // This thread's share; independent moments, so that the pauses between them are exponential.
    const int all = m_options.readingClients() - m_options.publishers;
    const double perSecond =
        m_options.dropsPerSecond * static_cast<double>(m_dropping.size()) / all;
    const double pause = std::exponential_distribution(perSecond)(m_random);
    m_nextDrop = from + static_cast<Nanoseconds>(pause * 1e9);
}

void Worker::dropSome()
{
    const Nanoseconds end = std::min(now(), m_control.plan().end);
    while (!m_dropping.empty() && m_nextDrop < end) {
        planNextDrop(m_nextDrop);
        std::uniform_int_distribution<std::size_t> any(0, m_dropping.size() - 1);
        Client &client = *m_dropping[any(m_random)];
        if (client.connection.state() == Connection::State::Open) {
            drop(client);
        }
    }
}

void Worker::drop(Client &client)
{
    client.connection.drop();
    --m_tally.open;
    --m_tally.reading;
    client.isAway = true;
    ++m_tally.away;
    ++m_tally.drops;
    std::uniform_int_distribution<Nanoseconds> pause(0, m_options.longestAway);
    client.returnDue = now() + pause(m_random);
    m_away.push_back(&client);
}

void Worker::bringBack()
{
    const Nanoseconds time = now();
    const auto isDue = [time](const Client *client) { return client->returnDue <= time; };
    const auto due = std::partition(m_away.begin(), m_away.end(), std::not_fn(isDue));
    for (auto client = due; client != m_away.end(); ++client) {
        connect(**client);
    }
    m_away.erase(due, m_away.end());
}

Nanoseconds Worker::nextDropOrReturn() const
{
    Nanoseconds next = INT64_MAX;
    if (m_phase == Phase::Load && !m_dropping.empty() && m_nextDrop < m_control.plan().end) {
        next = m_nextDrop;
    }
    for (const Client *client : m_away) {
        next = std::min(next, client->returnDue);
    }
    return next;
}

} // namespace relay::bench
