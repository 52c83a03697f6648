#include "gui/tables/client_verdict.h"

#include "gui/look/quantity_text.h"
#include "gui/relay/own_client.h"

#include <QCoreApplication>

#include <algorithm>
#include <optional>

namespace relay::gui {

namespace {

using Kind = ClientVerdict::Kind;

struct VerdictWords
{
    Q_DECLARE_TR_FUNCTIONS(ClientVerdict)
};

/// TCP sends lost segments again, so a line loses about as many as it sends twice.
bool losesMuch(const ClientRow &client, const SocketRow &socket)
{
    const qint64 segments = std::max(client.messagesOut, client.bytesOut / kSegmentBytes);
    return socket.retransmits >= kMinRetransmits
           && socket.retransmits * kSegmentsPerBadRetransmit > segments;
}

std::optional<ClientVerdict> verdictOnLine(const ClientRow &client)
{
    if (!client.socket) {
        return std::nullopt;
    }
    const SocketRow &socket = *client.socket;
    const auto bad = [](const QString &rule) {
        return ClientVerdict{Kind::BadLine, VerdictWords::tr("bad line"), rule, Meaning::Warning};
    };
    if (losesMuch(client, socket)) {
        return bad(
            VerdictWords::tr("%1 segments were retransmitted. More than one in %2 is a bad line.")
                .arg(countText(socket.retransmits))
                .arg(kSegmentsPerBadRetransmit));
    }
    if (socket.rttSeconds >= kBadRttSeconds) {
        return bad(VerdictWords::tr("A round trip takes %1. From %2 on, the line is bad.")
                       .arg(latencyText(socket.rttSeconds), latencyText(kBadRttSeconds)));
    }
    if (socket.rttVarianceSeconds >= kBadRttVarianceSeconds) {
        return bad(
            VerdictWords::tr("The round trip varies by %1. From %2 on, the line is bad.")
                .arg(latencyText(socket.rttVarianceSeconds), latencyText(kBadRttVarianceSeconds)));
    }
    return std::nullopt;
}

} // namespace

ClientVerdict verdictOn(const ClientRow &client)
{
    if (client.userAgent == QLatin1String(ownUserAgent())) {
        return {Kind::ThisWindow, VerdictWords::tr("this window"),
                VerdictWords::tr("This is the dashboard's own connection. It shows the messages of "
                                 "the channel that is "
                                 "selected on the Channels page."),
                Meaning::Quiet};
    }
    if (client.slowForSeconds) {
        return {Kind::ReadsSlowly, VerdictWords::tr("reads slowly"),
                VerdictWords::tr(
                    "More than half of limits.queue_size has been waiting for this client for %1.")
                    .arg(durationText(*client.slowForSeconds)),
                Meaning::Bad};
    }
    if (auto line = verdictOnLine(client)) {
        return *std::move(line);
    }
    if (client.queuedBytes > 0) {
        return {Kind::FallsBehind, VerdictWords::tr("falls behind"),
                VerdictWords::tr("%1 wait for this client because its socket is full. From half of "
                                 "limits.queue_size on, it reads slowly.")
                    .arg(bytesText(static_cast<double>(client.queuedBytes))),
                Meaning::Warning};
    }
    if (client.messagesIn == 0 && client.messagesOut == 0) {
        return {Kind::Idle, VerdictWords::tr("idle"),
                VerdictWords::tr("No message has been sent to this client or received from it."),
                Meaning::Quiet};
    }
    return {Kind::Fine, VerdictWords::tr("fine"),
            VerdictWords::tr("No message waits for this client, and its line is good."),
            Meaning::Good};
}

} // namespace relay::gui
