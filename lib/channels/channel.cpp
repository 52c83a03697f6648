#include "channels/channel.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace relay {

namespace {

using Messages = std::span<const MessagePtr>;

qint64 wallClockMilliseconds()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// Those that are not too old yet. Messages are as old as their order says, except for some
/// milliseconds that the clocks of workers' turns differ.
Messages fresh(Messages messages, TimePoint now, const ChannelOptions::History &limits)
{
    if (limits.age.count() == 0) {
        return messages;
    }
    const auto first =
        std::partition_point(messages.begin(), messages.end(), [&](const MessagePtr &message) {
            return message->acceptedAt + limits.age <= now;
        });
    return messages.last(static_cast<std::size_t>(messages.end() - first));
}

/// The first one with a sequence number above this one.
Messages::iterator firstAfter(Messages messages, quint64 sequence)
{
    return std::partition_point(messages.begin(), messages.end(), [&](const MessagePtr &message) {
        return message->sequence <= sequence;
    });
}

} // namespace

Channel::Channel(ChannelName name,
                 const ChannelOptions &options,
                 PatternListeners &patterns,
                 ChannelOrder::Place &place,
                 const Position &start)
    : m_name(std::move(name))
    , m_options(options)
    , m_epoch(start.epoch)
    , m_patterns(patterns)
    , m_place(place)
    , m_offset(start.offset)
    , m_sequence(patterns.order().sequenceOf(place))
    , m_history(options.history, m_sequence)
{}

// Who listens

int Channel::clients() const
{
    int sum = 0;
    for (const Attendance &attendance : m_attendances) {
        sum += attendance.clients;
    }
    return sum;
}

bool Channel::isFull() const
{
    const MutexLock lock(m_mutex);
    return m_options.maxClients > 0 && clients() >= m_options.maxClients;
}

std::optional<Joined> Channel::join(Subscriber &subscriber,
                                    int clientsOfSubscriber,
                                    const ReplayLimits &limits,
                                    const ReplayRequest &request)
{
    const MutexLock lock(m_mutex);
    if (m_options.maxClients > 0 && clients() >= m_options.maxClients) {
        return std::nullopt;
    }
    attend(subscriber, clientsOfSubscriber);
    return Joined{.sequence = m_sequence, .replay = replay(limits, request), .clients = clients()};
}

void Channel::leave(Subscriber &subscriber, int clientsOfSubscriber)
{
    const MutexLock lock(m_mutex);
    attend(subscriber, clientsOfSubscriber);
}

/// Writes down how many clients the subscriber stands for; 0 takes it off the list.
void Channel::attend(Subscriber &subscriber, int clientsOfSubscriber)
{
    const auto known =
        std::find_if(m_attendances.begin(), m_attendances.end(), [&](const Attendance &attendance) {
            return attendance.subscriber == &subscriber;
        });
    if (known == m_attendances.end()) {
        if (clientsOfSubscriber > 0) {
            m_attendances.push_back({&subscriber, clientsOfSubscriber});
        }
    } else if (clientsOfSubscriber > 0) {
        known->clients = clientsOfSubscriber;
    } else {
        m_attendances.erase(known);
    }
}

// Messages

Publication Channel::publish(const std::shared_ptr<Message> &message)
{
    message->channel = m_name;
    message->epoch = m_epoch;
    Publication published;
    WakeList sleepers;
    {
        const MutexLock lock(m_mutex);
        message->offset = ++m_offset;
        message->time = wallClockMilliseconds();
        published.clients = handOut(message, sleepers);
        const qint64 grownBytes = m_history.append(message) + m_history.expire(message->acceptedAt);
        published.kept = kept(grownBytes);
        published.isToBeFiled = !published.kept.isEmpty && !std::exchange(m_isFiled, true);
    }
    wakeAll(sleepers);
    published.position = message->position();
    return published;
}

/// Numbers it among all messages, too; returns how many clients it goes to.
int Channel::handOut(const std::shared_ptr<Message> &message, WakeList &sleepers)
{
    int handedTo = 0;
    if (m_options.subscribe) {
        handedTo = m_patterns.publish(message, m_matches, m_place, sleepers);
        for (const Attendance &attendance : m_attendances) {
            attendance.subscriber->take(message, sleepers);
            handedTo += attendance.clients;
        }
    } else {
        m_patterns.number(*message);
    }
    m_sequence = message->sequence;
    return handedTo;
}

