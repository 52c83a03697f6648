#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QJsonDocument>
#include <QTest>

using relay::ChannelPattern;
using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;

namespace {

const QByteArray kJson = "Content-Type: application/json";

QByteArray batch(const QByteArray &body, const QByteArrayList &fields = {kJson})
{
    return HttpPeer::post("/-/publish", body, fields);
}

QByteArray text(const QJsonValue &value, const char *key)
{
    return value.toObject().value(QLatin1String(key)).toString().toUtf8();
}

qint64 offsetOf(const QJsonValue &value)
{
    return value.toObject().value(QLatin1String("offset")).toInteger(-1);
}

} // namespace

class TestHttpBatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void goesToManyChannels();
    void aBadItemSpoilsNoOther_data();
    void aBadItemSpoilsNoOther();
    void refused_data();
    void refused();
    void theLimitIsExact();
    void theNumberOfMessagesIsExact();
    void aRepetitionPublishesOnce();
    void aRepetitionFinishesWhatWasHalfDone();
    void nothingIsAnEmptyBatch();
};

// One request, an answer for each message in their order; text stays text, and bytes bytes.
void TestHttpBatch::goesToManyChannels()
{
    TestHub relay;
    PacedClient chat(relay.port());
    QVERIFY(chat.upgrade({}, "/chat/1"));
    PacedClient root(relay.port());
    QVERIFY(root.upgrade());
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(batch(R"([
        {"channel":"chat/1","text":"gr\u00fc\u00df dich\n"},
        {"channel":"/","base64":"AP8="},
        {"channel":"chat/1","text":""},
        {"channel":"","text":"root","ignored":[1]}])"));
    QCOMPARE(answer.status, 200);
    const QJsonArray items = answer.jsonArray();
    QCOMPARE(items.size(), 4);
    QCOMPARE(text(items[0], "channel"), QByteArray("chat/1"));
    QCOMPARE(text(items[1], "channel"), QByteArray("/"));
    QCOMPARE(offsetOf(items[0]), 1);
    QCOMPARE(offsetOf(items[2]), 2);
    QCOMPARE(offsetOf(items[1]), 1);
    QCOMPARE(offsetOf(items[3]), 2);
    QCOMPARE(items[0].toObject().value(QLatin1String("clients")), QJsonValue(1));
    QCOMPARE(text(items[0], "epoch"), text(items[2], "epoch"));

    const auto first = chat.nextFrame();
    QVERIFY(first.has_value());
    QCOMPARE(first->opcode, Op::Text);
    QCOMPARE(first->payload, QByteArray("gr\xC3\xBC\xC3\x9F dich\n"));
    QCOMPARE(chat.nextFrame()->payload, QByteArray());
    const auto bytes = root.nextFrame();
    QVERIFY(bytes.has_value());
    QCOMPARE(bytes->opcode, Op::Binary);
    QCOMPARE(bytes->payload, QByteArray("\0\xFF", 2));
    QCOMPARE(root.nextFrame()->payload, QByteArray("root"));
}

