#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QJsonDocument>
#include <QSignalSpy>
#include <QTest>

using namespace std::chrono_literals;
using relay::ChannelName;
using relay::ChannelPattern;
using relay::Hub;
using relay::HubOptions;
using relay::MessageKind;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::optionsKeeping;
using relay::test::publish;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;

namespace {

/// Publishes, and returns the message's position.
QJsonObject object(const QByteArray &json)
{
    return QJsonDocument::fromJson(json).object();
}

} // namespace

class TestEventStream : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void itBeginsWithWhereToComeBack();
    void dataComesAsItWas_data();
    void dataComesAsItWas();
    void bytesComeAsBase64();
    void theHeaderIsNewerThanTheUrl();
    void polyfillsSayItInTheUrl_data();
    void polyfillsSayItInTheUrl();
    void itsEndHasNoCloseCode();
    void whatIsGoneIsAGap_data();
    void whatIsGoneIsAGap();
    void metaPutsAHeadLineBefore();
    void aPatternResumesAcrossItsChannels();
    void aHeartbeatComesInSilence();
    void comingAndGoingIsCounted_data();
    void comingAndGoingIsCounted();
    void theEndOfTheRelayEndsTheStream();
    void whoDoesNotReadIsClosed();
    void whoDoesNotReadMissesTheOldest();
    void whatCannotWaitIsAGap();
};

// What a browser must know before the first message: its id, and how long to wait.
void TestEventStream::itBeginsWithWhereToComeBack()
{
    HubOptions options = testOptions();
    options.eventSource.retry = 1234ms;
    TestHub relay(options);
    const QByteArray position = publish(relay, "a", "before");
    HttpPeer peer(relay.port());
    const HttpAnswer head = peer.listen("/a");
    QCOMPARE(head.status, 200);
    QCOMPARE(head.value("content-type"), QByteArray("text/event-stream"));
    QCOMPARE(head.value("cache-control"), QByteArray("no-store"));
    QCOMPARE(head.value("x-accel-buffering"), QByteArray("no"));
    QVERIFY(!head.has("content-length") && !head.has("transfer-encoding"));
    QVERIFY(peer.waitForStream([](auto &events) {
        return !events.next() && events.retry() >= 0 && !events.lastId().isEmpty();
    }));
    QCOMPARE(peer.events().retry(), 1234);
    QCOMPARE(peer.events().lastId(), position);
}

void TestEventStream::dataComesAsItWas_data()
{
    QTest::addColumn<QByteArray>("payload");
    QTest::addColumn<QByteArray>("data");
    const auto row = [](const char *name, const QByteArray &payload, const QByteArray &data) {
        QTest::newRow(name) << payload << data;
    };
    row("one line", "hello", "hello");
    row("empty", "", "");
    row("a space before", " x", " x");
    row("a colon before", ":x", ":x");
    row("what looks like a field", "id: 1\nevent: x\n\nretry: 0", "id: 1\nevent: x\n\nretry: 0");
    row("a line feed at each end", "\na\n", "\na\n");
    row("carriage returns", "a\rb\r\nc\n\rd", "a\nb\nc\n\nd");
    row("only line ends", "\n\r\n\r", "\n\n\n");
    row("UTF-8, a NUL", QByteArray("\xF0\x9F\x91\x8B\0.", 6), QByteArray("\xF0\x9F\x91\x8B\0.", 6));
    row("other line ends of Unicode",
        "a\xE2\x80\xA8"
        "b\x0B",
        "a\xE2\x80\xA8"
        "b\x0B");
}

