#include "channels/channel_registry.h"

#include "channels/pattern_replay.h"

#include <algorithm>
#include <utility>

namespace relay {

namespace {

/// A table that a part has outgrown is made smaller once it is this many times too large.
constexpr std::size_t kSparse = 8;
constexpr std::size_t kFewBuckets = 64;

template <typename Map>
void shrink(Map &map)
{
    if (map.bucket_count() > kFewBuckets && map.size() * kSparse < map.bucket_count()) {
        map.rehash(map.size() * 2);
    }
}

} // namespace

void ChannelRelease::operator()(Channel *channel) const
{
    registry->release(*channel);
}

ChannelRegistry::ChannelRegistry(QList<ChannelRule> rules,
                                 ChannelOptions others,
                                 qint64 historyBytes,
                                 const IdleLimits &idleLimits)
    : m_rules(std::move(rules))
    , m_others(others)
    , m_idle(idleLimits)
    , m_ledger(historyBytes)
{}

ChannelRegistry::~ChannelRegistry() = default;

const ChannelOptions &ChannelRegistry::optionsOf(const ChannelName &name) const
{
    const auto rule = std::find_if(m_rules.cbegin(), m_rules.cend(),
                                   [&](const ChannelRule &r) { return r.match.matches(name); });
    return rule == m_rules.cend() ? m_others : rule->options;
}

// Handles

ChannelRegistry::Part &ChannelRegistry::partOf(const ChannelName &name)
{
    // Not the bits that a part's own table uses.
    return m_parts[(std::hash<ChannelName>{}(name) >> 16) % kParts];
}

ChannelHandle ChannelRegistry::handleOf(Entry &entry)
{
    ++entry.handles;
    return {entry.channel.get(), ChannelRelease{this}};
}

ChannelHandle ChannelRegistry::acquire(const ChannelName &name)
{
    Part &part = partOf(name);
    const MutexLock lock(part.mutex);
    const auto [known, isNew] = part.entries.try_emplace(name);
    Entry &entry = known->second;
    if (isNew) {
        entry.place.nameIt(known->first);
        entry.idlePlace.nameIt(known->first);
        entry.position = {m_firstEpochs.of(name), 0};
    } else if (!entry.channel) {
        m_idle.remove(entry.idlePlace);
        --part.idle;
    }
    if (!entry.channel) {
        entry.channel = std::make_unique<Channel>(name, optionsOf(name), m_patterns, entry.place,
                                                  entry.position);
    }
    return handleOf(entry);
}

ChannelHandle ChannelRegistry::find(const ChannelName &name)
{
    Part &part = partOf(name);
    const MutexLock lock(part.mutex);
    const auto known = part.entries.find(name);
    const bool isThere = known != part.entries.end() && known->second.channel;
    return isThere ? handleOf(known->second) : ChannelHandle();
}

ChannelHandle ChannelRegistry::anotherHandle(const Channel &channel)
{
    return find(channel.name());
}

void ChannelRegistry::release(Channel &channel)
{
    std::unique_ptr<Channel> gone; // destroyed after the lock
    {
        Part &part = partOf(channel.name());
        const MutexLock lock(part.mutex);
        const auto known = part.entries.find(channel.name());
        Entry &entry = known->second;
        if (--entry.handles > 0) {
            return;
        }
        gone = std::move(entry.channel);
        entry.position = gone->state().position;
        if (entry.position.offset > 0) {
            m_idle.add(entry.idlePlace);
            ++part.idle;
        } else {
            part.entries.erase(known);
            shrink(part.entries);
        }
    }
    while (const auto name = m_idle.firstOfTooMany()) {
        m_droppedPositions += forget(*name) ? 1 : 0;
    }
}

/// Returns false if the channel is not the first of the idle ones any more.
bool ChannelRegistry::forget(const ChannelName &name)
{
    Part &part = partOf(name);
    const MutexLock lock(part.mutex);
    const auto known = part.entries.find(name);
    if (known == part.entries.end() || !m_idle.removeFirst(known->second.idlePlace)) {
        return false;
    }
    ChannelOrder &order = m_patterns.order();
    m_firstEpochs.forget(name);
    // Before the place is gone: a replay that does not find the place is told of this.
    forgotten(order.sequenceOf(known->second.place));
    order.remove(known->second.place);
    part.entries.erase(known);
    --part.idle;
    shrink(part.entries);
    return true;
}

bool ChannelRegistry::expire(TimePoint now, int maxChannels)
{
    const bool hasMoreHistory = m_ledger.expire(now, maxChannels);
    for (int i = 0; i < maxChannels; ++i) {
        const auto name = m_idle.firstTooOld(now);
        if (!name) {
            return hasMoreHistory;
        }
        (void)forget(*name);
    }
    return true;
}

void ChannelRegistry::forgotten(quint64 sequence)
{
    quint64 known = m_forgottenSequence.load();
    while (known < sequence && !m_forgottenSequence.compare_exchange_weak(known, sequence)) {
    }
}

std::size_t ChannelRegistry::channelCount() const
{
    std::size_t count = 0;
    for (const Part &part : m_parts) {
        const MutexLock lock(part.mutex);
        count += part.entries.size() - part.idle;
    }
    return count;
}

// Messages

Publication ChannelRegistry::publish(Channel &channel, const std::shared_ptr<Message> &message)
{
    const Publication published = channel.publish(message);
    m_ledger.changed(published.kept);
    if (published.isToBeFiled) {
        m_ledger.file(anotherHandle(channel), published.kept);
    }
    m_ledger.enforceLimit();
    return published;
}

bool ChannelRegistry::clearHistory(const ChannelName &name)
{
    const ChannelHandle channel = find(name);
    if (channel) {
        m_ledger.changed(channel->clearHistory());
    }
    return channel != nullptr;
}

void ChannelRegistry::visitPart(std::size_t part, const std::function<void(const Channel &)> &visit)
{
    std::vector<ChannelHandle> channels; // let go of after the part's lock
    {
        const MutexLock lock(m_parts[part].mutex);
        channels.reserve(m_parts[part].entries.size() - m_parts[part].idle);
        for (auto &[name, entry] : m_parts[part].entries) {
            if (entry.channel) {
                channels.push_back(handleOf(entry));
            }
        }
    }
    for (const ChannelHandle &channel : channels) {
        visit(*channel);
    }
}

// Patterns

Joined ChannelRegistry::join(const ChannelPattern &pattern,
                             Subscriber &subscriber,
                             int clients,
                             const ReplayLimits &limits,
                             const ReplayRequest &request)
{
    const quint64 sequence = m_patterns.join(pattern, subscriber, clients);
    return {.sequence = sequence,
            .replay = replay(pattern, sequence, limits, request),
            .clients = clients};
}

void ChannelRegistry::leave(const ChannelPattern &pattern, Subscriber &subscriber, int clients)
{
    if (clients > 0) {
        (void)m_patterns.join(pattern, subscriber, clients);
    } else {
        m_patterns.leave(pattern, subscriber);
    }
}

Joined ChannelRegistry::read(const ChannelPattern &pattern,
                             const ReplayLimits &limits,
                             const ReplayRequest &request)
{
    const quint64 sequence = m_patterns.lastSequence();
    return {.sequence = sequence, .replay = replay(pattern, sequence, limits, request)};
}

Replay ChannelRegistry::replay(const ChannelPattern &pattern,
                               quint64 upTo,
                               const ReplayLimits &limits,
                               const ReplayRequest &request)
{
    Replay replay =
        PatternReplay(m_patterns.order(), pattern, {m_patterns.epoch(), upTo})
            .run(
                limits, request,
                [this](const ChannelName &name, const Channel::Wanted &wanted,
                       std::vector<MessagePtr> &into) { return collect(name, wanted, into); },
                [this] { return m_forgottenSequence.load(); });
    m_replayLooks += static_cast<quint64>(replay.looked);
    return replay;
}

/// Returns the newest sequence number that the channel does not keep any more.
quint64 ChannelRegistry::collect(const ChannelName &name,
                                 const Channel::Wanted &wanted,
                                 std::vector<MessagePtr> &into)
{
    ChannelHandle channel;
    {
        Part &part = partOf(name);
        const MutexLock lock(part.mutex);
        const auto known = part.entries.find(name);
        if (known == part.entries.end()) {
            return 0; // it was forgotten just now: m_forgottenSequence says so
        }
        if (!known->second.channel) {
            return m_patterns.order().sequenceOf(known->second.place);
        }
        channel = handleOf(known->second);
    }
    return channel->collect(wanted, into);
}

} // namespace relay
