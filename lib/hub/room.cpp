#include "hub/room.h"

#include "channels/channel.h"
#include "hub/client.h"
#include "hub/outbox.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace relay {

namespace {

/// A turn's list that has grown beyond this gives its memory back: there may be very many rooms.
constexpr std::size_t kKeptTurn = 64;

std::vector<Chunk>
inFormat(std::span<const MessagePtr> messages, MessageFormat format, const Audience &audience)
{
    std::vector<Chunk> pieces;
    pieces.reserve(messages.size());
    for (const MessagePtr &message : messages) {
        pieces.push_back(formatted(*message, format, audience));
    }
    return pieces;
}

/// A turn's messages in each format that somebody wants, made when it is first wanted.
class Formats
{
public:
    Formats(std::span<const MessagePtr> messages, const Audience &audience, qsizetype maxChunkBytes)
        : m_messages(messages)
        , m_audience(audience)
        , m_maxChunkBytes(maxChunkBytes)
    {}

    const Batch &in(MessageFormat format)
    {
        std::optional<Batch> &batch = m_batches[static_cast<std::size_t>(format)];
        if (!batch) {
            batch.emplace(batchOf(m_messages, format, m_audience, m_maxChunkBytes));
        }
        return *batch;
    }

    /// Without what came before the client joined, and what it does not want back.
    [[nodiscard]] Batch wantedBy(const Client &client) const
    {
        std::vector<MessagePtr> wanted;
        std::copy_if(m_messages.begin(), m_messages.end(), std::back_inserter(wanted),
                     [&](const MessagePtr &message) { return client.wants(*message); });
        return batchOf(wanted, client.format(), m_audience, m_maxChunkBytes);
    }

private:
    const std::span<const MessagePtr> m_messages;
    const Audience &m_audience;
    const qsizetype m_maxChunkBytes;
    std::array<std::optional<Batch>, kMessageFormatCount> m_batches;
};

} // namespace

Batch batchOf(std::span<const MessagePtr> messages,
              MessageFormat format,
              const Audience &audience,
              qsizetype maxChunkBytes)
{
    return Batch(inFormat(messages, format, audience), maxChunkBytes);
}

Batch batchOf(Replay &replay,
              MessageFormat format,
              const Audience &audience,
              qsizetype maxChunkBytes,
              qint64 maxBytes)
{
    const std::vector<Chunk> pieces = inFormat(replay.messages, format, audience);
    qint64 bytes = 0;
    std::size_t first = pieces.size();
    while (first > 0 && bytes + Outbox::costOf(pieces[first - 1]) <= maxBytes) {
        bytes += Outbox::costOf(pieces[--first]);
    }
    if (first > 0) {
        replay.start = audience.positionAfter(*replay.messages[first - 1]);
        replay.gapEnd.epoch = replay.start.epoch;
        replay.gapEnd.offset = std::max(replay.gapEnd.offset, replay.start.offset);
        replay.messages.erase(replay.messages.begin(),
                              replay.messages.begin() + static_cast<std::ptrdiff_t>(first));
        if (replay.resumed == Resumed::Exactly) {
            replay.resumed = Resumed::WithGap;
        }
    }
    return Batch(std::span(pieces).subspan(first), maxChunkBytes);
}

QByteArray Room::keyOf(const ChannelTarget &target)
{
    return std::visit([](const auto &name) { return name.bytes(); }, target);
}

Room::Room(Inbox &inbox, ChannelRegistry &channels, const ChannelTarget &target)
    : m_inbox(inbox)
    , m_channels(channels)
    , m_key(keyOf(target))
{
    if (const auto *pattern = std::get_if<ChannelPattern>(&target)) {
        m_pattern = *pattern;
        m_audience = {.isPattern = true, .patternEpoch = channels.patterns().epoch()};
    } else {
        m_channel = channels.acquire(std::get<ChannelName>(target));
    }
}

Room::~Room() = default;

ChannelTarget Room::target() const
{
    return m_pattern ? ChannelTarget(*m_pattern) : ChannelTarget(m_channel->name());
}

std::optional<Joined>
Room::join(Client &client, const ReplayLimits &limits, const ReplayRequest &request)
{
    const int members = memberCount() + 1;
    std::optional<Joined> joined =
        m_pattern ? m_channels.join(*m_pattern, *this, members, limits, request)
                  : m_channel->join(*this, members, limits, request);
    if (joined) {
        client.memberIndex = m_members.size();
        m_members.push_back(&client);
    }
    return joined;
}

void Room::leave(Client &client)
{
    m_members.back()->memberIndex = client.memberIndex;
    std::swap(m_members[client.memberIndex], m_members.back());
    m_members.pop_back();
    if (m_pattern) {
        m_channels.leave(*m_pattern, *this, memberCount());
    } else {
        m_channel->leave(*this, memberCount());
    }
}

void Room::take(const MessagePtr &message, WakeList &sleepers)
{
    if (m_inbox.push(Delivery{message, this})) {
        sleepers.append(&m_inbox);
    }
}

bool Room::collect(MessagePtr message)
{
    m_turn.push_back(std::move(message));
    return m_turn.size() == 1;
}

quint64 Room::deliver(qsizetype maxChunkBytes)
{
    Formats formats(m_turn, m_audience, maxChunkBytes);
    quint64 delivered = 0;
    for (std::size_t i = 0; i < m_members.size();) {
        Client &client = *m_members[i];
        if (client.takeIsChoosy(*m_turn.front())) {
            delivered += client.deliver(formats.wantedBy(client));
        } else {
            delivered += client.deliver(formats.in(client.format()));
        }
        // A member whose write failed has left, and another one has taken its place.
        i += (i < m_members.size() && m_members[i] == &client) ? 1 : 0;
    }
    m_turn.clear();
    if (m_turn.capacity() > kKeptTurn) {
        m_turn.shrink_to_fit();
    }
    return delivered;
}

} // namespace relay
