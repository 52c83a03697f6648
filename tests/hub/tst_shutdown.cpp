#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTest>

using namespace std::chrono_literals;
using relay::Hub;
using relay::HubOptions;
using relay::MessageKind;
using relay::test::HubEvent;
using relay::test::kPatience;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::ServerFrame;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WebClients;
using relay::test::WorkerHold;

class TestShutdown : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyClientIsToldAndThenItIsClosed_data();
    void everyClientIsToldAndThenItIsClosed();
    void whatIsQueuedIsSentFirst();
    void theGraceEndsThoseWhoDoNotAnswer();
    void aSecondCallShortensTheGrace();
    void aSecondCallDoesNotLengthenTheGrace();
    void handshakesAreToldToo();
    void nobodyIsAcceptedAnyMore();
    void withoutClientsItIsClosedAtOnce();
    void beforeListeningItIsClosedAtOnce();
    void listeningTwiceIsRefused();
    void aPortInUseIsSaid();
};

void TestShutdown::everyClientIsToldAndThenItIsClosed_data()
{
    QTest::addColumn<int>("workers");
    QTest::newRow("one worker") << 1;
    QTest::newRow("three workers") << 3;
}

// Every client sees 1001 and may answer; closed() then comes once, long before the grace is over.
void TestShutdown::everyClientIsToldAndThenItIsClosed()
{
    QFETCH(int, workers);
    TestHub relay(testOptions(workers));
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    const WebClients clients = relay.connectClients(50);
    QCOMPARE(clients.size(), std::size_t{50});
    QVERIFY(relay.hub().isListening());
    relay.hub().close(10min);
    QVERIFY(!relay.hub().isListening());
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
    for (const auto &client : clients) {
        QVERIFY(client->waitUntilEnded());
        QCOMPARE(client->closeCode(), quint16{1001});
    }
    QCOMPARE(relay.hub().clientCount(), 0);
    QCOMPARE(relay.hub().counters().disconnectionsByCode[relay::closeCodeIndex(1001)], 50U);
    QCOMPARE(relay.events(HubEvent::Kind::Disconnected).size(), std::size_t{50});
    relay.hub().close(1s);
    QCoreApplication::processEvents();
    QCOMPARE(closed.count(), 1);
}

