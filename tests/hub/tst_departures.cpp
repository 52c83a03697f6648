#include "wire/frame_parser.h"

#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>

using relay::closeCodeIndex;
using relay::DropReason;
using relay::HandshakeFailure;
using relay::Hub;
using relay::HubOptions;
using relay::MessageKind;
using relay::RelaySnapshot;
using relay::test::closePayload;
using relay::test::HubEvent;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WebClients;
using relay::test::WorkerHold;

Q_DECLARE_METATYPE(std::function<void(PacedClient &)>)

namespace {

QByteArray element(const char *name, std::size_t index, quint64 value)
{
    return QByteArray(name) + '[' + QByteArray::number(index) + "]=" + QByteArray::number(value);
}

/// All numbers of a snapshot but the latencies' sum and buckets and the bytes, in a comparable
/// form.
QByteArrayList numbersOf(const RelaySnapshot &counters)
{
    QByteArrayList numbers;
    const auto add = [&numbers](const char *name, quint64 value) {
        if (value != 0) {
            numbers.append(QByteArray(name) + '=' + QByteArray::number(value));
        }
    };
    const auto addAll = [&numbers](const char *name, const auto &values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] != 0) {
                numbers.append(element(name, i, values[i]));
            }
        }
    };
    add("connections", counters.connections);
    add("disconnections", counters.disconnections);
    addAll("disconnectionsByCode", counters.disconnectionsByCode);
    add("messages", counters.messages);
    add("deliveries", counters.deliveries);
    addAll("dropped", counters.dropped);
    addAll("handshakeFailures", counters.handshakeFailures);
    add("eventStreams", counters.eventStreams);
    add("eventStreamsEnded", counters.eventStreamsEnded);
    addAll("resumes", counters.resumes);
    for (std::size_t i = 0; i < counters.httpRequests.size(); ++i) {
        addAll(relay::kHttpMethodLabels[i], counters.httpRequests[i]);
    }
    addAll("limitHits", counters.limitHits);
    addAll("protocolViolations", counters.protocolViolations);
    add("pingsSent", counters.pingsSent);
    add("inboxPauses", counters.inboxPauses);
    quint64 observations = 0;
    for (const quint64 bucket : counters.publishToWrite.buckets) {
        observations += bucket;
    }
    add("observations", observations);
    return numbers;
}

} // namespace

class TestDepartures : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eachWayToGoIsSeenOnce_data();
    void eachWayToGoIsSeenOnce();
    void aFailedWriteRemovesTheClientOnce();
    void manyVanishAtOnce();
    void theCountersAddUp();
    void destroyingTheHubEndsItsClients();
    void aHubThatNeverListenedMayGo();
};

void TestDepartures::eachWayToGoIsSeenOnce_data()
{
    using Leave = std::function<void(PacedClient &)>;
    QTest::addColumn<Leave>("leave");
    QTest::addColumn<quint16>("code");
    const auto row = [](const char *name, quint16 code, Leave leave) {
        QTest::newRow(name) << std::move(leave) << code;
    };
    row("close frame 1000", 1000,
        [](PacedClient &c) { QVERIFY(c.sendClose(1000) && c.waitForEnd()); });
    row("close frame 1001", 1001,
        [](PacedClient &c) { QVERIFY(c.sendClose(1001) && c.waitForEnd()); });
    row("close frame 3000", 3000,
        [](PacedClient &c) { QVERIFY(c.sendClose(3000) && c.waitForEnd()); });
    row("close frame without a code", 1005,
        [](PacedClient &c) { QVERIFY(c.sendFrame(Op::Close, "") && c.waitForEnd()); });
    row("close frame and reset", 1000, [](PacedClient &c) {
        QVERIFY(c.sendClose(1000));
        c.reset();
    });
    row("reset", 1006, [](PacedClient &c) { c.reset(); });
    row("closed without a word", 1006, [](PacedClient &c) { c.close(); });
    row("half closed without a word", 1006, [](PacedClient &c) {
        c.halfClose();
        QVERIFY(c.waitForEnd());
    });
    row("within a frame", 1006, [](PacedClient &c) {
        QVERIFY(c.send(relay::test::clientFrame(Op::Text, "a text").first(8)));
        c.halfClose();
        QVERIFY(c.waitForEnd());
    });
    row("within a fragmented message", 1006, [](PacedClient &c) {
        QVERIFY(c.send(relay::test::clientFrame(Op::Text, "a part", {.fin = false})));
        c.reset();
    });
}

