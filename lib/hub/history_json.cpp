#include "hub/history_json.h"

#include "base/utf8_text.h"
#include "hub/message_format.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace relay {

namespace {

QString latin1(const QByteArray &text)
{
    return QString::fromLatin1(text);
}

QJsonObject toJson(const Message &message, bool withChannel)
{
    QJsonObject object{{QStringLiteral("offset"), static_cast<qint64>(message.offset)},
                       {QStringLiteral("time"), message.time}};
    if (withChannel) {
        object.insert(QStringLiteral("channel"), message.channel.toString());
        object.insert(QStringLiteral("epoch"), latin1(toText(message.epoch)));
    }
    const QByteArrayView payload = message.frame.payload();
    if (message.frame.isText()) {
        object.insert(QStringLiteral("text"), textOf(payload));
    } else {
        object.insert(QStringLiteral("base64"), latin1(payload.toByteArray().toBase64()));
    }
    return object;
}

QByteArray
write(QJsonObject object, const Replay &replay, const QByteArray &since, bool withChannel)
{
    QJsonArray messages;
    for (const MessagePtr &message : replay.messages) {
        messages.append(toJson(*message, withChannel));
    }
    object.insert(QStringLiteral("messages"), messages);
    if (replay.hasGap()) {
        object.insert(QStringLiteral("gap"), gapObject(since, replay));
    }
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

} // namespace

QByteArray historyJson(const ChannelName &name,
                       ChannelRegistry &channels,
                       const ReplayLimits &limits,
                       const ReplayRequest &request)
{
    const int listeners = channels.patterns().clientCount(name);
    // If nobody uses the channel it is made for this moment: its position is that of its next use.
    const Channel::Past past = channels.acquire(name)->read(limits, request);
    const QJsonObject object{
        {QStringLiteral("channel"), name.toString()},
        {QStringLiteral("epoch"), latin1(toText(past.state.position.epoch))},
        {QStringLiteral("offset"), static_cast<qint64>(past.state.position.offset)},
        {QStringLiteral("clients"), past.state.clients + listeners}};
    return write(object, past.replay, request.since, false);
}

QByteArray historyJson(const ChannelPattern &pattern,
                       ChannelRegistry &channels,
                       const ReplayLimits &limits,
                       const ReplayRequest &request)
{
    const Joined past = channels.read(pattern, limits, request);
    const Position position{channels.patterns().epoch(), past.sequence};
    const QJsonObject object{{QStringLiteral("channel"), pattern.toString()},
                             {QStringLiteral("position"), latin1(position.toText())}};
    return write(object, past.replay, request.since, true);
}

} // namespace relay