// Nothing that is published can end an event or be taken for a field; line ends are all that changes.
void TestEventStream::dataComesAsItWas()
{
    QFETCH(QByteArray, payload);
    QFETCH(QByteArray, data);
    TestHub relay;
    HttpPeer live(relay.port());
    QCOMPARE(live.listen("/a").status, 200);
    QVERIFY(relay.waitForClients(1));
    const QByteArray position = publish(relay, "a", payload);
    HttpPeer late(relay.port());
    QCOMPARE(late.listen("/a?last=1").status, 200);
    for (HttpPeer *peer : {&live, &late}) {
        const auto event = peer->nextEvent();
        QVERIFY(event.has_value());
        QCOMPARE(event->type, QByteArray("message"));
        QCOMPARE(event->id, position);
        QCOMPARE(event->data, data);
        QCOMPARE(peer->events().problem(), QByteArray());
    }
}

// An event stream is text: bytes come in base64, as an event of their own kind.
void TestEventStream::bytesComeAsBase64()
{
    TestHub relay;
    const QByteArray bytes("\0\xFF\n\r", 4);
    const QByteArray position = publish(relay, "a", bytes, MessageKind::Binary);
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/a?last=1").status, 200);
    const auto event = peer.nextEvent();
    QVERIFY(event.has_value());
    QCOMPARE(event->type, QByteArray("binary"));
    QCOMPARE(event->id, position);
    QCOMPARE(QByteArray::fromBase64(event->data), bytes);
}

// A browser that reconnects sends its first URL again: its header says where it is.
void TestEventStream::theHeaderIsNewerThanTheUrl()
{
    TestHub relay;
    const QByteArray first = publish(relay, "a", "1");
    const QByteArray second = publish(relay, "a", "2");
    publish(relay, "a", "3");
    for (const QByteArray &query :
         {QByteArray("?since=" + first), QByteArray("?last=3"),
          QByteArray("?last_event_id=" + first), QByteArray("?lastEventId=" + first)})
    {
        HttpPeer peer(relay.port());
        QCOMPARE(peer.listen("/a" + query, {"Last-Event-ID: " + second}).status, 200);
        const auto event = peer.nextEvent();
        QVERIFY(event.has_value());
        QCOMPARE(event->data, QByteArray("3"));
    }
}

void TestEventStream::polyfillsSayItInTheUrl_data()
{
    QTest::addColumn<QByteArray>(
        "query"); // ONE and TWO: the positions of the first two messages of three
    QTest::addColumn<QByteArray>("next"); // what comes first
    const auto row = [](const char *query, const char *next) {
        QTest::newRow(query) << QByteArray(query) << QByteArray(next);
    };
    row("last_event_id=ONE", "2");
    row("lastEventId=ONE", "2");
    row("lastEventId=TWO&last_event_id=ONE", "3");
    row("last_event_id=ONE&lastEventId=TWO", "3");
    row("since=ONE&lastEventId=TWO", "3");
    row("since=ONE&last_event_id=TWO", "3");
    row("lastEventId=&last_event_id=TWO", "3");
    row("since=TWO&lastEventId=", "3");
    row("last=1&lastEventId=ONE", "2");
}

// Polyfills have no header: they add the id to the first URL when they reconnect. It is newer than what the page wrote there.
void TestEventStream::polyfillsSayItInTheUrl()
{
    QFETCH(QByteArray, query);
    QFETCH(QByteArray, next);
    TestHub relay;
    query.replace("ONE", publish(relay, "a", "1"));
    query.replace("TWO", publish(relay, "a", "2"));
    publish(relay, "a", "3");
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/a?" + query).status, 200);
    const auto event = peer.nextEvent();
    QVERIFY(event.has_value());
    QCOMPARE(event->data, next);
    QCOMPARE(relay.hub().counters().resumes[static_cast<std::size_t>(relay::ResumeResult::Exact)],
             1U);
}

