#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QSignalSpy>
#include <QTest>

using relay::ChannelPattern;
using relay::ChannelRule;
using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WebClient;

namespace {

/// Each line end costs an event "data: ", so that the event of such a message is seven times as long.
QByteArray lines(qsizetype count)
{
    return QByteArray(count, '\n');
}

HubOptions smallQueue()
{
    HubOptions options = testOptions();
    options.limits.messageSize = 64 * 1024;
    options.limits.queueSize = 256 * 1024;
    options.limits.inboxSize = 128 * 1024;
    return options;
}

} // namespace

/// What a hostile or unlucky HTTP client must not do to others.
class TestHttpHardening : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aMessageOfManyLinesShutsNobodyOut_data();
    void aMessageOfManyLinesShutsNobodyOut();
    void whatDoesNotFitIsAGapOfThePattern();
    void halfASurrogatePairIsNotPublished_data();
    void halfASurrogatePairIsNotPublished();
    void whatIsNoPositionIsNotRepeated();
    void nobodyHearsAChannelThatOnlyTakes();
};

void TestHttpHardening::aMessageOfManyLinesShutsNobodyOut_data()
{
    QTest::addColumn<QByteArray>("query");
    QTest::addColumn<bool>("isTold");
    QTest::newRow("last") << QByteArray("last=10") << false;
    QTest::newRow("resume") << QByteArray("since=%1-0") << true;
    QTest::newRow("another epoch") << QByteArray("since=000000000001-0") << true;
    QTest::newRow("with head lines") << QByteArray("meta=1&last=10") << false;
}

