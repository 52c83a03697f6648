#pragma once

#include "channels/channel_registry.h"

#include <QByteArray>

namespace relay {

/// What `GET` with `Accept: application/json` answers:
/// {"channel","epoch","offset","clients","messages":[{"offset","time","text"|"base64"}]}, and "gap"
/// where a position was asked for that cannot be resumed.
QByteArray historyJson(const ChannelName &name,
                       ChannelRegistry &channels,
                       const ReplayLimits &limits,
                       const ReplayRequest &request);

/// The same for all channels that match: {"channel","position","messages":[{"channel","epoch",
/// "offset","time",…}]}.
QByteArray historyJson(const ChannelPattern &pattern,
                       ChannelRegistry &channels,
                       const ReplayLimits &limits,
                       const ReplayRequest &request);

} // namespace relay
