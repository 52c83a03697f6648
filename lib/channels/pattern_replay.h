#pragma once

#include "base/channel_name.h"
#include "base/position.h"
#include "channels/channel.h"
#include "channels/channel_order.h"
#include "channels/replay.h"

#include <functional>
#include <vector>

namespace relay {

/// Finds what a listener of a pattern is given of the past.
///
/// It goes from the channel with the newest message to older ones, and stops when there are as many
/// messages as are wanted or fit, and no channel that is left can have a newer one. So `?last=1` looks
/// at a channel or two, however many there are.
///
/// Thread: confined to one, for one run(). No lock is held between two channels.
/// Limits: kMostLooked channels and messages, and as many again for channels that get messages
/// meanwhile. What lies beyond is told as a gap.
class PatternReplay
{
public:
    /// Some milliseconds on a slow machine.
    static constexpr qint64 kMostLooked = 20'000;

    /// Appends what is wanted of the channel, and returns the newest message that it had and does not
    /// keep.
    using Collect = std::function<quint64(
        const ChannelName &, const Channel::Wanted &, std::vector<MessagePtr> &)>;
    /// The newest message of all channels that are not in the order any more.
    using ForgottenSequence = std::function<quint64()>;

    /// `newest`: the last message that belongs to the past; its epoch is that of patterns.
    PatternReplay(ChannelOrder &order, const ChannelPattern &pattern, const Position &newest);

    [[nodiscard]] Replay run(const ReplayLimits &limits,
                             const ReplayRequest &request,
                             const Collect &collect,
                             const ForgottenSequence &forgottenSequence);

private:
    void find(const Collect &collect);
    void keepNewest();

    ChannelOrder &m_order;
    const ChannelPattern &m_pattern;
    const Position m_newest;
    Channel::Wanted m_wanted;
    std::vector<MessagePtr> m_found; // in no order, and some twice
    quint64 m_after = 0;             // the position that was asked for
    quint64 m_forgottenUpTo = 0;     // the newest message that matches and cannot be given
    quint64 m_unseenUpTo = 0;        // channels that were not looked at have none above it
    qint64 m_looked = 0;
};

} // namespace relay