// A message that is kept, but whose event is longer than what may wait for a client, is left out of a
// replay and told as a gap. It must not get each listener who comes closed as slow, for as long as it
// is kept.
void TestHttpHardening::aMessageOfManyLinesShutsNobodyOut()
{
    QFETCH(QByteArray, query);
    QFETCH(bool, isTold);
    TestHub relay(smallQueue());
    HttpPeer publisher(relay.port());
    const QByteArrayList text{"Content-Type: text/plain"};
    const HttpAnswer first = publisher.ask(HttpPeer::post("/a", lines(60'000), text));
    QCOMPARE(first.status, 200);
    QCOMPARE(publisher.ask(HttpPeer::post("/a", "small", text)).status, 200);
    const QByteArray epoch = first.json().value(QLatin1String("epoch")).toString().toLatin1();

    HttpPeer listener(relay.port());
    QCOMPARE(listener.listen("/a?" + query.replace("%1", epoch)).status, 200);
    auto event = listener.nextEvent();
    QVERIFY(event);
    if (isTold) {
        QCOMPARE(event->type, QByteArray("gap"));
        QVERIFY2(event->data.endsWith(QByteArray("\"to\":\"" + epoch + "-1\"}")),
                 event->data.constData());
        event = listener.nextEvent();
        QVERIFY(event);
    }
    QVERIFY2(event->data.endsWith("small"), event->data.constData());
    QCOMPARE(event->id, epoch + "-2");
    QCOMPARE(publisher.ask(HttpPeer::post("/a", "live", text)).status, 200);
    event = listener.nextEvent();
    QVERIFY(event);
    QCOMPARE(event->id, epoch + "-3");
}

// The same for the listeners of a pattern, and when nothing is left to give: the position that they
// are told is behind what was left out, so that coming back with it is exact.
void TestHttpHardening::whatDoesNotFitIsAGapOfThePattern()
{
    TestHub relay(smallQueue());
    HttpPeer publisher(relay.port());
    const QByteArrayList text{"Content-Type: text/plain"};
    QCOMPARE(publisher.ask(HttpPeer::post("/a/1", "small", text)).status, 200);
    QCOMPARE(publisher.ask(HttpPeer::post("/a/2", lines(60'000), text)).status, 200);

    HttpPeer listener(relay.port());
    QCOMPARE(listener.listen("/a/*?since=000000000001-0").status, 200);
    const auto gap = listener.nextEvent();
    QVERIFY(gap);
    QCOMPARE(gap->type, QByteArray("gap"));

    HttpPeer again(relay.port());
    QCOMPARE(again.listen("/a/*", {"Last-Event-ID: " + gap->id}).status, 200);
    QCOMPARE(publisher.ask(HttpPeer::post("/a/1", "live", text)).status, 200);
    const auto event = again.nextEvent();
    QVERIFY(event);
    QCOMPARE(event->data, QByteArray("live"));
}

void TestHttpHardening::halfASurrogatePairIsNotPublished_data()
{
    QTest::addColumn<QByteArray>("item");
    QTest::newRow("text") << QByteArray(R"({"channel":"a","text":"\ud800"})");
    QTest::newRow("text, the low half") << QByteArray(R"({"channel":"a","text":"x\udc00y"})");
    QTest::newRow("channel") << QByteArray(R"({"channel":"a\ud800","text":"x"})");
}

// What is no Unicode is refused; it is not published with something else in its place, nor to another
// channel.
void TestHttpHardening::halfASurrogatePairIsNotPublished()
{
    QFETCH(QByteArray, item);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(
        HttpPeer::post("/-/publish", '[' + item + ']', {"Content-Type: application/json"}));
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.jsonArray().at(0).toObject().value(QLatin1String("error")).toString(),
             QStringLiteral("not_utf8"));
    QCOMPARE(relay.hub().counters().messages, 0U);
}

// A gap's `from` is a position or null, whatever was asked for.
void TestHttpHardening::whatIsNoPositionIsNotRepeated()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QCOMPARE(peer.ask(HttpPeer::post("/a", "x")).status, 200);
    const HttpAnswer answer =
        peer.ask(HttpPeer::get("/a?last_event_id=%3Cscript%3E", {"Accept: application/json"}));
    const QJsonValue gap = answer.json().value(QLatin1String("gap"));
    QVERIFY(gap.isObject());
    QVERIFY(gap.toObject().value(QLatin1String("from")).isNull());
}

// subscribe: false holds for patterns, for WebSockets (which may join to publish), and for their
// replays.
void TestHttpHardening::nobodyHearsAChannelThatOnlyTakes()
{
    HubOptions options = testOptions();
    ChannelRule rule{ChannelPattern::fromText("drop/*").value(), {}};
    rule.options.subscribe = false;
    options.channels = {rule};
    TestHub relay(options);
    HttpPeer publisher(relay.port());
    const QByteArrayList text{"Content-Type: text/plain"};
    QCOMPARE(publisher.ask(HttpPeer::post("/drop/a", "before", text)).status, 200);

    HttpPeer pattern(relay.port());
    QCOMPARE(pattern.listen("/**?last=10").status, 200);
    QUrl url = relay.url();
    url.setPath(QStringLiteral("/drop/a"));
    url.setQuery(QStringLiteral("last=10"));
    WebClient member(url);
    QVERIFY(member.waitUntilConnected());
    member.sendText("mine");
    QVERIFY(relay.waitForCounters([](const auto &counters) { return counters.messages == 2; }));
    const HttpAnswer answer = publisher.ask(HttpPeer::post("/drop/a", "after", text));
    QCOMPARE(answer.json().value(QLatin1String("offset")).toInt(), 3);
    QCOMPARE(answer.json().value(QLatin1String("clients")).toInt(), 0);
    QCOMPARE(publisher.ask(HttpPeer::post("/open", "heard", text)).status, 200);

    const auto event = pattern.nextEvent();
    QVERIFY(event);
    QCOMPARE(event->data, QByteArray("heard"));
    HttpPeer reader(relay.port());
    const HttpAnswer history = reader.ask(HttpPeer::get("/drop/*", {"Accept: application/json"}));
    QCOMPARE(history.status, 200);
    QVERIFY(history.json().value(QLatin1String("messages")).toArray().isEmpty());
    // What it was sent would have been before the answer to its ping.
    QSignalSpy pongs(&member.socket(), &QWebSocket::pong);
    member.socket().ping();
    QVERIFY(waitFor([&] { return !pongs.isEmpty(); }));
    QVERIFY(member.received().empty());
}

RELAY_TEST(TestHttpHardening)
#include "tst_http_hardening.moc"
