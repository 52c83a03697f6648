#pragma once

#include "base/channel_name.h"
#include "channels/replay.h"
#include "hub/message_format.h"
#include "wire/http_response.h"
#include "wire/request_target.h"

#include <optional>
#include <variant>

namespace relay {

/// What a channel's URL names.
using ChannelTarget = std::variant<ChannelName, ChannelPattern>;

/// For people: "/" for the root.
inline QString toString(const ChannelTarget &target)
{
    return std::visit([](const auto &name) { return name.toString(); }, target);
}

/// What a channel's URL asks for, whatever the method: a channel or a pattern, and the query.
struct ChannelRequest
{
    ChannelTarget target;
    std::optional<bool> echo; ///< ?echo=0|1
    std::optional<int> last;  ///< ?last=N
    ReplayRequest replay;     ///< ?lastEventId= or ?last_event_id= or ?since=; ?last=
    bool wantsMeta = false;   ///< ?meta=1

    [[nodiscard]] const ChannelName *channel() const { return std::get_if<ChannelName>(&target); }
    [[nodiscard]] const ChannelPattern *pattern() const
    {
        return std::get_if<ChannelPattern>(&target);
    }
};

/// Errors: the answer to give: 404 for a path that is no channel's name, 400 for a parameter that is
/// not what it should be. Parameters that nobody knows are ignored: proxies and applications add
/// their own.
std::variant<ChannelRequest, HttpResponse> readChannelRequest(const RequestTarget &target);

/// How a client takes part in a channel.
struct Subscription
{
    ChannelTarget target;
    MessageFormat format = MessageFormat::WebSocket;
    bool echo = true;
    ReplayRequest replay;
};

} // namespace relay
