#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QElapsedTimer>
#include <QTest>

using namespace std::chrono_literals;
using relay::HubOptions;
using relay::LimitHit;
using relay::test::HubEvent;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WebClients;

namespace {

HubOptions optionsWith(std::chrono::milliseconds interval, std::chrono::milliseconds timeout)
{
    HubOptions options = testOptions();
    options.keepalive.interval = interval;
    options.keepalive.timeout = timeout;
    return options;
}

quint64 timeouts(TestHub &relay)
{
    return relay.hub().counters().limitHits[static_cast<std::size_t>(LimitHit::KeepaliveTimeout)];
}

} // namespace

class TestKeepalive : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void oneWhoDoesNotAnswerIsClosed();
    void oneWhoAnswersStays();
    void anySignOfLifeIsAnAnswer();
    void oneWhoTalksIsNotPinged();
    void pingsStandBetweenMessages();
    void canBeTurnedOff();
};

// A connection whose other end is dead without a word is found out: a ping after the interval, the
// end after the timeout, both counted.
void TestKeepalive::oneWhoDoesNotAnswerIsClosed()
{
    TestHub relay(optionsWith(100ms, 100ms));
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QElapsedTimer elapsed;
    elapsed.start();
    const auto ping = client.nextFrame();
    QVERIFY(ping.has_value());
    QCOMPARE(ping->opcode, Op::Ping);
    QVERIFY(client.waitForEnd());
    // Never before interval and timeout (a millisecond of rounding each).
    QVERIFY2(elapsed.elapsed() >= 195, qPrintable(QString::number(elapsed.elapsed())));
    QVERIFY(relay.waitForClients(0));
    QCOMPARE(timeouts(relay), 1U);
    QCOMPARE(relay.hub().counters().pingsSent, 1U);
    const std::vector<HubEvent> gone = relay.events(HubEvent::Kind::Disconnected);
    QCOMPARE(gone.size(), std::size_t{1});
    QCOMPARE(gone.front().closeCode, quint16{1006});
    QVERIFY2(gone.front().text.contains("keepalive"), gone.front().text.constData());
}

// A client that does no more than to answer pings, as each QWebSocket does, stays as long as it
// likes.
void TestKeepalive::oneWhoAnswersStays()
{
    TestHub relay(optionsWith(50ms, 10s));
    const WebClients clients = relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    for (int i = 0; i < 3; ++i) {
        const auto ping = client.nextFrame();
        QVERIFY(ping.has_value());
        QCOMPARE(ping->opcode, Op::Ping);
        QVERIFY(client.sendFrame(Op::Pong, ping->payload));
    }
    QVERIFY(relay.waitForCounters([](const auto &counters) { return counters.pingsSent >= 6; }));
    QCOMPARE(relay.hub().clientCount(), 2);
    QCOMPARE(timeouts(relay), 0U);
}

// A client that is sending, be it a part of a frame, is alive: the answer to a ping may be any
// byte.
void TestKeepalive::anySignOfLifeIsAnAnswer()
{
    TestHub relay(optionsWith(50ms, 10s));
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    const QByteArray frame = relay::test::clientFrame(Op::Text, "a slow message");
    for (int i = 0; i < 3; ++i) {
        const auto ping = client.nextFrame();
        QVERIFY(ping.has_value());
        QCOMPARE(ping->opcode, Op::Ping);
        QVERIFY(client.send(frame.mid(i, 1))); // the relay pings again only because of it
    }
    QCOMPARE(relay.hub().clientCount(), 1);
}

// Pings are for the silent: who talks more often than the interval costs none.
void TestKeepalive::oneWhoTalksIsNotPinged()
{
    TestHub relay(optionsWith(700ms, 10s));
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    PacedClient silent(relay.port());
    QVERIFY(silent.upgrade());
    // Both are as old; the one that talks meanwhile is not pinged when the other is.
    QVERIFY(waitFor([&] {
        (void)client.sendText("x");
        return relay.hub().counters().pingsSent > 0;
    }));
    const auto isPing = [](const auto &frame) { return frame && frame->opcode == Op::Ping; };
    auto frame = silent.nextFrame();
    while (frame && !isPing(frame)) {
        frame = silent.nextFrame();
    }
    QVERIFY(isPing(frame));
    QCOMPARE(relay.hub().counters().pingsSent, 1U);
}

// A ping never lands inside a message that is half written: the reader insists on whole frames.
void TestKeepalive::pingsStandBetweenMessages()
{
    HubOptions options = optionsWith(50ms, 10s);
    options.limits.queueSize = 64 * 1024 * 1024;
    TestHub relay(options);
    PacedClient reader(relay.port(), 4096);
    QVERIFY(reader.upgrade());
    constexpr int kMessages = 20;
    const QByteArray payload(1'000'000, 'x');
    for (int i = 0; i < kMessages; ++i) {
        QCOMPARE(relay.hub().publish(payload, relay::MessageKind::Text).status,
                 relay::Hub::Published::Accepted);
    }
    // It does not read until the relay has pinged it behind what waits.
    QVERIFY(relay.waitForCounters([](const auto &counters) { return counters.pingsSent >= 1; }));
    int messages = 0;
    int pings = 0;
    while (messages < kMessages || pings == 0) {
        const auto frame = reader.nextFrame();
        QVERIFY2(frame.has_value(), reader.problem().constData());
        if (frame->opcode == Op::Ping) {
            ++pings;
            QVERIFY(reader.sendFrame(Op::Pong, frame->payload));
        } else {
            QCOMPARE(frame->payload, payload);
            ++messages;
        }
    }
}

// keepalive.interval 0: the silent stay, unpinged.
void TestKeepalive::canBeTurnedOff()
{
    TestHub relay(optionsWith(0ms, 50ms));
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QVERIFY(!client.nextFrame(400ms));
    QVERIFY(!client.hasEnded());
    QCOMPARE(relay.hub().counters().pingsSent, 0U);
}

RELAY_TEST(TestKeepalive)
#include "tst_keepalive.moc"