// However a client goes, it is removed once, with the code that it gave or 1006, and is counted.
void TestDepartures::eachWayToGoIsSeenOnce()
{
    QFETCH(std::function<void(PacedClient &)>, leave);
    QFETCH(quint16, code);
    TestHub relay;
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    const WebClients others = relay.connectClients(1);
    QCOMPARE(others.size(), std::size_t{1});
    leave(client);
    client.close();
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Disconnected, 1));
    QCOMPARE(relay.hub().clientCount(), 1);
    others[0]->sendText("still here");
    QVERIFY(others[0]->waitForMessages(1));

    const RelaySnapshot counters = relay.hub().counters();
    QCOMPARE(counters.connections, 2U);
    QCOMPARE(counters.disconnections, 1U);
    QCOMPARE(counters.disconnectionsByCode[closeCodeIndex(code)], 1U);
    const std::vector<HubEvent> gone = relay.events(HubEvent::Kind::Disconnected);
    QCOMPARE(gone.size(), std::size_t{1});
    QCOMPARE(gone.front().client, relay.events().front().client);
    QCOMPARE(gone.front().closeCode, code);
}

// A client that vanished while the relay was about to write to it: the failed write removes it, not
// a later read as well.
void TestDepartures::aFailedWriteRemovesTheClientOnce()
{
    TestHub relay(testOptions(), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    PacedClient sender(relay.port());
    QVERIFY(sender.upgrade());
    PacedClient vanishing(relay.port());
    QVERIFY(vanishing.upgrade());
    QVERIFY(sender.sendText("hold"));
    QVERIFY(hold.waitUntilHeld());
    // The worker has seen the sender's event only; it writes "hold" before it looks again.
    vanishing.reset();
    hold.release();
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Disconnected, 1));
    QVERIFY(sender.nextFrame().has_value());
    QVERIFY(sender.sendText("after"));
    const auto after = sender.nextFrame();
    QVERIFY(after.has_value());
    QCOMPARE(after->payload, QByteArray("after"));
    QCOMPARE(relay.hub().clientCount(), 1);
    QCOMPARE(relay.hub().counters().disconnections, 1U);
    // Both to the sender; and one to him who vanishes, if even the loopback has not told yet.
    QVERIFY(relay.waitForCounters([](const RelaySnapshot &counters) {
        return counters.deliveries == 2 || counters.deliveries == 3;
    }));
    QCOMPARE(relay.events(HubEvent::Kind::Disconnected).size(), std::size_t{1});
}

