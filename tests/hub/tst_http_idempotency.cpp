#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>

using namespace std::chrono_literals;
using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::offsetOf;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;

namespace {

const QByteArray kTextField = "Content-Type: text/plain";
const QByteArray kBytesField = "Content-Type: application/octet-stream";

QByteArray keyed(const QByteArray &key)
{
    return "Idempotency-Key: " + key;
}

} // namespace

class TestHttpIdempotency : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aKeyPublishesOnce();
    void aKeyIsForOneMessage();
    void aKeyIsForOneChannel();
    void aBatchsKeysAreItsOwn();
    void badKeys_data();
    void badKeys();
    void keysAreForgotten();
    void theOldestKeyGivesWay();
};

// A client that lost the answer sends the same again, even over another connection: one message, and
// the first answer.
void TestHttpIdempotency::aKeyPublishesOnce()
{
    TestHub relay(testOptions(2));
    PacedClient listener(relay.port());
    QVERIFY(listener.upgrade({}, "/a"));
    HttpPeer one(relay.port());
    HttpPeer other(relay.port());
    const QByteArray request = HttpPeer::post("/a", "pay 5", {kTextField, keyed("k1")});
    const HttpAnswer first = one.ask(request);
    QCOMPARE(first.status, 200);
    QCOMPARE(offsetOf(other.ask(HttpPeer::post("/a", "between", {kTextField}))), 2);
    for (HttpPeer *peer : {&one, &other, &one}) {
        const HttpAnswer again = peer->ask(request);
        QCOMPARE(again.status, 200);
        QCOMPARE(again.body, first.body);
    }
    QCOMPARE(relay.hub().counters().messages, 2U);
    QCOMPARE(listener.nextFrame()->payload, QByteArray("pay 5"));
    QCOMPARE(listener.nextFrame()->payload, QByteArray("between"));
}

// The same key with another message is a mistake of the client's, and must not look like success.
void TestHttpIdempotency::aKeyIsForOneMessage()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QCOMPARE(peer.ask(HttpPeer::post("/a", "pay 5", {kTextField, keyed("k1")})).status, 200);
    const HttpAnswer other = peer.ask(HttpPeer::post("/a", "pay 6", {kTextField, keyed("k1")}));
    QCOMPARE(other.status, 422);
    QCOMPARE(other.error(), QByteArray("idempotency_key_reused"));
    const HttpAnswer otherKind =
        peer.ask(HttpPeer::post("/a", "pay 5", {kBytesField, keyed("k1")}));
    QCOMPARE(otherKind.status, 422);
    QCOMPARE(relay.hub().counters().messages, 1U);
    // What was refused was not published, and its key is free.
    QCOMPARE(peer.ask(HttpPeer::post("/a", "\xFF", {kTextField, keyed("k2")})).status, 400);
    QCOMPARE(offsetOf(peer.ask(HttpPeer::post("/a", "pay 7", {kTextField, keyed("k2")}))), 2);
}

// Clients of different channels know nothing of each other's keys.
void TestHttpIdempotency::aKeyIsForOneChannel()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    for (const QByteArray &target : {QByteArray("/a"), QByteArray("/a/b"), QByteArray("/")}) {
        QCOMPARE(offsetOf(peer.ask(HttpPeer::post(target, target, {keyed("k")}))), 1);
    }
    QCOMPARE(relay.hub().counters().messages, 3U);
}

// A message of a batch has a key that no client can choose: what a client sends under "k#0" is neither taken for the first message
// of the batch "k", nor is that for it.
void TestHttpIdempotency::aBatchsKeysAreItsOwn()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const QByteArray batch =
        HttpPeer::post("/-/publish", R"([{"channel":"a","text":"of the batch"}])",
                       {"Content-Type: application/json", keyed("k")});
    QCOMPARE(peer.ask(HttpPeer::post("/a", "alone", {kTextField, keyed("k#0")})).status, 200);
    const HttpAnswer first = peer.ask(batch);
    QCOMPARE(first.jsonArray().at(0).toObject().value(QLatin1String("offset")).toInteger(), 2);
    QCOMPARE(peer.ask(batch).body, first.body);
    for (const char *key : {"k", "k0", "k#1", "k\t0", "k 0"}) {
        QCOMPARE(peer.ask(HttpPeer::post("/a", "of the batch", {kTextField, keyed(key)})).status,
                 200);
    }
    QCOMPARE(relay.hub().counters().messages, 7U); // all were new but the repeated batch
}

void TestHttpIdempotency::badKeys_data()
{
    QTest::addColumn<QByteArrayList>("fields");
    QTest::addColumn<int>("status");
    QTest::newRow("empty") << QByteArrayList{keyed({})} << 400;
    QTest::newRow("255 bytes") << QByteArrayList{keyed(QByteArray(255, 'k'))} << 200;
    QTest::newRow("256 bytes") << QByteArrayList{keyed(QByteArray(256, 'k'))} << 400;
    QTest::newRow("two") << QByteArrayList{keyed("k"), keyed("k")} << 400;
}

// A key that cannot be meant is said to be none, for a message and for a batch.
void TestHttpIdempotency::badKeys()
{
    QFETCH(QByteArrayList, fields);
    QFETCH(int, status);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer batch = peer.ask(HttpPeer::post(
        "/-/publish", "[]", fields + QByteArrayList{"Content-Type: application/json"}));
    QCOMPARE(batch.status, status);
    HttpPeer next(relay.port());
    const HttpAnswer answer = next.ask(HttpPeer::post("/a", "x", fields));
    QCOMPARE(answer.status, status);
    QCOMPARE(answer.error(), status == 400 ? QByteArray("bad_idempotency_key") : QByteArray());
    QCOMPARE(relay.hub().counters().messages, status == 400 ? 0U : 1U);
}

// http.idempotency_age: later it is a new message.
void TestHttpIdempotency::keysAreForgotten()
{
    HubOptions options = testOptions();
    options.http.idempotencyAge = 1ms;
    TestHub relay(options);
    HttpPeer peer(relay.port());
    const QByteArray request = HttpPeer::post("/a", "x", {keyed("k")});
    QCOMPARE(offsetOf(peer.ask(request)), 1);
    QVERIFY(waitFor([&] { return offsetOf(peer.ask(request)) == 2; }));
}

// http.idempotency_keys bounds the memory: one more, and the oldest is a new message again.
void TestHttpIdempotency::theOldestKeyGivesWay()
{
    HubOptions options = testOptions();
    options.http.idempotencyKeys = 2;
    TestHub relay(options);
    HttpPeer peer(relay.port());
    const auto publish = [&](const QByteArray &key) {
        return offsetOf(peer.ask(HttpPeer::post("/a", "x", {keyed(key)})));
    };
    QCOMPARE(publish("1"), 1);
    QCOMPARE(publish("2"), 2);
    QCOMPARE(publish("1"), 1);
    QCOMPARE(publish("2"), 2);
    QCOMPARE(publish("3"), 3);
    QCOMPARE(publish("3"), 3);
    QCOMPARE(publish("1"), 4);
}

RELAY_TEST(TestHttpIdempotency)
#include "tst_http_idempotency.moc"