void TestHttpBatch::aBadItemSpoilsNoOther_data()
{
    QTest::addColumn<QByteArray>("item");
    QTest::addColumn<QByteArray>("error");
    const auto row = [](const char *name, const QByteArray &item, const char *error) {
        QTest::newRow(name) << item << QByteArray(error);
    };
    row("a number", "1", "bad_message");
    row("null", "null", "bad_message");
    row("an array", "[]", "bad_message");
    row("an empty object", "{}", "bad_message");
    row("no channel", R"({"text":"x"})", "bad_message");
    row("a channel that is a number", R"({"channel":1,"text":"x"})", "bad_message");
    row("no payload", R"({"channel":"a"})", "bad_message");
    row("both payloads", R"({"channel":"a","text":"x","base64":"eA=="})", "bad_message");
    row("text that is a number", R"({"channel":"a","text":1})", "bad_message");
    row("text that is null", R"({"channel":"a","text":null})", "bad_message");
    row("bad base64", R"({"channel":"a","base64":"e"})", "bad_base64");
    row("not base64", R"({"channel":"a","base64":"\u00e9\u00e9\u00e9\u00e9"})", "bad_base64");
    row("base64 with a space", R"({"channel":"a","base64":"e A=="})", "bad_base64");
    row("a bad name", R"({"channel":"a//b","text":"x"})", "no_such_channel");
    row("a control character", R"({"channel":"a\u0000","text":"x"})", "no_such_channel");
    row("a long name", R"({"channel":")" + QByteArray(256, 'x') + R"(","text":"x"})",
        "no_such_channel");
    row("a reserved name", R"({"channel":"-/a","text":"x"})", "no_such_channel");
    row("a pattern", R"({"channel":"a/*","text":"x"})", "no_such_channel");
    row("everything", R"({"channel":"**","text":"x"})", "no_such_channel");
    row("a closed channel", R"({"channel":"news/1","text":"x"})", "publish_forbidden");
    row("a long text", R"({"channel":"a","text":")" + QByteArray(101, 'x') + R"("})", "too_big");
    row("long bytes", R"({"channel":"a","base64":")" + QByteArray(101, 'x').toBase64() + R"("})",
        "too_big");
}

// Each message has its own answer; the good ones around a bad one are published. A message as long
// as may be is good.
void TestHttpBatch::aBadItemSpoilsNoOther()
{
    QFETCH(QByteArray, item);
    QFETCH(QByteArray, error);
    HubOptions options = testOptions();
    options.limits.messageSize = 100;
    relay::ChannelOptions news;
    news.publish = false;
    options.channels = {relay::ChannelRule{ChannelPattern::fromText("news/*").value(), news}};
    TestHub relay(options);
    HttpPeer peer(relay.port());
    const QByteArray good = R"({"channel":"a","text":")" + QByteArray(100, 'x') + R"("})";
    const HttpAnswer answer = peer.ask(batch('[' + good + ',' + item + ',' + good + ']'));
    QCOMPARE(answer.status, 200);
    const QJsonArray items = answer.jsonArray();
    QCOMPARE(items.size(), 3);
    QCOMPARE(offsetOf(items[0]), 1);
    QCOMPARE(text(items[1], "error"), error);
    QVERIFY(!text(items[1], "message").isEmpty());
    QCOMPARE(offsetOf(items[1]), -1);
    QCOMPARE(offsetOf(items[2]), 2);
    QCOMPARE(relay.hub().counters().messages, 2U);
    QCOMPARE(relay.hub().channelCount(), 1);
}

void TestHttpBatch::refused_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArrayList>("fields");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("error");
    const auto row = [](const char *name, const QByteArray &body, const QByteArrayList &fields,
                        int status, const char *error) {
        QTest::newRow(name) << body << fields << status << QByteArray(error);
    };
    const QByteArray sound = R"([{"channel":"a","text":"x"}])";
    row("empty", "", {kJson}, 400, "not_json");
    row("no JSON", "hello", {kJson}, 400, "not_json");
    row("cut off", sound.chopped(1), {kJson}, 400, "not_json");
    row("more behind it", sound + sound, {kJson}, 400, "not_json");
    row("not UTF-8", "[{\"channel\":\"a\",\"text\":\"\xFF\"}]", {kJson}, 400, "not_json");
    row("too deep", QByteArray(100'000, '['), {kJson}, 400, "not_json");
    row("an object", R"({"channel":"a","text":"x"})", {kJson}, 400, "not_an_array");
    row("said to be text", sound, {"Content-Type: text/plain"}, 415, "not_json");
    row("a form", sound, {"Content-Type: application/x-www-form-urlencoded"}, 415, "not_json");
    row("of no type", sound, {}, 415, "not_json");
    row("compressed", sound, {kJson, "Content-Encoding: gzip"}, 415, "unsupported_encoding");
}

// A batch that cannot be read is refused whole, and nothing of it is published.
void TestHttpBatch::refused()
{
    QFETCH(QByteArray, body);
    QFETCH(QByteArrayList, fields);
    QFETCH(int, status);
    QFETCH(QByteArray, error);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(batch(body, fields));
    QCOMPARE(answer.status, status);
    QCOMPARE(answer.error(), error);
    QCOMPARE(relay.hub().counters().messages, 0U);
}

// http.batch_size is the longest body, to the byte.
void TestHttpBatch::theLimitIsExact()
{
    HubOptions options = testOptions();
    options.http.batchSize = 200;
    TestHub relay(options);
    HttpPeer peer(relay.port());
    const QByteArray sound = R"([{"channel":"a","text":"x"}])";
    const auto padded = [&](qsizetype bytes) -> QByteArray {
        return sound.leftJustified(bytes, ' ');
    };
    QCOMPARE(peer.ask(batch(padded(200))).status, 200);
    const HttpAnswer answer = peer.ask(batch(padded(201)));
    QCOMPARE(answer.status, 413);
    QCOMPARE(answer.error(), QByteArray("too_big"));
    QCOMPARE(relay.hub().counters().messages, 1U);
}

// http.batch_messages: an element of an array may be two bytes, and its answer is a hundred. One more
// is refused whole.
void TestHttpBatch::theNumberOfMessagesIsExact()
{
    HubOptions options = testOptions();
    options.http.batchMessages = 100;
    TestHub relay(options);
    HttpPeer peer(relay.port());
    const QByteArray more = R"({"channel":"a","text":"x"},)";
    const QByteArray last = R"({"channel":"a","text":"x"}])";
    const HttpAnswer most = peer.ask(batch('[' + more.repeated(99) + last));
    QCOMPARE(most.status, 200);
    QCOMPARE(most.jsonArray().size(), 100);
    const HttpAnswer tooMany = peer.ask(batch('[' + more.repeated(100) + last));
    QCOMPARE(tooMany.status, 413);
    QCOMPARE(tooMany.error(), QByteArray("too_many"));
    QCOMPARE(relay.hub().counters().messages, 100U);
}

// The same batch with the same key: the same answers, and no message twice. Each message of a batch
// counts as its own: the same one twice in a batch is published twice.
void TestHttpBatch::aRepetitionPublishesOnce()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const QByteArray body =
        R"([{"channel":"a","text":"x"},{"channel":"a","text":"x"},{"channel":"b","base64":"eA=="}])";
    const QByteArray request = batch(body, {kJson, "Idempotency-Key: k"});
    const HttpAnswer first = peer.ask(request);
    QCOMPARE(first.status, 200);
    QCOMPARE(offsetOf(first.jsonArray()[1]), 2);
    QCOMPARE(peer.ask(request).body, first.body);
    QCOMPARE(relay.hub().counters().messages, 3U);
}

// A batch of which one message was bad can be sent again, mended: only that one is new. One that was
// published cannot be changed.
void TestHttpBatch::aRepetitionFinishesWhatWasHalfDone()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const auto ask = [&](const QByteArray &body) {
        return peer.ask(batch(body, {kJson, "Idempotency-Key: k"})).jsonArray();
    };
    const QJsonArray first = ask(R"([{"channel":"a","text":"x"},{"channel":"a"}])");
    QCOMPARE(offsetOf(first[0]), 1);
    QCOMPARE(text(first[1], "error"), QByteArray("bad_message"));
    const QJsonArray mended = ask(R"([{"channel":"a","text":"x"},{"channel":"a","text":"y"}])");
    QCOMPARE(mended[0], first[0]);
    QCOMPARE(offsetOf(mended[1]), 2);
    const QJsonArray changed = ask(R"([{"channel":"a","text":"z"},{"channel":"a","text":"y"}])");
    QCOMPARE(text(changed[0], "error"), QByteArray("idempotency_key_reused"));
    QCOMPARE(changed[1], mended[1]);
    QCOMPARE(relay.hub().counters().messages, 2U);
}

// Whoever has nothing to say is not told that he did wrong.
void TestHttpBatch::nothingIsAnEmptyBatch()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(batch("[]"));
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.body.trimmed(), QByteArray("[]"));
}

RELAY_TEST(TestHttpBatch)
#include "tst_http_batch.moc"
