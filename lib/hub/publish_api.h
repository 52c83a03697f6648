#pragma once

#include "base/channel_name.h"
#include "base/clock.h"
#include "base/ids.h"
#include "channels/channel_registry.h"
#include "hub/idempotency_cache.h"
#include "hub/options.h"
#include "wire/http_request.h"
#include "wire/http_response.h"

#include <QByteArray>
#include <QJsonObject>

#include <functional>
#include <optional>
#include <variant>

namespace relay {

/// Gives messages to channels for the PublishApi.
class Publisher
{
public:
    /// Returns nullopt when the inbox is full; the client should try again.
    [[nodiscard]] virtual std::optional<Publication>
    publish(ClientId sender, Channel &channel, const Frame &message) = 0;
    [[nodiscard]] virtual TimePoint now() = 0;

protected:
    ~Publisher() = default;
};

/// Publishing by HTTP: `POST /<channel>` with the message as its body, and `POST /-/publish` with an
/// array of messages to many channels.
///
/// Thread: its worker's. No socket.
/// Owner: ChannelApi, by value.
/// Limits: limits.messageSize for a message, http.batchSize and http.batchMessages for an array.
/// Errors: are answers, {"error":"…","message":"…"}; in an array each message has its own.
class PublishApi
{
public:
    PublishApi(const HubOptions &options,
               ChannelRegistry &channels,
               IdempotencyCache &idempotency,
               Publisher &publisher);

    /// The answer is known when the body is.
    struct ReceiveBody
    {
        qint64 maxBytes = 0;
        std::function<HttpResponse(const QByteArray &body)> answer;
    };
    using Verdict = std::variant<HttpResponse, ReceiveBody>;

    [[nodiscard]] Verdict
    judge(ClientId client, const ChannelName &channel, const HttpRequest &request);
    [[nodiscard]] Verdict judgeBatch(ClientId client, const HttpRequest &request);

private:
    struct Error;
    using Answer = std::variant<QJsonObject, Error>;

    /// `key` is empty without an Idempotency-Key.
    [[nodiscard]] Answer publishOnce(ClientId client,
                                     const ChannelName &name,
                                     const QByteArray &key,
                                     const Frame &frame);
    [[nodiscard]] std::optional<Publication>
    publish(ClientId client, const ChannelName &name, const Frame &frame);
    [[nodiscard]] HttpResponse
    answerBatch(ClientId client, const QByteArray &key, const QByteArray &body);
    [[nodiscard]] Answer
    publishItem(ClientId client, const QByteArray &key, const QJsonObject &item);

    const HubOptions &m_options;
    ChannelRegistry &m_channels;
    IdempotencyCache &m_idempotency;
    Publisher &m_publisher;
};

} // namespace relay
