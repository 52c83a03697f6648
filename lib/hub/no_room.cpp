#include "hub/no_room.h"

#include "wire/event_stream.h"

#include <QRandomGenerator>

namespace relay {

namespace {

std::chrono::milliseconds comeBackAfter(std::chrono::milliseconds retry)
{
    constexpr double kLeastTimes = 5;
    constexpr double kMostTimes = 15;
    const double times =
        kLeastTimes + (kMostTimes - kLeastTimes) * QRandomGenerator::global()->generateDouble();
    return std::chrono::duration_cast<std::chrono::milliseconds>(times * retry);
}

HttpResponse answer(DisconnectReason reason)
{
    return reason == DisconnectReason::ChannelFull
               ? errorResponse(503, "channel_full",
                               "The channel has reached its limit of clients (max_clients). Try "
                               "again later.")
               : errorResponse(503, "relay_full",
                               "The relay has reached its limit of connections "
                               "(limits.connections). Try again later.");
}

} // namespace

QByteArray fullEvent(DisconnectReason reason, std::chrono::milliseconds retry)
{
    return toEventPreamble({}, comeBackAfter(retry).count())
           + toEvent({}, "full", answer(reason).body.trimmed());
}

HttpResponse fullStream(DisconnectReason reason, std::chrono::milliseconds retry)
{
    HttpResponse response;
    response.contentType = "text/event-stream";
    response.fields = {{"Cache-Control", "no-store"}};
    response.body = fullEvent(reason, retry);
    return response;
}

HttpResponse fullAnswer(DisconnectReason reason, std::chrono::milliseconds retry)
{
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(comeBackAfter(retry));
    HttpResponse response = answer(reason);
    response.fields.append(
        HttpField{"Retry-After", QByteArray::number(static_cast<qint64>(seconds.count()))});
    return response;
}

} // namespace relay
