#pragma once

#include "base/channel_name.h"
#include "base/position.h"

namespace relay {

/// A channel as it was at one moment, for those who watch the relay.
struct ChannelSnapshot
{
    ChannelName name;
    Position position; ///< of the newest message
    int clients = 0;   ///< members; pattern listeners are not among them
    qint64 historyMessages = 0;
    qint64 historyBytes = 0;
};

} // namespace relay
