#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QElapsedTimer>
#include <QTest>

using namespace std::chrono_literals;
using relay::DropReason;
using relay::Hub;
using relay::HubOptions;
using relay::LimitHit;
using relay::MessageKind;
using relay::RelaySnapshot;
using relay::test::HubEvent;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::waitForAll;
using relay::test::WebClients;

namespace {

constexpr qint64 kQueueBytes = 1024 * 1024;
constexpr qsizetype kPayloadBytes = 16'000;
/// Far more than the system's buffers on both sides take beside the queue.
constexpr int kFlood = 800;
/// What the system takes for a client that does not read, at least.
constexpr int kSmallWindow = 4096;

HubOptions optionsWith(HubOptions::SlowClientPolicy policy, std::chrono::milliseconds grace = 10min)
{
    HubOptions options = testOptions();
    options.limits.messageSize = kPayloadBytes;
    options.limits.queueSize = kQueueBytes;
    options.slowClients.policy = policy;
    options.slowClients.grace = grace;
    return options;
}

/// A message that says its number, and is whole only if it is all of this number.
QByteArray numbered(int number)
{
    QByteArray payload(kPayloadBytes, static_cast<char>('a' + number % 26));
    return payload.replace(0, 6, QByteArray::number(number).rightJustified(6, '0'));
}

/// The number of a message that is whole, or -1.
int numberOf(const QByteArray &payload)
{
    const int number = payload.first(std::min<qsizetype>(6, payload.size())).toInt();
    return payload == numbered(number) ? number : -1;
}

quint64 dropped(TestHub &relay, DropReason reason)
{
    return relay.hub().counters().dropped[static_cast<std::size_t>(reason)];
}

quint64 limitHits(TestHub &relay, LimitHit limit)
{
    return relay.hub().counters().limitHits[static_cast<std::size_t>(limit)];
}

bool publish(TestHub &relay, int number)
{
    return relay.hub().publish(numbered(number), MessageKind::Binary) == Hub::Published::Accepted;
}

/// Publishes at the pace of the client that keeps up, so that only who does not read falls behind.
bool floodAtThePaceOf(const WebClients &clients, TestHub &relay, int first, int count)
{
    for (int number = first; number < first + count; ++number) {
        if (!publish(relay, number)
            || (number % 20 == 19 && !waitForAll(clients, static_cast<std::size_t>(number) + 1)))
        {
            return false;
        }
    }
    return waitForAll(clients, static_cast<std::size_t>(first + count));
}

bool gotAllInOrder(const WebClients &clients, int count)
{
    for (const auto &client : clients) {
        if (client->received().size() != static_cast<std::size_t>(count)) {
            return false;
        }
        for (int i = 0; i < count; ++i) {
            if (numberOf(client->received()[static_cast<std::size_t>(i)].payload) != i) {
                return false;
            }
        }
    }
    return true;
}

} // namespace

class TestSlowClients : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void oneWhoStopsReadingIsClosed();
    void oneWhoStaysSlowIsClosed();
    void oneWhoIsSlowForLessThanTheGraceStays();
    void aSlowReaderKeepsWhatItCanRead();
    void dropOldestLeavesOutWholeMessages();
    void dropOldestAfterTheGrace();
    void aFloodWithinOneTurnKeepsTheNewest();
    void aSignOfLifeDoesNotPutOffTheEnd();
    void oneWhoNeverReadsIsNotReadFromEither();
};