// What ended was no WebSocket: the operator is not told a WebSocket's close code.
void TestEventStream::itsEndHasNoCloseCode()
{
    TestHub relay;
    {
        HttpPeer peer(relay.port());
        QCOMPARE(peer.listen("/a").status, 200);
        QVERIFY(relay.waitForClients(1));
    }
    QVERIFY(relay.waitForEvents(relay::test::HubEvent::Kind::Disconnected, 1));
    const auto gone = relay.events(relay::test::HubEvent::Kind::Disconnected).front();
    QCOMPARE(gone.closeCode, quint16{0});
    QCOMPARE(gone.text, QByteArray("the client ended its stream"));
}

void TestEventStream::whatIsGoneIsAGap_data()
{
    QTest::addColumn<QByteArray>("id");
    QTest::addColumn<bool>("isPosition");
    QTest::newRow("too old") << QByteArray("EPOCH-1") << true;
    QTest::newRow("of another epoch") << QByteArray("0123456789ab-4") << true;
    QTest::newRow("of the future") << QByteArray("EPOCH-6") << true;
    QTest::newRow("of another relay") << QByteArray("urn:uuid:1234") << false;
    QTest::newRow("what JSON must escape") << QByteArray("\"\\") << false;
}

// Who cannot be given all is told, before what there is; from then on he can resume.
void TestEventStream::whatIsGoneIsAGap()
{
    QFETCH(QByteArray, id);
    QFETCH(bool, isPosition);
    TestHub relay(optionsKeeping(3));
    QByteArrayList positions;
    for (int i = 1; i <= 5; ++i) {
        positions += publish(relay, "a", QByteArray::number(i));
    }
    id.replace("EPOCH", positions.first().first(12));
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/a", {"Last-Event-ID: " + id}).status, 200);
    const auto gap = peer.nextEvent();
    QVERIFY(gap.has_value());
    QCOMPARE(gap->type, QByteArray("gap"));
    QCOMPARE(gap->id, positions[1]);
    QCOMPARE(object(gap->data).value(QLatin1String("from")),
             isPosition ? QJsonValue(QString::fromLatin1(id)) : QJsonValue(QJsonValue::Null));
    QCOMPARE(object(gap->data).value(QLatin1String("to")),
             QJsonValue(QString::fromLatin1(positions[1])));
    for (int i = 3; i <= 5; ++i) {
        const auto event = peer.nextEvent();
        QVERIFY(event.has_value());
        QCOMPARE(event->data, QByteArray::number(i));
        QCOMPARE(event->id, positions[i - 1]);
    }
}

// ?meta=1: the head line that relay.meta has, in text as in bytes.
void TestEventStream::metaPutsAHeadLineBefore()
{
    TestHub relay;
    publish(relay, "a", "x\ny");
    publish(relay, "a", "\xFF", MessageKind::Binary);
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/a?meta=1&last=2").status, 200);
    const auto text = peer.nextEvent();
    const auto bytes = peer.nextEvent();
    QVERIFY(text && bytes);
    const QJsonObject head = object(text->data.split('\n').first());
    QCOMPARE(head.keys().join(QLatin1Char(' ')), QStringLiteral("epoch offset time"));
    QCOMPARE(head.value(QLatin1String("offset")), QJsonValue(1));
    QCOMPARE(text->data.mid(text->data.indexOf('\n') + 1), QByteArray("x\ny"));
    QCOMPARE(bytes->type, QByteArray("binary"));
    QCOMPARE(bytes->data.split('\n').last(), QByteArray("\xFF").toBase64());
    QCOMPARE(object(bytes->data.split('\n').first()).value(QLatin1String("offset")), QJsonValue(2));
}