// A crowd that leaves while messages are written to it: all are removed once, nobody else is hurt.
void TestDepartures::manyVanishAtOnce()
{
    constexpr std::size_t kClients = 60;
    TestHub relay(testOptions(2));
    const WebClients stayers = relay.connectClients(2);
    QCOMPARE(stayers.size(), std::size_t{2});
    std::vector<std::unique_ptr<PacedClient>> leavers;
    for (std::size_t i = 0; i < kClients; ++i) {
        leavers.push_back(std::make_unique<PacedClient>(relay.port()));
        QVERIFY(leavers.back()->upgrade());
    }
    for (std::size_t i = 0; i < kClients; ++i) {
        QCOMPARE(relay.hub().publish(QByteArray::number(i), MessageKind::Text).status,
                 Hub::Published::Accepted);
        if (i % 3 == 0) {
            leavers[i]->reset();
        } else if (i % 3 == 1) {
            QVERIFY(leavers[i]->sendClose(1000));
            leavers[i]->close();
        } else {
            leavers[i]->close();
        }
    }
    QVERIFY(relay.waitForClients(2));
    QVERIFY(waitForAll(stayers, kClients));
    for (const auto &stayer : stayers) {
        for (std::size_t i = 0; i < kClients; ++i) {
            QCOMPARE(stayer->received()[i].payload, QByteArray::number(i));
        }
    }
    QCOMPARE(relay.hub().counters().disconnections, quint64{kClients});
    std::vector<quint64> ids;
    for (const HubEvent &event : relay.events(HubEvent::Kind::Disconnected)) {
        ids.push_back(relay::toNumber(event.client));
    }
    std::sort(ids.begin(), ids.end());
    QCOMPARE(ids.size(), kClients);
    QVERIFY(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

// What the operator reads is exact: after this script every number is known, and no other has
// moved.
void TestDepartures::theCountersAddUp()
{
    HubOptions options = testOptions();
    options.limits.messageSize = 1000;
    TestHub relay(options);
    PacedClient a(relay.port());
    PacedClient b(relay.port());
    PacedClient c(relay.port());
    for (PacedClient *client : {&a, &b, &c}) {
        QVERIFY(client->upgrade()); // the three answers: 129 bytes each
    }
    QVERIFY(relay.waitForClients(3));
    QVERIFY(a.sendText("12345")); // 7 bytes to each of three
    for (PacedClient *client : {&a, &b, &c}) {
        QVERIFY(client->nextFrame().has_value());
    }
    QVERIFY(b.sendFrame(Op::Binary, QByteArray(200, 'b'))); // 204 bytes to each of three
    for (PacedClient *client : {&a, &b, &c}) {
        QVERIFY(client->nextFrame().has_value());
    }
    QCOMPARE(relay.hub().publish("xyz", MessageKind::Text).status,
             Hub::Published::Accepted); // 5 bytes
    for (PacedClient *client : {&a, &b, &c}) {
        QVERIFY(client->nextFrame().has_value());
    }
    QVERIFY(c.sendClose(1000));
    QVERIFY(c.waitForEnd());
    c.close();
    QVERIFY(relay.waitForClients(2));
    QVERIFY(b.sendText("\xFF")); // 1007
    QVERIFY(b.waitForEnd());
    b.close();
    QVERIFY(relay.waitForClients(1));
    a.reset();
    QVERIFY(relay.waitForClients(0));
    PacedClient behindAProxy(relay.port());
    QVERIFY(behindAProxy.send(
        "GET / HTTP/1.1\r\nHost: relay.test\r\nSec-WebSocket-Version: 13\r\n\r\n"));
    QVERIFY(behindAProxy.readAnswer().startsWith("HTTP/1.1 426 "));
    PacedClient curl(relay.port()); // no handshake, so no failed one
    QVERIFY(curl.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
    QVERIFY(curl.readAnswer().startsWith("HTTP/1.1 200 "));
    curl.halfClose();
    QVERIFY(curl.waitForEnd());
    PacedClient scanner(relay.port());
    QVERIFY(scanner.send("GET"));
    scanner.halfClose();
    QVERIFY(scanner.waitForEnd());

    QByteArrayList expected{
        "connections=3",
        "disconnections=3",
        element("disconnectionsByCode", closeCodeIndex(1000), 1),
        element("disconnectionsByCode", closeCodeIndex(1006), 1),
        element("disconnectionsByCode", closeCodeIndex(1007), 1),
        "messages=3",
        "deliveries=9",
        element("handshakeFailures", static_cast<std::size_t>(HandshakeFailure::UpgradeRequired),
                1),
        element("handshakeFailures", static_cast<std::size_t>(HandshakeFailure::Disconnected), 1),
        element("GET", relay::statusIndex(101), 3),
        element("GET", relay::statusIndex(200), 1),
        element("GET", relay::statusIndex(426), 1),
        element("protocolViolations", static_cast<std::size_t>(relay::Violation::InvalidUtf8), 1),
        "observations=3"};
    QTRY_COMPARE(numbersOf(relay.hub().counters()), expected);
}

// A program that just ends leaves no client waiting, and its receivers learn of each.
void TestDepartures::destroyingTheHubEndsItsClients()
{
    TestHub relay(testOptions(2));
    std::vector<std::unique_ptr<PacedClient>> clients;
    for (int i = 0; i < 6; ++i) {
        clients.push_back(std::make_unique<PacedClient>(relay.port()));
        QVERIFY(clients.back()->upgrade());
    }
    PacedClient undecided(relay.port());
    QVERIFY(undecided.send("GET / HTTP/1.1\r\n"));
    QVERIFY(clients[0]->sendText("on its way"));
    relay.destroy();
    for (const auto &client : clients) {
        QVERIFY(client->waitForEnd());
    }
    QVERIFY(undecided.waitForEnd());
    QCOMPARE(relay.events(HubEvent::Kind::Connected).size(), std::size_t{6});
    const std::vector<HubEvent> gone = relay.events(HubEvent::Kind::Disconnected);
    QCOMPARE(gone.size(), std::size_t{6});
    for (const HubEvent &event : gone) {
        QCOMPARE(event.closeCode, quint16{1006});
    }
}

// To make one and change one's mind costs nothing.
void TestDepartures::aHubThatNeverListenedMayGo()
{
    Hub hub(testOptions());
    QCOMPARE(hub.port(), quint16{0});
    QCOMPARE(hub.workerCount(), 0);
    QCOMPARE(hub.clientCount(), 0);
    QVERIFY(!hub.isListening());
    QCOMPARE(numbersOf(hub.counters()), QByteArrayList{});
}

RELAY_TEST(TestDepartures)
#include "tst_departures.moc"