Channel::State Channel::currentState() const
{
    return {.position = {m_epoch, m_offset},
            .clients = clients(),
            .sequence = m_sequence,
            .forgottenSequence = m_history.forgottenSequence(),
            .historyMessages = static_cast<qint64>(m_history.messages().size()),
            .historyBytes = m_history.bytes()};
}

Channel::State Channel::state() const
{
    const MutexLock lock(m_mutex);
    return currentState();
}

Channel::Past Channel::read(const ReplayLimits &limits, const ReplayRequest &request) const
{
    const MutexLock lock(m_mutex);
    return {currentState(), replay(limits, request)};
}

/// Offsets have no holes: the message with offset o is the (m_offset - o)th from the end.
Replay Channel::replay(const ReplayLimits &limits, const ReplayRequest &request) const
{
    Replay result;
    if (!m_options.subscribe) {
        result.start = {m_epoch, m_offset};
        return result;
    }
    const Messages available = fresh(m_history.messages(), limits.now, m_options.history);
    std::size_t wanted = std::min(available.size(), static_cast<std::size_t>(request.last));
    if (request.isResume()) {
        const auto since = Position::fromText(request.since);
        if (!since || since->epoch != m_epoch || since->offset > m_offset) {
            result.resumed = Resumed::Unknown;
            wanted = available.size();
        } else {
            const auto missed = static_cast<std::size_t>(m_offset - since->offset);
            result.resumed = missed > available.size() ? Resumed::WithGap : Resumed::Exactly;
            wanted = std::min(missed, available.size());
        }
    }
    const Messages newest = available.last(wanted);
    const Messages given = newestWithin(newest, limits.bytes);
    if (given.size() < newest.size() && result.resumed == Resumed::Exactly) {
        result.resumed = Resumed::WithGap;
    }
    result.messages.assign(given.begin(), given.end());
    result.start = {m_epoch, m_offset - result.messages.size()};
    result.gapEnd = result.start;
    return result;
}

quint64 Channel::collect(const Wanted &wanted, std::vector<MessagePtr> &into) const
{
    if (!m_options.subscribe) {
        return 0;
    }
    const MutexLock lock(m_mutex);
    const Messages kept = m_history.messages();
    const Messages available = fresh(kept, wanted.now, m_options.history);
    const auto last = firstAfter(available, wanted.upTo);
    auto first = std::min(firstAfter(available, wanted.after), last);
    if (static_cast<std::size_t>(last - first) > wanted.most) {
        first = last - static_cast<std::ptrdiff_t>(wanted.most);
    }
    into.insert(into.end(), first, last);
    return available.size() == kept.size() ? m_history.forgottenSequence()
                                           : kept[kept.size() - available.size() - 1]->sequence;
}

// History

Kept Channel::kept(qint64 grownBytes) const
{
    if (m_history.isEmpty()) {
        return {.grownBytes = grownBytes};
    }
    return {.grownBytes = grownBytes,
            .isEmpty = false,
            .oldestSequence = m_history.oldest()->sequence,
            .expiresAt = m_history.expiresAt()};
}

Kept Channel::trimmed(qint64 grownBytes)
{
    const Kept result = kept(grownBytes);
    m_isFiled = !result.isEmpty;
    return result;
}

Kept Channel::clearHistory()
{
    const MutexLock lock(m_mutex);
    return kept(m_history.clear()); // the ledger finds it empty when its turn comes
}

Kept Channel::expire(TimePoint now)
{
    const MutexLock lock(m_mutex);
    return trimmed(m_history.expire(now));
}

Kept Channel::dropUpTo(quint64 sequence)
{
    const MutexLock lock(m_mutex);
    qint64 grown = 0;
    while (!m_history.isEmpty() && m_history.oldest()->sequence <= sequence) {
        grown += m_history.dropOldest();
    }
    return trimmed(grown);
}

} // namespace relay