// One id stands for a place in all channels of a pattern.
void TestEventStream::aPatternResumesAcrossItsChannels()
{
    TestHub relay;
    HttpPeer first(relay.port());
    QCOMPARE(first.listen("/chat/*").status, 200);
    QVERIFY(relay.waitForClients(1));
    publish(relay, "chat/1", "1");
    publish(relay, "chat/2", "2");
    QCOMPARE(first.nextEvent()->data, QByteArray("1"));
    const auto second = first.nextEvent();
    QVERIFY(second.has_value());
    first.connection().reset();
    publish(relay, "chat/3", "3");
    publish(relay, "other", "not this");
    publish(relay, "chat/1", "4");
    HttpPeer again(relay.port());
    QCOMPARE(again.listen("/chat/*?meta=1", {"Last-Event-ID: " + second->id}).status, 200);
    publish(relay, "chat/2", "5");
    for (const QByteArray &expected :
         {QByteArray("chat/3 1 3"), QByteArray("chat/1 2 4"), QByteArray("chat/2 2 5")})
    {
        const auto event = again.nextEvent();
        QVERIFY(event.has_value());
        const QByteArrayList lines = event->data.split('\n');
        const QJsonObject head = object(lines.first());
        QCOMPARE(head.value(QLatin1String("channel")).toString().toUtf8() + ' '
                     + QByteArray::number(head.value(QLatin1String("offset")).toInt()) + ' '
                     + lines.last(),
                 expected);
        QCOMPARE(head.value(QLatin1String("position")).toString().toUtf8(), event->id);
    }
}

// event_source.heartbeat keeps proxies from closing, and is no event.
void TestEventStream::aHeartbeatComesInSilence()
{
    HubOptions options = testOptions();
    options.eventSource.heartbeat = 100ms;
    TestHub relay(options);
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/a").status, 200);
    bool wasEvent = false;
    QVERIFY(peer.waitForStream([&](auto &events) {
        wasEvent = wasEvent || events.next().has_value();
        return events.comments() >= 3;
    }));
    QVERIFY(!wasEvent);
    publish(relay, "a", "between");
    QCOMPARE(peer.nextEvent()->data, QByteArray("between"));
    QCOMPARE(peer.events().problem(), QByteArray());
}

void TestEventStream::comingAndGoingIsCounted_data()
{
    QTest::addColumn<bool>("isReset");
    QTest::newRow("closed") << false;
    QTest::newRow("reset") << true;
}

// relay_event_streams: who is gone is gone from the room, too; his channel goes with him.
void TestEventStream::comingAndGoingIsCounted()
{
    QFETCH(bool, isReset);
    TestHub relay(optionsKeeping(0));
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/a").status, 200);
    QVERIFY(relay.waitForClients(1));
    QCOMPARE(relay.hub().eventStreamCount(), 1);
    QCOMPARE(relay.hub().channelCount(), 1);
    if (isReset) {
        peer.connection().reset();
    } else {
        peer.connection().close();
    }
    QVERIFY(relay.waitForClients(0));
    QCOMPARE(relay.hub().eventStreamCount(), 0);
    QVERIFY(waitFor([&] { return relay.hub().channelCount() == 0; }));
    const auto counters = relay.hub().counters();
    QCOMPARE(counters.eventStreams, 1U);
    QCOMPARE(counters.connections, 0U); // no WebSocket
    QCOMPARE(counters.disconnections, 0U);
}

// The browser sees the end, and comes back by itself; what was published before is written first.
void TestEventStream::theEndOfTheRelayEndsTheStream()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/a").status, 200);
    QVERIFY(relay.waitForClients(1));
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    publish(relay, "a", "the last");
    relay.hub().close(10min);
    QCOMPARE(peer.nextEvent()->data, QByteArray("the last"));
    QVERIFY(peer.waitForEnd());
    peer.connection().close();
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
}

