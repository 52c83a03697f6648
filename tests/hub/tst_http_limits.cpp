#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QDeadlineTimer>
#include <QSignalSpy>
#include <QTest>

using namespace std::chrono_literals;
using relay::Hub;
using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WorkerHold;

class TestHttpLimits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aLateBodyIsTold();
    void anIdleConnectionIsClosed();
    void shutDownWithinABody();
    void shutDownBetweenRequests();
    void whoDoesNotReadIsNotReadFrom();
    void anUpgradeBehindABacklog();
    void overTheLimit();
    void whoseTimeIsUpWithinHisUpgradeIsNoMember();
};

// http.body_timeout: counted for the whole body, so that a byte now and then does not hold a place.
void TestHttpLimits::aLateBodyIsTold()
{
    HubOptions options = testOptions();
    options.http.bodyTimeout = 300ms;
    TestHub relay(options);
    HttpPeer peer(relay.port());
    QVERIFY(peer.send(HttpPeer::postHead(1'000'000)));
    const bool hasEnded = waitFor([&] {
        peer.connection().sendSome("x");
        peer.connection().read();
        return peer.connection().hasEnded() || !peer.isSilent();
    });
    QVERIFY(hasEnded);
    const HttpAnswer answer = peer.answer();
    QCOMPARE(answer.status, 408);
    QCOMPARE(answer.error(), QByteArray("body_timeout"));
    QCOMPARE(relay.hub().counters().messages, 0U);
}

// http.idle_timeout closes without a word: there is no request to answer.
void TestHttpLimits::anIdleConnectionIsClosed()
{
    HubOptions options = testOptions();
    options.http.idleTimeout = 200ms;
    TestHub relay(options);
    HttpPeer peer(relay.port());
    QCOMPARE(peer.ask(HttpPeer::post("/a", "x")).status, 200);
    QCOMPARE(peer.bytes(1), QByteArray());
    QVERIFY(peer.connection().hasEnded());
}

// Who is within a request is told 503; nothing of it is published.
void TestHttpLimits::shutDownWithinABody()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QCOMPARE(peer.ask(HttpPeer::postHead(5, {"Expect: 100-continue"})).status, 100);
    QVERIFY(peer.send("hell"));
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    relay.hub().close(10min);
    QCOMPARE(peer.answer().status, 503);
    QVERIFY(peer.waitForEnd());
    peer.connection().close();
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
    QCOMPARE(relay.hub().counters().messages, 0U);
}

// An idle connection is closed at once, and does not hold up the end.
void TestHttpLimits::shutDownBetweenRequests()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QCOMPARE(peer.ask(HttpPeer::get("/a")).status, 200);
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    relay.hub().close(10min);
    QCOMPARE(peer.bytes(1), QByteArray());
    QVERIFY(peer.connection().hasEnded());
    peer.connection().close();
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
}

