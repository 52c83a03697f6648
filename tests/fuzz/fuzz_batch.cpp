#include "hub/publish_api.h"

#include "property.h"

#include <QJsonArray>
#include <QJsonDocument>

using namespace relay;

namespace {

constexpr int kMaxMessages = 4;
constexpr qint64 kMaxMessageBytes = 32;

/// Counts what it is given; every third message finds the relay busy.
class CountingPublisher final : public Publisher
{
public:
    int accepted = 0;

    std::optional<Publication>
    publish(ClientId /*sender*/, Channel & /*channel*/, const Frame &message) override
    {
        require(message.payload().size() <= kMaxMessageBytes,
                "no message is longer than the limit");
        if (++m_asked % 3 == 0) {
            return std::nullopt;
        }
        ++accepted;
        return Publication{};
    }
    TimePoint now() override { return TimePoint() + std::chrono::hours(1); }

private:
    int m_asked = 0;
};

/// An item's answer has either a position or an error with a sentence.
bool isAccepted(const QJsonObject &answer)
{
    const bool isRefused = answer.contains(QLatin1String("error"));
    require(isRefused != answer.contains(QLatin1String("offset")),
            "an item is accepted or refused");
    require(!isRefused || !answer.value(QLatin1String("message")).toString().isEmpty(),
            "a refusal has a sentence");
    return !isRefused;
}

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    const QByteArray body(reinterpret_cast<const char *>(data), static_cast<qsizetype>(size));
    HubOptions options;
    options.http.batchMessages = kMaxMessages;
    options.limits.messageSize = kMaxMessageBytes;
    ChannelRegistry channels({}, ChannelOptions(), 1 << 20);
    IdempotencyCache idempotency(options.http.idempotencyAge, options.http.idempotencyKeys);
    CountingPublisher publisher;
    PublishApi api(options, channels, idempotency, publisher);

    HttpRequest request;
    request.method = "POST";
    request.target = "/-/publish";
    request.fields = {{"Content-Type", "application/json"},
                      {"Content-Length", QByteArray::number(body.size())}};
    const auto verdict = api.judgeBatch(ClientId{1}, request);
    const HttpResponse response = std::get<PublishApi::ReceiveBody>(verdict).answer(body);
    const QJsonDocument answer = QJsonDocument::fromJson(response.body);
    if (response.status != 200) {
        require(publisher.accepted == 0, "a batch that is refused publishes nothing");
        require(answer.object().contains(QLatin1String("error")), "a refusal is an error in JSON");
        return 0;
    }
    const QJsonArray items = answer.array();
    require(items.size() <= kMaxMessages, "a batch is as long as allowed at most");
    int accepted = 0;
    for (const QJsonValue &item : items) {
        accepted += isAccepted(item.toObject()) ? 1 : 0;
    }
    require(accepted == publisher.accepted, "the answers say what was published");
    return 0;
}