// limits.queue_size: who stops reading is closed with 1008 "slow consumer", while the others miss
// nothing and no more than the queue waits.
void TestSlowClients::oneWhoStopsReadingIsClosed()
{
    TestHub relay(optionsWith(HubOptions::SlowClientPolicy::Disconnect));
    const WebClients others = relay.connectClients(5);
    QCOMPARE(others.size(), std::size_t{5});
    PacedClient stalled(relay.port(), kSmallWindow);
    QVERIFY(stalled.upgrade());
    QVERIFY(floodAtThePaceOf(others, relay, 0, kFlood));
    QVERIFY(gotAllInOrder(others, kFlood));
    QCOMPARE(limitHits(relay, LimitHit::QueueSize), 1U);
    QVERIFY(dropped(relay, DropReason::SlowConsumer) > 0);
    QCOMPARE(dropped(relay, DropReason::DropOldest), 0U);

    // It reads on: whole messages from the first on, then why it was closed.
    int next = 0;
    auto frame = stalled.nextFrame();
    while (frame && frame->opcode == Op::Binary) {
        QCOMPARE(numberOf(frame->payload), next++);
        frame = stalled.nextFrame();
    }
    QVERIFY2(frame.has_value(), stalled.problem().constData());
    QCOMPARE(frame->opcode, Op::Close);
    QCOMPARE(frame->closeCode(), quint16{1008});
    QCOMPARE(frame->payload.mid(2), QByteArray("slow consumer"));
    QVERIFY(next < kFlood);
    QVERIFY(stalled.sendClose(1008));
    QVERIFY(stalled.waitForEnd());
    stalled.close();
    QVERIFY(relay.waitForClients(5));
    const std::vector<HubEvent> gone = relay.events(HubEvent::Kind::Disconnected);
    QCOMPARE(gone.size(), std::size_t{1});
    QCOMPARE(gone.front().closeCode, quint16{1008});
    // Each message to it was sent or is counted as dropped, and of those no more than the queue
    // holds were accepted for it.
    const RelaySnapshot counters = relay.hub().counters();
    const auto toOthers = static_cast<quint64>(5 * kFlood);
    const quint64 acceptedForIt = counters.deliveries - toOthers;
    QVERIFY(acceptedForIt >= static_cast<quint64>(next));
    QVERIFY(acceptedForIt - static_cast<quint64>(next)
            <= static_cast<quint64>(kQueueBytes / kPayloadBytes) + 1);
}

// slow_clients.grace: past half of the queue for longer than the grace counts as slow, though the
// queue is not full.
void TestSlowClients::oneWhoStaysSlowIsClosed()
{
    HubOptions options = optionsWith(HubOptions::SlowClientPolicy::Disconnect, 100ms);
    options.limits.queueSize = 16 * kQueueBytes;
    TestHub relay(options);
    PacedClient stalled(relay.port(), kSmallWindow);
    QVERIFY(stalled.upgrade());
    const int pastTheMark = static_cast<int>(14 * kQueueBytes / kPayloadBytes);
    QElapsedTimer elapsed;
    elapsed.start();
    for (int i = 0; i < pastTheMark; ++i) {
        QVERIFY(publish(relay, i));
    }
    QVERIFY(waitFor([&] { // a message now and then: it is measured when there is something to send
        (void)relay.hub().publish("tick", MessageKind::Text);
        return limitHits(relay, LimitHit::SlowGrace) == 1;
    }));
    QVERIFY(elapsed.elapsed() >= 100);
    QCOMPARE(limitHits(relay, LimitHit::QueueSize), 0U);
    const auto close = stalled.nextControlFrame();
    QVERIFY2(close.has_value(), stalled.problem().constData());
    QCOMPARE(close->closeCode(), quint16{1008});
}

// Who stops and goes on within the grace gets every message: nobody is punished for a hiccup.
void TestSlowClients::oneWhoIsSlowForLessThanTheGraceStays()
{
    HubOptions options = optionsWith(HubOptions::SlowClientPolicy::Disconnect, 10min);
    options.limits.queueSize = 16 * kQueueBytes;
    TestHub relay(options);
    PacedClient hiccuping(relay.port(), kSmallWindow);
    QVERIFY(hiccuping.upgrade());
    const int pastTheMark = static_cast<int>(14 * kQueueBytes / kPayloadBytes);
    int next = 0;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < pastTheMark; ++i) {
            QVERIFY(publish(relay, round * pastTheMark + i));
        }
        while (next < (round + 1) * pastTheMark) {
            const auto frame = hiccuping.nextFrame();
            QVERIFY2(frame.has_value(), hiccuping.problem().constData());
            QCOMPARE(numberOf(frame->payload), next++);
        }
    }
    QCOMPARE(relay.hub().clientCount(), 1);
    QCOMPARE(dropped(relay, DropReason::SlowConsumer), 0U);
}

