#include "channels/channel_registry.h"

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
                                 qint64 historyBytes)
    : m_rules(std::move(rules))
    , m_others(others)
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
    return {&entry.channel, ChannelRelease{this}};
}

ChannelHandle ChannelRegistry::acquire(const ChannelName &name)
{
    Part &part = partOf(name);
    const MutexLock lock(part.mutex);
    auto &entry = part.entries[name];
    if (!entry) {
        entry = std::make_unique<Entry>(name, optionsOf(name), m_patterns);
    }
    return handleOf(*entry);
}

ChannelHandle ChannelRegistry::find(const ChannelName &name)
{
    Part &part = partOf(name);
    const MutexLock lock(part.mutex);
    const auto entry = part.entries.find(name);
    return entry == part.entries.end() ? ChannelHandle() : handleOf(*entry->second);
}

ChannelHandle ChannelRegistry::anotherHandle(const Channel &channel)
{
    return find(channel.name());
}

void ChannelRegistry::release(Channel &channel)
{
    Part &part = partOf(channel.name());
    std::unique_ptr<Entry> gone; // destroyed after the lock
    const MutexLock lock(part.mutex);
    const auto entry = part.entries.find(channel.name());
    if (--entry->second->handles > 0) {
        return;
    }
    if (channel.options().subscribe) {
        forgotten(channel.state().sequence);
    }
    gone = std::move(entry->second);
    part.entries.erase(entry);
    shrink(part.entries);
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
        count += part.entries.size();
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
        channels.reserve(m_parts[part].entries.size());
        for (auto &[name, entry] : m_parts[part].entries) {
            channels.push_back(handleOf(*entry));
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
    Replay result;
    result.start = {m_patterns.epoch(), upTo};
    if (!request.isResume() && request.last == 0) {
        return result;
    }
    const auto since = Position::fromText(request.since);
    const bool isKnown = since && since->epoch == m_patterns.epoch() && since->offset <= upTo;
    const quint64 after = isKnown ? since->offset : 0;
    std::vector<MessagePtr> messages;
    const quint64 forgottenUpTo = collect(pattern, after, upTo, limits.now, messages);
    std::sort(messages.begin(), messages.end(),
              [](const MessagePtr &a, const MessagePtr &b) { return a->sequence < b->sequence; });
    const std::span<const MessagePtr> all(messages);
    const std::size_t wanted = request.isResume()
                                   ? all.size()
                                   : std::min(all.size(), static_cast<std::size_t>(request.last));
    const std::span<const MessagePtr> given = newestWithin(all.last(wanted), limits.bytes);
    const bool isCut = given.size() < all.size();
    result.messages.assign(given.begin(), given.end());
    if (request.isResume()) {
        result.resumed = !isKnown                         ? Resumed::Unknown
                         : isCut || forgottenUpTo > after ? Resumed::WithGap
                                                          : Resumed::Exactly;
    }
    if (result.resumed == Resumed::Exactly) {
        result.start.offset = after;
    } else if (!result.messages.empty()) {
        result.start.offset = result.messages.front()->sequence - 1;
    }
    result.gapEnd = {m_patterns.epoch(),
                     std::max(result.start.offset, std::min(forgottenUpTo, upTo))};
    return result;
}

/// Returns the newest sequence number that a channel of the pattern does not keep any more, or that
/// a channel had that is gone.
quint64 ChannelRegistry::collect(const ChannelPattern &pattern,
                                 quint64 after,
                                 quint64 upTo,
                                 TimePoint now,
                                 std::vector<MessagePtr> &into)
{
    quint64 forgottenUpTo = 0;
    for (Part &part : m_parts) {
        std::vector<ChannelHandle> channels; // let go of after the part's lock
        {
            const MutexLock lock(part.mutex);
            for (auto &[name, entry] : part.entries) {
                if (pattern.matches(name)) {
                    channels.push_back(handleOf(*entry));
                }
            }
        }
        for (const ChannelHandle &channel : channels) {
            forgottenUpTo = std::max(forgottenUpTo, channel->collect(after, upTo, now, into));
        }
    }
    // Last: a channel that went meanwhile is counted here.
    return std::max(forgottenUpTo, m_forgottenSequence.load());
}

} // namespace relay