namespace {

HubOptions smallQueue(HubOptions::SlowClientPolicy policy)
{
    HubOptions options = testOptions();
    options.limits.messageSize = 16'000;
    options.limits.queueSize = 1 << 20;
    options.slowClients.policy = policy;
    return options;
}

/// Far more than queue and system take, numbered.
void flood(TestHub &relay)
{
    for (int i = 1; i <= 1000; ++i) {
        publish(relay, "a", QByteArray::number(i).leftJustified(16'000, '.'));
        if (i % 20 == 0) { // in many turns, so that the worker's own queue is no part of this
            const auto taken = static_cast<quint64>(i);
            (void)relay.waitForCounters([&](const relay::RelaySnapshot &counters) {
                const quint64 dropped = counters.dropped[0] + counters.dropped[1];
                return counters.deliveries + dropped >= taken
                       || counters.limitHits[static_cast<std::size_t>(relay::LimitHit::QueueSize)]
                              > 0;
            });
        }
    }
}

} // namespace

// slow_clients.policy: disconnect. The stream ends after a whole event, so that its last id is true.
void TestEventStream::whoDoesNotReadIsClosed()
{
    TestHub relay(smallQueue(HubOptions::SlowClientPolicy::Disconnect));
    HttpPeer peer(relay.port(), 4096);
    QCOMPARE(peer.listen("/a").status, 200);
    flood(relay);
    QVERIFY(relay.waitForCounters([](const auto &counters) {
        return counters.limitHits[static_cast<std::size_t>(relay::LimitHit::QueueSize)] == 1;
    }));
    qint64 last = 0;
    while (const auto event = peer.nextEvent()) {
        QCOMPARE(event->data.first(5).replace('.', "").toLongLong(), ++last);
        QCOMPARE(event->data.size(), 16'000);
        QCOMPARE(event->id.mid(13), QByteArray::number(last));
    }
    QVERIFY(peer.connection().hasEnded());
    QVERIFY(last > 0 && last < 1000);
    // He comes back with that id, and is told what he cannot be given.
    HttpPeer again(relay.port());
    QCOMPARE(again.listen("/a", {"Last-Event-ID: " + peer.events().lastId()}).status, 200);
    QCOMPARE(again.nextEvent()->type, QByteArray("gap"));
}

// slow_clients.policy: drop_oldest. Whole events are left out; the newest comes.
void TestEventStream::whoDoesNotReadMissesTheOldest()
{
    TestHub relay(smallQueue(HubOptions::SlowClientPolicy::DropOldest));
    HttpPeer peer(relay.port(), 4096);
    QCOMPARE(peer.listen("/a").status, 200);
    flood(relay);
    qint64 last = 0;
    int events = 0;
    while (last < 1000) {
        const auto event = peer.nextEvent();
        QVERIFY(event.has_value());
        const qint64 number = event->data.first(5).replace('.', "").toLongLong();
        QVERIFY(number > last);
        QCOMPARE(event->data.size(), 16'000);
        last = number;
        ++events;
    }
    QVERIFY(events < 1000);
    QCOMPARE(peer.events().problem(), QByteArray());
    const auto dropped = relay.hub().counters().dropped;
    QCOMPARE(dropped[static_cast<std::size_t>(relay::DropReason::DropOldest)],
             static_cast<quint64>(1000 - events));
}

// A message of line ends is seven times as long as an event: more than may wait for one client. Who
// comes back for it is told that he cannot have it, and goes on behind it: else he would be closed
// as slow, and come back for it for ever.
void TestEventStream::whatCannotWaitIsAGap()
{
    TestHub relay;
    const QByteArray before = publish(relay, "a", "before");
    const QByteArray tooLong = publish(relay, "a", QByteArray(1 << 20, '\n'));
    const QByteArray behind = publish(relay, "a", "behind it");
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/a", {"Last-Event-ID: " + before}).status, 200);
    const auto gap = peer.nextEvent();
    QVERIFY(gap.has_value());
    QCOMPARE(gap->type, QByteArray("gap"));
    QCOMPARE(object(gap->data).value(QLatin1String("to")).toString().toLatin1(), tooLong);
    const auto event = peer.nextEvent();
    QVERIFY(event.has_value());
    QCOMPARE(event->data, QByteArray("behind it"));
    QCOMPARE(event->id, behind);
}

RELAY_TEST(TestEventStream)
#include "tst_event_stream.moc"
