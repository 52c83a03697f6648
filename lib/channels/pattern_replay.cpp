#include "channels/pattern_replay.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace relay {

namespace {

bool isNewer(const MessagePtr &a, const MessagePtr &b)
{
    return a->sequence > b->sequence;
}

/// Newest first, each once.
void sortNewestFirst(std::vector<MessagePtr> &messages)
{
    std::sort(messages.begin(), messages.end(), isNewer);
    messages.erase(std::unique(messages.begin(), messages.end()), messages.end());
}

/// One more than can fit: so that to find as many means that not all fit.
std::size_t moreThanFit(qint64 bytes)
{
    return static_cast<std::size_t>(std::max<qint64>(bytes, 0) / Message::kOverheadBytes + 1);
}

} // namespace

PatternReplay::PatternReplay(ChannelOrder &order,
                             const ChannelPattern &pattern,
                             const Position &newest)
    : m_order(order)
    , m_pattern(pattern)
    , m_newest(newest)
{}

Replay PatternReplay::run(const ReplayLimits &limits,
                          const ReplayRequest &request,
                          const Collect &collect,
                          const ForgottenSequence &forgottenSequence)
{
    Replay result;
    result.start = m_newest;
    const auto since = Position::fromText(request.since);
    const bool isKnown =
        since && since->epoch == m_newest.epoch && since->offset <= m_newest.offset;
    m_wanted = {.after = isKnown ? since->offset : 0,
                .upTo = m_newest.offset,
                .most = moreThanFit(limits.bytes),
                .now = limits.now};
    if (!isKnown) {
        // Without a position there is nothing to look for but the newest.
        m_wanted.most = std::min(m_wanted.most, static_cast<std::size_t>(request.last));
    }
    m_after = m_wanted.after;
    if (m_wanted.most > 0) {
        find(collect);
        m_forgottenUpTo = std::max(m_forgottenUpTo, forgottenSequence()); // last: see forget()
    }
    sortNewestFirst(m_found);
    if (!isKnown) {
        // The newest of all, without a hole between them.
        std::erase_if(m_found, [this](const MessagePtr &m) { return m->sequence <= m_unseenUpTo; });
        m_found.resize(std::min(m_found.size(), m_wanted.most));
    }
    std::reverse(m_found.begin(), m_found.end());
    const std::span<const MessagePtr> given = newestWithin(m_found, limits.bytes);
    result.messages.assign(given.begin(), given.end());
    const quint64 lostUpTo = std::max(m_forgottenUpTo, m_unseenUpTo);
    if (request.isResume()) {
        const bool isAll = given.size() == m_found.size() && lostUpTo <= m_after;
        result.resumed = !isKnown ? Resumed::Unknown : isAll ? Resumed::Exactly : Resumed::WithGap;
    }
    if (result.resumed == Resumed::Exactly) {
        result.start.offset = m_after;
    } else if (!result.messages.empty()) {
        result.start.offset = result.messages.front()->sequence - 1;
    }
    result.gapEnd = {m_newest.epoch,
                     std::max(result.start.offset, std::min(lostUpTo, m_newest.offset))};
    result.looked = m_looked;
    return result;
}

void PatternReplay::find(const Collect &collect)
{
    ChannelOrder::Walk walk(m_order, m_after);
    std::vector<ChannelName> names;
    qint64 mostLooked = kMostLooked;
    for (bool isDone = false; !isDone;) {
        names.clear();
        const auto slice = walk.next(m_pattern, m_wanted.most, names);
        isDone = slice.isDone;
        m_looked += slice.looked;
        for (const ChannelName &name : names) {
            const std::size_t before = m_found.size();
            m_forgottenUpTo = std::max(m_forgottenUpTo, collect(name, m_wanted, m_found));
            m_looked += static_cast<qint64>(m_found.size() - before);
        }
        if (m_found.size() >= 2 * m_wanted.most) {
            keepNewest();
            walk.stopAt(m_wanted.after);
        }
        if (!isDone && m_looked >= mostLooked) {
            // Nothing is known of the channels that have moved if looking at them took too long, too.
            m_unseenUpTo = walk.isLookingAgain() ? m_newest.offset : walk.unseenUpTo();
            isDone = walk.isLookingAgain();
            walk.stopAt(m_unseenUpTo);
            mostLooked += kMostLooked;
        }
    }
}

/// Drops messages that are older than as many as are wanted.
void PatternReplay::keepNewest()
{
    sortNewestFirst(m_found);
    if (m_found.size() > m_wanted.most) {
        m_found.resize(m_wanted.most);
    }
    if (m_found.size() == m_wanted.most) {
        m_wanted.after = std::max(m_wanted.after, m_found.back()->sequence);
    }
}

} // namespace relay