// Whoever asks and asks, and does not take the answers, is not read from any more: they do not pile
// up. Once he reads, all of them come.
void TestHttpLimits::whoDoesNotReadIsNotReadFrom()
{
    TestHub relay;
    HttpPeer publisher(relay.port());
    const QByteArray message(30'000, 'm');
    QCOMPARE(publisher.ask(HttpPeer::post("/a", message)).status, 200);
    HttpPeer peer(relay.port());
    constexpr int kRequests = 1500; // 60 MB of answers: more than any system's buffers
    QVERIFY(peer.send(HttpPeer::get("/a").repeated(kRequests)));
    quint64 before = 0;
    quint64 now = relay.answered(relay::HttpMethod::Get, 200);
    QVERIFY(waitFor([&] { // until nothing moves any more
        before = std::exchange(now, relay.answered(relay::HttpMethod::Get, 200));
        return before == now && now > 0;
    }));
    QVERIFY2(now < kRequests, "all were answered though none was read");
    for (int i = 0; i < kRequests; ++i) {
        const HttpAnswer answer = peer.answer();
        QCOMPARE(answer.status, 200);
        QCOMPARE(answer.json().value(QLatin1String("messages")).toArray().size(), 1);
    }
    QVERIFY(peer.isSilent());
}

// Behind a backlog a connection may still become something else.
void TestHttpLimits::anUpgradeBehindABacklog()
{
    TestHub relay;
    HttpPeer publisher(relay.port());
    QCOMPARE(publisher.ask(HttpPeer::post("/a", QByteArray(100'000, 'm'))).status, 200);
    HttpPeer peer(relay.port(), 4096);
    constexpr int kRequests = 40;
    QVERIFY(
        peer.send(HttpPeer::get("/a").repeated(kRequests) + PacedClient::upgradeRequest({}, "/b")));
    for (int i = 0; i < kRequests; ++i) {
        QCOMPARE(peer.answer().status, 200);
    }
    QCOMPARE(peer.answer().status, 101);
    QVERIFY(peer.send(relay::test::clientFrame(relay::test::Op::Text, "hi")));
    QCOMPARE(peer.bytes(4), QByteArray("\x81\x02hi"));
}

// limits.connections: one more is told, whatever it asks; a place that is free again is given.
void TestHttpLimits::overTheLimit()
{
    HubOptions options = testOptions();
    options.limits.connections = 2;
    TestHub relay(options);
    HttpPeer one(relay.port());
    QCOMPARE(one.ask(HttpPeer::get("/a")).status, 200);
    HttpPeer stream(relay.port());
    QCOMPARE(stream.listen("/a").status, 200);
    HttpPeer more(relay.port());
    QCOMPARE(more.ask(HttpPeer::post("/a", "x")).status, 503);
    QVERIFY(more.waitForEnd());
    HttpPeer moreStreams(relay.port());
    QCOMPARE(moreStreams.ask(HttpPeer::get("/a", {"Accept: text/event-stream"})).status, 200);
    QVERIFY(moreStreams.waitForEnd()); // it was told to come back: see tst_no_room
    QCOMPARE(relay.hub().eventStreamCount(), 1);
    QCOMPARE(relay.hub().counters().messages, 0U);
    one.connection().close();
    QVERIFY(waitFor([&] {
        HttpPeer late(relay.port());
        return late.ask(HttpPeer::post("/a", "x")).status == 200;
    }));
}

// QWebSocketServer answers from a queued call. A connection whose handshake_timeout ran out between
// its request and that call was upgraded all the same: it joined its room when it had ended, and was
// still there after it was destroyed. So it went under load, where a turn takes long.
void TestHttpLimits::whoseTimeIsUpWithinHisUpgradeIsNoMember()
{
    HubOptions options = testOptions();
    options.limits.handshakeTimeout = 100ms;
    TestHub relay(options, TestHub::Follow::MessagesToo);
    WorkerHold first(relay.hub(), "first");
    WorkerHold second(relay.hub(), "second");
    PacedClient member(relay.port());
    QVERIFY(member.upgrade());
    const auto lasts = [](std::chrono::milliseconds time) {
        return waitFor([until = QDeadlineTimer(time)] { return until.hasExpired(); });
    };
    const quint64 before = relay.hub().counters().receivedBytes;
    const QByteArray request = PacedClient::upgradeRequest();
    PacedClient late(relay.port());
    QVERIFY(late.send(request.first(10)));
    QVERIFY(relay.waitForCounters(
        [&](const relay::RelaySnapshot &counters) { return counters.receivedBytes > before; }));
    QVERIFY(member.sendText("first"));
    QVERIFY(first.waitUntilHeld());
    QVERIFY(late.send(request.mid(10)) && member.sendText("second")); // both wait for the next turn
    QVERIFY(lasts(300ms));                                            // it begins too late
    first.release();
    QVERIFY(second.waitUntilHeld());
    QVERIFY(lasts(200ms)); // and ends with the tick of the timer wheel
    second.release();
    QCOMPARE(member.nextFrame()->payload, QByteArray("first"));
    QCOMPARE(member.nextFrame()->payload, QByteArray("second"));
    QVERIFY(late.waitForEnd());
    const relay::RelaySnapshot counters = relay.hub().counters();
    QCOMPARE(counters.connections, counters.disconnections + 1);
    QCOMPARE(relay.hub().clientCount(), 1);
}

RELAY_TEST(TestHttpLimits)
#include "tst_http_limits.moc"
