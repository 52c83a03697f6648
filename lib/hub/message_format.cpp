#include "hub/message_format.h"

#include "wire/event_stream.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QJsonValue>

namespace relay {

namespace {

/// Written by hand, as it is written for each message: no field but the channel's name can need
/// escaping.
QByteArray headLine(const Message &message, const Audience &audience)
{
    QByteArray line("{");
    if (audience.isPattern) {
        const QJsonObject name{{QStringLiteral("channel"), message.channel.toString()}};
        const QByteArray json = QJsonDocument(name).toJson(QJsonDocument::Compact);
        line += json.sliced(1, json.size() - 2) + ',';
    }
    line += R"("epoch":")" + toText(message.epoch) + R"(","offset":)"
            + QByteArray::number(message.offset) + R"(,"time":)" + QByteArray::number(message.time);
    if (audience.isPattern) {
        line += R"(,"position":")" + audience.positionAfter(message).toText() + '"';
    }
    return line + "}\n";
}

Chunk owning(QByteArray bytes)
{
    Chunk chunk{std::move(bytes), {}, 1};
    chunk.bytes = chunk.storage;
    return chunk;
}

QByteArray joined(QByteArray head, QByteArrayView payload)
{
    return head.append(payload);
}

QByteArray event(const Message &message, const Audience &audience, const QByteArray &head)
{
    const QByteArray id = audience.positionAfter(message).toText();
    const QByteArrayView payload = message.frame.payload();
    if (!message.frame.isText()) {
        return toEvent(id, "binary", joined(head, payload.toByteArray().toBase64()));
    }
    return head.isEmpty() ? toEvent(id, {}, payload) : toEvent(id, {}, joined(head, payload));
}

QByteArray compact(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

} // namespace

QJsonObject gapObject(const QByteArray &askedFor, const Replay &replay)
{
    const auto from = Position::fromText(askedFor);
    const bool isKnown = replay.resumed == Resumed::WithGap;
    return {{QStringLiteral("from"),
             from ? QJsonValue(QString::fromLatin1(from->toText())) : QJsonValue(QJsonValue::Null)},
            {QStringLiteral("to"), QString::fromLatin1(replay.gapEnd.toText())},
            {QStringLiteral("reason"),
             isKnown ? QStringLiteral("not_kept") : QStringLiteral("unknown_position")}};
}

Chunk formatted(const Message &message, MessageFormat format, const Audience &audience)
{
    switch (format) {
    case MessageFormat::WebSocket:
        return chunkOf(message.frame);
    case MessageFormat::WebSocketMeta:
        return chunkOf(Frame(message.frame.opcode(),
                             joined(headLine(message, audience), message.frame.payload())));
    case MessageFormat::EventStream:
        return owning(event(message, audience, {}));
    case MessageFormat::EventStreamMeta:
        return owning(event(message, audience, headLine(message, audience)));
    }
    return {};
}

QByteArray formatted(const Welcome &welcome, MessageFormat format, const Audience &audience)
{
    const QByteArray start = welcome.replay.start.toText();
    switch (format) {
    case MessageFormat::WebSocket:
        return {};
    case MessageFormat::WebSocketMeta: {
        QJsonObject head{{QStringLiteral("channel"), welcome.channel},
                         {QStringLiteral("position"), QString::fromLatin1(start)}};
        if (!audience.isPattern) {
            head.insert(QStringLiteral("clients"), welcome.clients);
        }
        if (welcome.replay.hasGap()) {
            head.insert(QStringLiteral("gap"), gapObject(welcome.askedFor, welcome.replay));
        }
        return Frame(Opcode::Text, joined(compact(head), "\n")).bytes().toByteArray();
    }
    case MessageFormat::EventStream:
    case MessageFormat::EventStreamMeta: {
        QByteArray preamble = toEventPreamble(start, welcome.retryMilliseconds);
        if (welcome.replay.hasGap()) {
            preamble += toEvent(start, "gap", compact(gapObject(welcome.askedFor, welcome.replay)));
        }
        return preamble;
    }
    }
    return {};
}

} // namespace relay