// A client that reads a little now and then (some 10 KB/s, were it to go on) is served like any
// other while what waits for it fits into the queue.
void TestSlowClients::aSlowReaderKeepsWhatItCanRead()
{
    TestHub relay(optionsWith(HubOptions::SlowClientPolicy::Disconnect));
    const WebClients others = relay.connectClients(1);
    QCOMPARE(others.size(), std::size_t{1});
    PacedClient slow(relay.port(), kSmallWindow);
    QVERIFY(slow.upgrade());
    constexpr int kMessages = 40; // 640 KB: past the mark, below the limit
    QVERIFY(floodAtThePaceOf(others, relay, 0, kMessages));
    int next = 0;
    QVERIFY(waitFor([&] { // at most 100 bytes, then at most 10 KB, at each look
        slow.read(next < 3 ? 100 : 10'000);
        while (const auto frame = slow.takeFrame()) {
            if (numberOf(frame->payload) != next) {
                return true;
            }
            ++next;
        }
        return next == kMessages;
    }));
    QCOMPARE(next, kMessages);
    QVERIFY(gotAllInOrder(others, kMessages));
    QCOMPARE(relay.hub().clientCount(), 2);
}

// drop_oldest: who stops reading and goes on finds a stream of whole messages in order, with gaps
// that are counted, and the newest at its end.
void TestSlowClients::dropOldestLeavesOutWholeMessages()
{
    TestHub relay(optionsWith(HubOptions::SlowClientPolicy::DropOldest));
    const WebClients others = relay.connectClients(5);
    QCOMPARE(others.size(), std::size_t{5});
    PacedClient stalled(relay.port(), kSmallWindow);
    QVERIFY(stalled.upgrade());
    quint64 received = 0;
    int last = -1;
    for (int round = 1; round <= 2; ++round) { // it stops, goes on, and stops again
        const int end = round * kFlood;
        QVERIFY(floodAtThePaceOf(others, relay, end - kFlood, kFlood));
        const quint64 droppedSoFar = dropped(relay, DropReason::DropOldest);
        QVERIFY(droppedSoFar > 0);
        while (last < end - 1) {
            const auto frame = stalled.nextFrame();
            QVERIFY2(frame.has_value(), stalled.problem().constData());
            const int number = numberOf(frame->payload);
            QVERIFY2(number > last, qPrintable(QString::number(number)));
            last = number;
            ++received;
        }
        QVERIFY(!stalled.isInFrame());
        QCOMPARE(received + droppedSoFar, static_cast<quint64>(end));
    }
    QVERIFY(gotAllInOrder(others, 2 * kFlood));
    QCOMPARE(relay.hub().clientCount(), 6);
    QCOMPARE(limitHits(relay, LimitHit::QueueSize), 0U);
    QCOMPARE(dropped(relay, DropReason::SlowConsumer), 0U);
}

// drop_oldest with the grace over: what is past half of the queue goes, and the client stays.
void TestSlowClients::dropOldestAfterTheGrace()
{
    HubOptions options = optionsWith(HubOptions::SlowClientPolicy::DropOldest, 50ms);
    options.limits.queueSize = 16 * kQueueBytes;
    TestHub relay(options);
    PacedClient stalled(relay.port(), kSmallWindow);
    QVERIFY(stalled.upgrade());
    const int pastTheMark = static_cast<int>(14 * kQueueBytes / kPayloadBytes);
    for (int i = 0; i < pastTheMark; ++i) {
        QVERIFY(publish(relay, i));
    }
    int next = pastTheMark;
    QVERIFY(waitFor([&] {
        (void)publish(relay, next++);
        return dropped(relay, DropReason::DropOldest) > 0;
    }));
    QVERIFY(publish(relay, next++));
    int last = -1;
    while (last < next - 1) {
        const auto frame = stalled.nextFrame();
        QVERIFY2(frame.has_value(), stalled.problem().constData());
        QVERIFY(numberOf(frame->payload) > last);
        last = numberOf(frame->payload);
    }
    QCOMPARE(relay.hub().clientCount(), 1);
}

// More than the queue within one turn, with messages so small that a turn's are written as one
// piece: the newest are kept as long as they fit, not the whole piece thrown away.
void TestSlowClients::aFloodWithinOneTurnKeepsTheNewest()
{
    HubOptions options = optionsWith(HubOptions::SlowClientPolicy::DropOldest);
    options.limits.messageSize = 1000;
    options.limits.queueSize = 8000;
    TestHub relay(options, TestHub::Follow::MessagesToo);
    PacedClient stalled(relay.port(), kSmallWindow);
    QVERIFY(stalled.upgrade());
    PacedClient sender(relay.port());
    QVERIFY(sender.upgrade());
    // Until nothing more is taken for it and something was dropped.
    int next = 0;
    const auto tiny = [](int number) {
        return QByteArray::number(number).rightJustified(500, '.');
    };
    QVERIFY(waitFor([&] {
        while (sender.read() > 0) {
        }
        for (int i = 0; i < 50; ++i) {
            (void)relay.hub().publish(tiny(next++), MessageKind::Text);
        }
        return dropped(relay, DropReason::DropOldest) > 0;
    }));
    {
        relay::test::WorkerHold hold(relay.hub(), "hold");
        QVERIFY(sender.sendText("hold"));
        QVERIFY(hold.waitUntilHeld());
        for (int i = 0; i < 50; ++i) { // 25 KB: one piece of a turn, three times the queue
            QCOMPARE(relay.hub().publish(tiny(next++), MessageKind::Text),
                     Hub::Published::Accepted);
        }
        hold.release();
    }
    QCOMPARE(relay.hub().publish("end", MessageKind::Text), Hub::Published::Accepted);
    int last = -1;
    while (true) {
        const auto frame = stalled.nextFrame(5s);
        QVERIFY2(frame.has_value(), stalled.problem().constData());
        if (frame->payload == "end") {
            break;
        }
        if (frame->payload != "hold") {
            const int number = frame->payload.mid(frame->payload.lastIndexOf('.') + 1).toInt();
            QVERIFY(number > last);
            last = number;
        }
    }
    QCOMPARE(last, next - 1);
}

// closeTimeout: who was pinged, is closed as slow and then reads, but does not answer the close
// frame, is given no further interval of the keepalive.
void TestSlowClients::aSignOfLifeDoesNotPutOffTheEnd()
{
    HubOptions options = optionsWith(HubOptions::SlowClientPolicy::Disconnect);
    options.limits.queueSize = 16 * kQueueBytes;
    options.keepalive.interval = 2s;
    options.keepalive.timeout = 10min;
    options.closeTimeout = 300ms;
    TestHub relay(options);
    PacedClient stalled(relay.port(), kSmallWindow);
    QVERIFY(stalled.upgrade());
    // More than the system takes, so that no write of the relay succeeds any more, and less than
    // half of the queue: it is pinged, and nothing is a sign of life.
    const int belowTheMark = static_cast<int>(7 * kQueueBytes / kPayloadBytes);
    for (int i = 0; i < belowTheMark; ++i) {
        QVERIFY(publish(relay, i));
    }
    QVERIFY(relay.waitForCounters([](const auto &counters) { return counters.pingsSent == 1; }));
    for (int i = 0; i < 3 * belowTheMark; ++i) {
        QVERIFY(publish(relay, belowTheMark + i));
    }
    QVERIFY(waitFor([&] { return limitHits(relay, LimitHit::QueueSize) == 1; }));
    QElapsedTimer elapsed;
    elapsed.start();
    QVERIFY(waitFor([&] {
        stalled.read();
        return relay.hub().clientCount() == 0;
    }));
    QVERIFY2(elapsed.elapsed() < 1900, qPrintable(QString::number(elapsed.elapsed())));
    QCOMPARE(limitHits(relay, LimitHit::KeepaliveTimeout), 0U);
}

// A client that asks for pongs and never reads them is not let ask for more than about half of its queue:
// it is closed for its slowness, and never for a queue that it has filled itself.
void TestSlowClients::oneWhoNeverReadsIsNotReadFromEither()
{
    HubOptions options = optionsWith(HubOptions::SlowClientPolicy::Disconnect, 300ms);
    options.limits.controlFrames = 1'000'000;
    options.keepalive.interval = 100ms; // the grace is looked at when nothing is sent to it, too
    options.closeTimeout = 300ms;
    TestHub relay(options);
    const WebClients others = relay.connectClients(2);
    QCOMPARE(others.size(), std::size_t{2});
    PacedClient flooder(relay.port(), kSmallWindow);
    QVERIFY(flooder.upgrade());
    const QByteArray pings = relay::test::clientFrame(Op::Ping, QByteArray(125, 'p')).repeated(500);
    qint64 most = 0; // pongs that wait: a ping is 4 bytes longer than its pong
    qsizetype sent = 0;
    QVERIFY(waitFor([&] {
        while (const qsizetype taken = flooder.sendSome(pings.mid(sent % pings.size()))) {
            sent += taken;
        }
        const RelaySnapshot counters = relay.hub().counters();
        const quint64 pongs = counters.receivedBytes / 131;
        most = std::max(most,
                        static_cast<qint64>(pongs * 127) - static_cast<qint64>(counters.sentBytes));
        return limitHits(relay, LimitHit::SlowGrace) == 1;
    }));
    // Past the mark it is not read from again; what the last read brought is answered still.
    constexpr qint64 kOneRead = qint64{256} * 1024;
    QVERIFY2(most < kQueueBytes / 2 + kOneRead, qPrintable(QString::number(most)));
    QCOMPARE(limitHits(relay, LimitHit::QueueSize), 0U);
    QVERIFY(relay.waitForClients(2));
    QVERIFY(floodAtThePaceOf(others, relay, 0, 40));
    QVERIFY(gotAllInOrder(others, 40));
}

RELAY_TEST(TestSlowClients)
#include "tst_slow_clients.moc"
