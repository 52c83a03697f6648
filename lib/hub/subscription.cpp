#include "hub/subscription.h"

#include <limits>

namespace relay {

namespace {

/// Beyond it a number of messages is a mistake; histories are smaller.
constexpr int kMostMessages = 1'000'000;

HttpResponse badParameter(const QByteArray &sentence)
{
    return errorResponse(400, "bad_parameter", sentence);
}

std::optional<bool> toFlag(const QByteArray &text)
{
    if (text == "1" || text == "true") {
        return true;
    }
    if (text == "0" || text == "false") {
        return false;
    }
    return std::nullopt;
}

/// Reads a flag into `value`; the answer if it is none.
std::optional<HttpResponse>
readFlag(const RequestTarget &target, QByteArrayView name, std::optional<bool> &value)
{
    const auto text = target.parameter(name);
    if (!text) {
        return std::nullopt;
    }
    value = toFlag(*text);
    return value ? std::nullopt
                 : std::optional(
                     badParameter("The parameter " + name.toByteArray() + " must be 0 or 1."));
}

std::optional<HttpResponse> readReplay(const RequestTarget &target, ChannelRequest &request)
{
    if (const auto text = target.parameter("last")) {
        bool isNumber = false;
        const int last = text->toInt(&isNumber);
        if (!isNumber || last < 0 || last > kMostMessages) {
            return badParameter("The parameter last must be a number from 0 to "
                                + QByteArray::number(kMostMessages) + '.');
        }
        request.last = last;
        request.replay.last = last;
    }
    if (const auto text = target.parameter("since")) {
        if (!Position::fromText(*text)) {
            return badParameter("The parameter since must be a position as the relay gives it: "
                                "<epoch>-<offset>, such as 5f2c9a11c07b-17.");
        }
        request.replay.since = *text;
    }
    // EventSource polyfills add these when they reconnect, as a browser adds the header: they are newer than the rest of the URL.
    // The first is what most polyfills add of themselves.
    for (const char *name : {"lastEventId", "last_event_id"}) {
        if (const auto id = target.parameter(name); id && !id->isEmpty()) {
            request.replay.since = *id;
            break;
        }
    }
    return std::nullopt;
}

} // namespace

std::variant<ChannelRequest, HttpResponse> readChannelRequest(const RequestTarget &target)
{
    ChannelRequest request;
    if (ChannelPattern::isPattern(target.path)) {
        auto pattern = ChannelPattern::fromPath(target.path);
        if (!pattern) {
            return errorResponse(404, "no_such_channel", pattern.error().message.toUtf8());
        }
        request.target = std::move(pattern).value();
    } else {
        auto name = ChannelName::fromPath(target.path);
        if (!name) {
            return errorResponse(404, "no_such_channel", name.error().message.toUtf8());
        }
        if (name.value().isReserved()) {
            return errorResponse(404, "no_such_channel",
                                 "Names that begin with -/ are reserved for the relay.");
        }
        request.target = std::move(name).value();
    }
    std::optional<bool> meta;
    if (auto bad = readFlag(target, "echo", request.echo)) {
        return *std::move(bad);
    }
    if (auto bad = readFlag(target, "meta", meta)) {
        return *std::move(bad);
    }
    if (auto bad = readReplay(target, request)) {
        return *std::move(bad);
    }
    request.wantsMeta = meta.value_or(false);
    return request;
}

} // namespace relay