// Messages that were accepted come before the close frame: nothing is lost silently.
void TestShutdown::whatIsQueuedIsSentFirst()
{
    TestHub relay(testOptions(), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    PacedClient sender(relay.port());
    QVERIFY(sender.upgrade());
    PacedClient slow(relay.port(), 4096); // it has not read yet: most of this waits in the relay
    QVERIFY(slow.upgrade());
    QVERIFY(sender.sendText("hold"));
    QVERIFY(hold.waitUntilHeld());
    constexpr int kMessages = 30;
    const QByteArray payload(100'000, 'x');
    for (int i = 0; i < kMessages; ++i) {
        QCOMPARE(relay.hub().publish(payload, MessageKind::Binary).status,
                 Hub::Published::Accepted);
    }
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    relay.hub().close(10min);
    hold.release();
    for (PacedClient *client : {&slow, &sender}) {
        int messages = 0;
        auto frame = client->nextFrame();
        while (frame && frame->opcode != Op::Close) {
            messages += frame->payload == payload ? 1 : 0;
            frame = client->nextFrame();
        }
        QVERIFY(frame.has_value());
        QCOMPARE(frame->closeCode(), quint16{1001});
        QCOMPARE(messages, kMessages);
        QVERIFY(client->sendClose(1001));
        QVERIFY(client->waitForEnd());
        client->close();
    }
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
}

// A client that never answers, or never even reads, cannot hold up the end.
void TestShutdown::theGraceEndsThoseWhoDoNotAnswer()
{
    TestHub relay(testOptions(2));
    PacedClient silent(relay.port());
    QVERIFY(silent.upgrade());
    PacedClient alsoSilent(relay.port());
    QVERIFY(alsoSilent.upgrade());
    QVERIFY(relay.waitForClients(2));
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    QElapsedTimer elapsed;
    elapsed.start();
    relay.hub().close(100ms);
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
    // Coarse timers may be early by a twentieth. HubOptions::closeTimeout (5 s) was not waited for.
    QVERIFY2(elapsed.elapsed() >= 90, qPrintable(QString::number(elapsed.elapsed())));
    QVERIFY2(elapsed.elapsed() < 4000, qPrintable(QString::number(elapsed.elapsed())));
    const auto frame = silent.nextControlFrame();
    QVERIFY(frame.has_value());
    QCOMPARE(frame->closeCode(), quint16{1001});
    QVERIFY(silent.waitForEnd());
    QCOMPARE(relay.events(HubEvent::Kind::Disconnected).size(), std::size_t{2});
}

namespace {

/// A hub with a client that will not answer its close frame, told to close in these times.
std::chrono::milliseconds timeToClose(std::initializer_list<std::chrono::milliseconds> graces)
{
    HubOptions options = testOptions();
    options.closeTimeout = 5min;
    TestHub relay(options);
    PacedClient silent(relay.port());
    if (!silent.upgrade()) {
        return -1ms;
    }
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    QElapsedTimer elapsed;
    elapsed.start();
    for (const auto grace : graces) {
        relay.hub().close(grace);
        // The worker has taken this call before the next one comes.
        if (!silent.nextFrame(kPatience) && grace != *(graces.end() - 1)) {
            return -1ms;
        }
    }
    const bool hasClosed = waitFor([&] { return closed.count() > 0; }, 10s);
    return hasClosed ? std::chrono::milliseconds(elapsed.elapsed()) : 10s;
}

} // namespace

// A second SIGTERM, or an impatient program, ends it now.
void TestShutdown::aSecondCallShortensTheGrace()
{
    const auto took = timeToClose({10min, 50ms});
    QVERIFY2(took >= 0ms && took < 10s, qPrintable(QString::number(took.count())));
}

// A call that is more patient does not put off an end that was promised.
void TestShutdown::aSecondCallDoesNotLengthenTheGrace()
{
    const auto took = timeToClose({50ms, 10min});
    QVERIFY2(took >= 0ms && took < 10s, qPrintable(QString::number(took.count())));
}

// Who is still in his handshake gets an answer, not a closed connection.
void TestShutdown::handshakesAreToldToo()
{
    TestHub relay;
    PacedClient undecided(relay.port());
    QVERIFY(undecided.send("GET / HTTP/1.1\r\n"));
    QVERIFY(relay.waitForCounters([](const auto &counters) { return counters.receivedBytes > 0; }));
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    relay.hub().close(10min);
    QVERIFY(undecided.readAnswer().startsWith("HTTP/1.1 503 "));
    QVERIFY(undecided.waitForEnd());
    undecided.close();
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
}

// From close() on the port refuses.
void TestShutdown::nobodyIsAcceptedAnyMore()
{
    TestHub relay;
    const quint16 port = relay.port();
    PacedClient silent(port); // so that it is not closed at once
    QVERIFY(silent.upgrade());
    relay.hub().close(10min);
    PacedClient late(port);
    QVERIFY(!late.upgrade());
}

// There is nobody to wait for.
void TestShutdown::withoutClientsItIsClosedAtOnce()
{
    TestHub relay(testOptions(3));
    QSignalSpy closed(&relay.hub(), &Hub::closed);
    relay.hub().close(10min);
    QCOMPARE(closed.count(), 0); // never within the call
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
    relay.destroy();
    QCOMPARE(closed.count(), 1);
}

// A program that fails to start can shut down by the same way.
void TestShutdown::beforeListeningItIsClosedAtOnce()
{
    Hub hub(testOptions());
    QSignalSpy closed(&hub, &Hub::closed);
    hub.close(10min);
    QVERIFY(waitFor([&] { return closed.count() > 0; }));
    QCOMPARE(closed.count(), 1);
}

// A mistake in an embedding program is said, and does no harm.
void TestShutdown::listeningTwiceIsRefused()
{
    TestHub relay;
    const quint16 port = relay.port();
    const relay::Outcome second = relay.hub().listen();
    QVERIFY(!second);
    QVERIFY(!second.error().message.isEmpty());
    QCOMPARE(relay.port(), port);
    QCOMPARE(relay.hub().workerCount(), 1);
    const WebClients clients = relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
}

// The text says which port, and what to do.
void TestShutdown::aPortInUseIsSaid()
{
    TestHub relay;
    HubOptions options = testOptions();
    options.port = relay.port();
    Hub second(options);
    const relay::Outcome listening = second.listen();
    QVERIFY(!listening);
    QVERIFY2(listening.error().message.contains(QString::number(options.port))
                 && listening.error().message.contains(QLatin1String("in use")),
             qPrintable(listening.error().message));
    QVERIFY(!second.isListening());
    QCOMPARE(second.publish("x", MessageKind::Text).status, Hub::Published::Closed);
}

RELAY_TEST(TestShutdown)
#include "tst_shutdown.moc"
