#pragma once

#include <memory>

namespace relay {

class Channel;
class ChannelRegistry;

struct ChannelRelease
{
    ChannelRegistry *registry = nullptr;
    void operator()(Channel *channel) const;
};

/// Keeps a channel alive. Whoever lets go of the last one ends it: its epoch is over, and the name
/// begins a new one when it is next used.
///
/// Thread: any, one at a time. Must not be let go of while the channel's lock is held.
using ChannelHandle = std::unique_ptr<Channel, ChannelRelease>;

} // namespace relay
