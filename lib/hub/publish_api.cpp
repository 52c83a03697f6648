#include "hub/publish_api.h"

#include "wire/media_type.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonParseError>

#include <utility>

namespace relay {

struct PublishApi::Error
{
    int status;
    const char *code;
    QByteArray message;
};

namespace {

/// An Idempotency-Key is often a UUID; longer ones are a mistake.
constexpr qsizetype kMaxKeyBytes = 255;

QJsonObject published(const ChannelName &name, const IdempotencyCache::Answer &answer)
{
    return {{QStringLiteral("channel"), name.toString()},
            {QStringLiteral("epoch"), QString::fromLatin1(toText(answer.position.epoch))},
            {QStringLiteral("offset"), static_cast<qint64>(answer.position.offset)},
            {QStringLiteral("clients"), answer.clients}};
}

/// What both kinds of request must have.
std::optional<HttpResponse> refuseHead(const HttpRequest &request)
{
    if (request.count("Content-Length") == 0 && request.count("Transfer-Encoding") == 0) {
        return errorResponse(411, "length_required",
                             "A POST needs a Content-Length or \"Transfer-Encoding: chunked\".");
    }
    const QByteArray encoding = request.value("Content-Encoding");
    if (!encoding.isEmpty() && encoding.compare("identity", Qt::CaseInsensitive) != 0) {
        return errorResponse(415, "unsupported_encoding",
                             "The relay does not decompress bodies: send the message without "
                             "Content-Encoding.");
    }
    if (request.count("Idempotency-Key") > 0) {
        const QByteArray key = request.value("Idempotency-Key");
        if (key.isEmpty() || key.size() > kMaxKeyBytes || request.count("Idempotency-Key") > 1) {
            return errorResponse(400, "bad_idempotency_key",
                                 "A request has at most one Idempotency-Key, of 1 to 255 bytes.");
        }
    }
    return std::nullopt;
}

/// Nothing if it is none. QByteArray lets a last character pass that is none of its group.
std::optional<QByteArray> fromBase64(const QByteArray &text)
{
    auto decoded = QByteArray::fromBase64Encoding(text, QByteArray::AbortOnBase64DecodingErrors);
    if (!decoded || text.size() % 4 == 1) {
        return std::nullopt;
    }
    return std::move(decoded.decoded);
}

/// Each message of a batch has a key of its own, so that a batch that was half accepted can be repeated. No client can send such a
/// key itself: a header field's value holds no line feed.
QByteArray itemKey(const QByteArray &batchKey, qsizetype index)
{
    return batchKey.isEmpty() ? QByteArray() : batchKey + '\n' + QByteArray::number(index);
}

} // namespace

PublishApi::PublishApi(const HubOptions &options,
                       ChannelRegistry &channels,
                       IdempotencyCache &idempotency,
                       Publisher &publisher)
    : m_options(options)
    , m_channels(channels)
    , m_idempotency(idempotency)
    , m_publisher(publisher)
{}

// One message

PublishApi::Verdict
PublishApi::judge(ClientId client, const ChannelName &channel, const HttpRequest &request)
{
    if (auto refused = refuseHead(request)) {
        return *std::move(refused);
    }
    if (!m_channels.optionsOf(channel).publish) {
        return errorResponse(403, "publish_forbidden", "Clients cannot publish to this channel.");
    }
    auto judged = bodyKindOf(request);
    if (auto *refused = std::get_if<HttpResponse>(&judged)) {
        return std::move(*refused);
    }
    const auto kind = std::get<BodyKind>(judged);
    const QByteArray key = request.value("Idempotency-Key");
    return ReceiveBody{
        m_options.limits.messageSize, [this, client, channel, kind, key](const QByteArray &body) {
            auto isText = isTextBody(kind, body);
            if (auto *refused = std::get_if<HttpResponse>(&isText)) {
                return std::move(*refused);
            }
            const Opcode opcode = std::get<bool>(isText) ? Opcode::Text : Opcode::Binary;
            const Answer answer = publishOnce(client, channel, key, Frame(opcode, body));
            if (const auto *error = std::get_if<Error>(&answer)) {
                HttpResponse response = errorResponse(error->status, error->code, error->message);
                return error->status == 429 || error->status == 409
                           ? retryLater(std::move(response))
                           : response;
            }
            return jsonResponse(
                200, QJsonDocument(std::get<QJsonObject>(answer)).toJson(QJsonDocument::Compact));
        }};
}

PublishApi::Answer PublishApi::publishOnce(ClientId client,
                                           const ChannelName &name,
                                           const QByteArray &key,
                                           const Frame &frame)
{
    const Error full{429, "busy", "The relay is overloaded. Try again."};
    if (key.isEmpty()) {
        const auto done = publish(client, name, frame);
        return done ? Answer(published(name, {done->position, done->clients})) : Answer(full);
    }
    const IdempotencyCache::Begun begun =
        m_idempotency.begin(name, key, frame.bytes(), m_publisher.now());
    switch (begun.state) {
    case IdempotencyCache::State::Answered:
        return published(name, begun.answer);
    case IdempotencyCache::State::InProgress:
        return Error{409, "in_progress",
                     "A request with this Idempotency-Key is still in progress. Try again."};
    case IdempotencyCache::State::Different:
        return Error{422, "idempotency_key_reused",
                     "This Idempotency-Key was used for another message to this channel."};
    case IdempotencyCache::State::First:
        break;
    }
    const auto done = publish(client, name, frame);
    if (!done) {
        m_idempotency.abandon(begun.token);
        return full;
    }
    const IdempotencyCache::Answer answer{done->position, done->clients};
    m_idempotency.complete(begun.token, answer);
    return published(name, answer);
}

std::optional<Publication>
PublishApi::publish(ClientId client, const ChannelName &name, const Frame &frame)
{
    const ChannelHandle channel = m_channels.acquire(name);
    return m_publisher.publish(client, *channel, frame);
}

// Many

PublishApi::Verdict PublishApi::judgeBatch(ClientId client, const HttpRequest &request)
{
    if (auto refused = refuseHead(request)) {
        return *std::move(refused);
    }
    if (contentTypeOf(request).type != "application/json") {
        return errorResponse(415, "not_json",
                             "Send application/json: an array of messages, such as "
                             "[{\"channel\":\"chat/1\",\"text\":\"hello\"}].");
    }
    const QByteArray key = request.value("Idempotency-Key");
    return ReceiveBody{m_options.http.batchSize, [this, client, key](const QByteArray &body) {
                           return answerBatch(client, key, body);
                       }};
}

HttpResponse PublishApi::answerBatch(ClientId client, const QByteArray &key, const QByteArray &body)
{
    QJsonParseError problem;
    const QJsonDocument document = QJsonDocument::fromJson(body, &problem);
    if (problem.error != QJsonParseError::NoError) {
        return errorResponse(400, "not_json",
                             "The body is not valid JSON: " + problem.errorString().toUtf8()
                                 + " at byte " + QByteArray::number(problem.offset) + '.');
    }
    if (!document.isArray()) {
        return errorResponse(400, "not_an_array",
                             "The body must be an array of messages, such as "
                             "[{\"channel\":\"chat/1\",\"text\":\"hello\"}].");
    }
    const QJsonArray items = document.array();
    if (items.size() > m_options.http.batchMessages) {
        return errorResponse(413, "too_many",
                             "More than " + QByteArray::number(m_options.http.batchMessages)
                                 + " messages in one request (http.batch_messages). None was "
                                   "published.");
    }
    QJsonArray answers;
    for (qsizetype i = 0; i < items.size(); ++i) {
        const Answer answer = publishItem(client, itemKey(key, i), items[i].toObject());
        if (const auto *error = std::get_if<Error>(&answer)) {
            answers.append(
                QJsonObject{{QStringLiteral("error"), QString::fromLatin1(error->code)},
                            {QStringLiteral("message"), QString::fromUtf8(error->message)}});
        } else {
            answers.append(std::get<QJsonObject>(answer));
        }
    }
    return jsonResponse(200, QJsonDocument(answers).toJson(QJsonDocument::Compact));
}

PublishApi::Answer
PublishApi::publishItem(ClientId client, const QByteArray &key, const QJsonObject &item)
{
    const QJsonValue channel = item.value(QLatin1String("channel"));
    const QJsonValue text = item.value(QLatin1String("text"));
    const QJsonValue base64 = item.value(QLatin1String("base64"));
    if (!channel.isString() || text.isString() == base64.isString()) {
        return Error{
            400, "bad_message",
            R"(A message must be an object with "channel" and either "text" or "base64".)"};
    }
    if (!channel.toString().isValidUtf16() || !text.toString().isValidUtf16()) {
        return Error{400, "not_utf8",
                     "A \\u escape of a surrogate lacks the other half of its pair."};
    }
    const auto name = ChannelName::fromText(channel.toString().toUtf8());
    if (!name) {
        return Error{404, "no_such_channel", name.error().message.toUtf8()};
    }
    if (name.value().isReserved()) {
        return Error{404, "no_such_channel",
                     "Names that begin with -/ are reserved for the relay."};
    }
    if (!m_channels.optionsOf(name.value()).publish) {
        return Error{403, "publish_forbidden", "Clients cannot publish to this channel."};
    }
    QByteArray payload = text.toString().toUtf8();
    if (base64.isString()) {
        auto decoded = fromBase64(base64.toString().toLatin1());
        if (!decoded) {
            return Error{400, "bad_base64", "\"base64\" is not valid base64."};
        }
        payload = *std::move(decoded);
    }
    if (payload.size() > m_options.limits.messageSize) {
        return Error{413, "too_big", "The message is longer than limits.message_size."};
    }
    return publishOnce(client, name.value(), key,
                       Frame(text.isString() ? Opcode::Text : Opcode::Binary, payload));
}

} // namespace relay
