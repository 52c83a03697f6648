#include "hub/http_protocol.h"
#include "hub/turn_budget.h"
#include "hub/web_socket_protocol.h"

#include "support/http_peer.h"
#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QDeadlineTimer>
#include <QTest>

#include <algorithm>

using relay::HttpProtocol;
using relay::HubOptions;
using relay::LimitHit;
using relay::RelaySnapshot;
using relay::WebSocketProtocol;
using relay::test::clientFrame;
using relay::test::HttpPeer;
using relay::test::HubEvent;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::WebClient;
using relay::test::WorkerHold;

namespace {

/// More than one turn handles, and less than the loopback takes at once.
constexpr int kFloodFrames = 5000;

/// Options for frames that are counted by nothing but the turn's budget.
HubOptions withManyControlFrames()
{
    HubOptions options = testOptions();
    options.limits.controlFrames = 1'000'000;
    return options;
}

quint64 controlFrameHits(TestHub &relay)
{
    return relay.hub().counters().limitHits[static_cast<std::size_t>(LimitHit::ControlFrames)];
}

/// Where the hub told of the message, among all messages; -1 if it did not.
qsizetype placeOf(const TestHub &relay, const QByteArray &text)
{
    const std::vector<HubEvent> messages = relay.events(HubEvent::Kind::Message);
    const auto found = std::find_if(messages.begin(), messages.end(),
                                    [&](const HubEvent &event) { return event.text == text; });
    return found == messages.end() ? -1 : found - messages.begin();
}

} // namespace

/// Clients of a worker share its turns: whatever one of them sends, and in however many pieces, the
/// others are served in between.
class TestTurns : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aFloodLetsOthersIn_data();
    void aFloodLetsOthersIn();
    void pipelinedRequestsLetOthersIn();
    void aBodyInTinyChunksLetsOthersIn();
    void manyFloodersTakeTurns();
    void whoComesWhenTheTurnIsSpentIsServedNext();
    void oneDearRequestIsATurn();
    void theUsualClientDoesNotQueue();
    void nothingOfAFloodIsLost_data();
    void nothingOfAFloodIsLost();
    void aFloodBeforeTheAnswerIsHandled();
    void controlFramesAreLimited_data();
    void controlFramesAreLimited();
    void messagesAreNoControlFrames();
};

void TestTurns::aFloodLetsOthersIn_data()
{
    QTest::addColumn<QByteArray>("begin");
    QTest::addColumn<QByteArray>("frame");
    QTest::addColumn<QByteArray>("end");
    const QByteArray lastPart = clientFrame(Op::Continuation, "");
    QTest::newRow("empty messages") << QByteArray() << clientFrame(Op::Text, "") << QByteArray();
    QTest::newRow("empty fragments")
        << clientFrame(Op::Text, "", {.fin = false})
        << clientFrame(Op::Continuation, "", {.fin = false}) << lastPart;
    QTest::newRow("fragments of one byte")
        << clientFrame(Op::Text, "", {.fin = false})
        << clientFrame(Op::Continuation, "x", {.fin = false}) << lastPart;
    QTest::newRow("pings") << QByteArray() << clientFrame(Op::Ping, "") << QByteArray();
    QTest::newRow("pongs") << QByteArray() << clientFrame(Op::Pong, "") << QByteArray();
}

// Frames of six bytes: a read brings thousands of them. Somebody who sends one message meanwhile is
// served after a slice of them, not after all.
void TestTurns::aFloodLetsOthersIn()
{
    QFETCH(QByteArray, begin);
    QFETCH(QByteArray, frame);
    QFETCH(QByteArray, end);
    TestHub relay(withManyControlFrames(), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    PacedClient holder(relay.port());
    PacedClient flooder(relay.port());
    PacedClient other(relay.port());
    QVERIFY(holder.upgrade({}, "/holder") && flooder.upgrade({}, "/flood")
            && other.upgrade({}, "/other"));
    QVERIFY(holder.sendText("hold") && hold.waitUntilHeld());
    QVERIFY(
        flooder.send(begin + frame.repeated(kFloodFrames) + end + clientFrame(Op::Text, "end")));
    QVERIFY(flooder.waitUntilDelivered());
    QVERIFY(other.sendText("y") && other.waitUntilDelivered());
    hold.release();

    const auto echo = other.nextFrame();
    QVERIFY(echo.has_value());
    QCOMPARE(echo->payload, QByteArray("y"));
    QVERIFY(
        relay.waitForCounters([&](const RelaySnapshot &) { return placeOf(relay, "end") >= 0; }));
    QVERIFY(placeOf(relay, "y") < placeOf(relay, "end"));
    const qsizetype before = placeOf(relay, "y") - placeOf(relay, "hold") - 1; // the flooder's
    QVERIFY2(before <= 2 * WebSocketProtocol::kFramesAtOnce, QByteArray::number(before));
}

// The same of requests that came together: the one of another client is answered after a few.
void TestTurns::pipelinedRequestsLetOthersIn()
{
    constexpr int kRequests = 100;
    TestHub relay(testOptions(), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    HttpPeer holder(relay.port());
    HttpPeer greedy(relay.port());
    HttpPeer other(relay.port());
    for (HttpPeer *peer : {&greedy, &other}) { // the worker has them
        QCOMPARE(peer->ask(HttpPeer::post("/b", "here")).status, 200);
    }
    QVERIFY(holder.send(HttpPeer::post("/b", "hold")) && hold.waitUntilHeld());
    QVERIFY(greedy.send(HttpPeer::post("/a", "x").repeated(kRequests)));
    QVERIFY(greedy.connection().waitUntilDelivered());
    QVERIFY(other.send(HttpPeer::post("/a", "y")) && other.connection().waitUntilDelivered());
    hold.release();

    const int offset = other.answer().json().value(QLatin1String("offset")).toInt();
    QVERIFY2(offset >= 1 && offset <= 2 * HttpProtocol::kRequestsAtOnce + 1,
             QByteArray::number(offset).constData());
    for (int i = 0; i < kRequests; ++i) {
        QCOMPARE(greedy.answer().status, 200);
    }
    QCOMPARE(relay.hub().counters().messages, quint64{kRequests + 4});
}

// A body in chunks of one byte costs far more to read than it has bytes: it is read in slices, too.
void TestTurns::aBodyInTinyChunksLetsOthersIn()
{
    constexpr int kChunks = 10'000;
    TestHub relay(testOptions(), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    HttpPeer holder(relay.port());
    HttpPeer greedy(relay.port());
    HttpPeer other(relay.port());
    for (HttpPeer *peer : {&greedy, &other}) {
        QCOMPARE(peer->ask(HttpPeer::post("/b", "here")).status, 200);
    }
    QVERIFY(holder.send(HttpPeer::post("/b", "hold")) && hold.waitUntilHeld());
    QVERIFY(greedy.send(HttpPeer::request("POST", "/a", {"Transfer-Encoding: chunked"})
                        + QByteArray("1\r\nx\r\n").repeated(kChunks) + "0\r\n\r\n"));
    QVERIFY(greedy.connection().waitUntilDelivered());
    QVERIFY(other.send(HttpPeer::post("/a", "y")) && other.connection().waitUntilDelivered());
    hold.release();
    QCOMPARE(other.answer().json().value(QLatin1String("offset")).toInt(), 1);
    QCOMPARE(greedy.answer().json().value(QLatin1String("offset")).toInt(), 2);
}

// Many flooders do not add up to one: each has its slice, and who sends one message waits for one
// slice of each.
void TestTurns::manyFloodersTakeTurns()
{
    constexpr int kFlooders = 8;
    TestHub relay(testOptions(), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    PacedClient holder(relay.port());
    QVERIFY(holder.upgrade({}, "/holder"));
    std::vector<std::unique_ptr<PacedClient>> flooders;
    for (int i = 0; i < kFlooders; ++i) {
        flooders.push_back(std::make_unique<PacedClient>(relay.port()));
        QVERIFY(flooders.back()->upgrade({}, "/flood"));
    }
    PacedClient other(relay.port());
    QVERIFY(other.upgrade({}, "/other"));
    QVERIFY(holder.sendText("hold") && hold.waitUntilHeld());
    for (const auto &flooder : flooders) {
        QVERIFY(flooder->send(clientFrame(Op::Text, "").repeated(kFloodFrames)));
        QVERIFY(flooder->waitUntilDelivered());
    }
    QVERIFY(other.sendText("y") && other.waitUntilDelivered());
    hold.release();
    QVERIFY(other.nextFrame().has_value());
    const qsizetype before = placeOf(relay, "y") - placeOf(relay, "hold") - 1;
    QVERIFY2(before <= 2 * kFlooders * WebSocketProtocol::kFramesAtOnce,
             QByteArray::number(before));
    QVERIFY(relay.waitForCounters([](const RelaySnapshot &counters) {
        return counters.messages == quint64{kFlooders * kFloodFrames + 2};
    }));
}

// A turn that has read for long enough leaves the rest to the next one; nobody is forgotten, and it is
// counted.
void TestTurns::whoComesWhenTheTurnIsSpentIsServedNext()
{
    constexpr std::size_t kOthers = 10;
    TestHub relay(testOptions(), TestHub::Follow::MessagesToo);
    WorkerHold first(relay.hub(), "first");
    WorkerHold second(relay.hub(), "second");
    PacedClient holder(relay.port());
    PacedClient slow(relay.port());
    QVERIFY(holder.upgrade({}, "/holder") && slow.upgrade({}, "/slow"));
    std::vector<std::unique_ptr<PacedClient>> others;
    for (std::size_t i = 0; i < kOthers; ++i) {
        others.push_back(std::make_unique<PacedClient>(relay.port()));
        QVERIFY(others.back()->upgrade({}, "/others"));
    }
    QVERIFY(holder.sendText("first") && first.waitUntilHeld());
    // Enough for the turn to look at the clock while it serves the queue for the first time.
    QVERIFY(slow.send(clientFrame(Op::Text, "second")
                      + clientFrame(Op::Text, "").repeated(3 * WebSocketProtocol::kFramesAtOnce)));
    QVERIFY(slow.waitUntilDelivered());
    for (const auto &other : others) {
        QVERIFY(other->sendText("y") && other->waitUntilDelivered());
    }
    const quint64 waitsBefore = relay.hub().counters().turnWaits;
    first.release();
    QVERIFY(second.waitUntilHeld());
    QVERIFY(relay::test::waitFor(
        [over = QDeadlineTimer(2 * relay::TurnBudget::kMaxReading)] { return over.hasExpired(); }));
    second.release();
    for (const auto &other : others) {
        for (std::size_t i = 0; i < kOthers; ++i) {
            QVERIFY(other->nextFrame().has_value());
        }
    }
    QVERIFY(relay.hub().counters().turnWaits >= waitsBefore + kOthers);
}

// A request may ask for much of the past. Many connections with one such request each do not add up: the
// turn looks at the clock after each, and leaves all others to the next turn.
void TestTurns::oneDearRequestIsATurn()
{
    constexpr std::size_t kOthers = 10;
    TestHub relay;
    QObject::connect(
        &relay.hub(), &relay::Hub::clientConnected, &relay.hub(),
        [](relay::ClientId, const QString &, const QString &channel) {
            const QDeadlineTimer cost(2 * relay::TurnBudget::kMaxReading);
            while (channel == QLatin1String("dear") && !cost.hasExpired()) {
            }
        },
        Qt::DirectConnection);
    WorkerHold hold(relay.hub(), "hold");
    HttpPeer holder(relay.port());
    HttpPeer dear(relay.port());
    QCOMPARE(dear.ask(HttpPeer::get("/a")).status, 200); // the worker has it
    std::vector<std::unique_ptr<HttpPeer>> others;
    for (std::size_t i = 0; i < kOthers; ++i) {
        others.push_back(std::make_unique<HttpPeer>(relay.port()));
        QCOMPARE(others.back()->ask(HttpPeer::get("/a")).status, 200);
    }
    QVERIFY(holder.send(HttpPeer::post("/b", "hold")) && hold.waitUntilHeld());
    // What comes now is read in one turn, in this order.
    QVERIFY(dear.send(HttpPeer::get("/dear", {"Accept: text/event-stream"})));
    QVERIFY(dear.connection().waitUntilDelivered());
    for (const auto &other : others) {
        QVERIFY(other->send(HttpPeer::get("/a")) && other->connection().waitUntilDelivered());
    }
    const quint64 waitsBefore = relay.hub().counters().turnWaits;
    hold.release();
    for (const auto &other : others) {
        QCOMPARE(other->answer().status, 200);
    }
    // One of those who queue is served in any turn.
    QVERIFY(relay.hub().counters().turnWaits >= waitsBefore + kOthers - 1);
}

// What waits for a turn costs the usual client nothing: it never does.
void TestTurns::theUsualClientDoesNotQueue()
{
    TestHub relay;
    std::vector<std::unique_ptr<PacedClient>> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_unique<PacedClient>(relay.port()));
        QVERIFY(clients.back()->upgrade());
    }
    for (int round = 0; round < 20; ++round) {
        for (const auto &client : clients) {
            QVERIFY(client->sendText("hello"));
        }
        for (const auto &client : clients) {
            for (std::size_t i = 0; i < clients.size(); ++i) {
                QVERIFY(client->nextFrame().has_value());
            }
        }
    }
    QCOMPARE(relay.hub().counters().turnWaits, 0U);
}

void TestTurns::nothingOfAFloodIsLost_data()
{
    QTest::addColumn<QByteArray>("end");
    QTest::addColumn<quint16>("code");
    QTest::newRow("a close frame")
        << clientFrame(Op::Close, relay::test::closePayload(1000)) << quint16{1000};
    QTest::newRow("the end of the connection") << QByteArray() << quint16{1006};
    QTest::newRow("a broken rule") << QByteArray("\xFF\xFF") << quint16{1002};
}

// What a client has sent before it goes is relayed, in order, however it goes and however many turns it
// takes; and its end comes after it.
void TestTurns::nothingOfAFloodIsLost()
{
    QFETCH(QByteArray, end);
    QFETCH(quint16, code);
    TestHub relay;
    PacedClient listener(relay.port());
    PacedClient flooder(relay.port());
    QVERIFY(listener.upgrade() && flooder.upgrade({}, "/?echo=0"));
    QVERIFY(relay.waitForClients(2));
    QByteArray flood;
    for (int i = 0; i < kFloodFrames; ++i) {
        flood += clientFrame(Op::Text, QByteArray::number(i));
    }
    QVERIFY(flooder.send(flood + end));
    flooder.halfClose();
    for (int i = 0; i < kFloodFrames; ++i) {
        const auto frame = listener.nextFrame();
        QVERIFY(frame.has_value());
        QCOMPARE(frame->payload, QByteArray::number(i));
    }
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Disconnected, 1));
    QCOMPARE(relay.events(HubEvent::Kind::Disconnected).front().closeCode, code);
}

// Frames that a client sends without waiting for the answer to its handshake are slices, too.
void TestTurns::aFloodBeforeTheAnswerIsHandled()
{
    TestHub relay;
    PacedClient client(relay.port());
    QByteArray early;
    for (int i = 0; i < 1000; ++i) {
        early += clientFrame(Op::Text, "early");
    }
    QVERIFY(client.send(PacedClient::upgradeRequest({}, "/?echo=0") + early));
    QVERIFY(relay.waitForCounters(
        [](const RelaySnapshot &counters) { return counters.messages == 1000; }));
}

void TestTurns::controlFramesAreLimited_data()
{
    QTest::addColumn<QByteArray>("frames");
    QTest::addColumn<int>("pongs");
    QTest::addColumn<bool>("isPastIt");
    const QByteArray ping = clientFrame(Op::Ping, "p");
    const QByteArray pong = clientFrame(Op::Pong, "p");
    QTest::newRow("pings at the limit") << ping.repeated(100) << 100 << false;
    QTest::newRow("one ping more") << ping.repeated(101) << 100 << true;
    QTest::newRow("pongs at the limit") << pong.repeated(100) << 0 << false;
    QTest::newRow("one pong more") << pong.repeated(101) << 0 << true;
    const QByteArray both = QByteArray(ping + pong).repeated(50);
    QTest::newRow("both, at the limit") << both << 50 << false;
    QTest::newRow("both, one more") << QByteArray(both + pong) << 50 << true;
    QTest::newRow("within a message, one more")
        << QByteArray(clientFrame(Op::Text, "", {.fin = false}) + ping.repeated(101)) << 100
        << true;
}

// limits.control_frames: as many as it says in a second are answered; with one more the client is told
// why it is closed, and counted. Others are not.
void TestTurns::controlFramesAreLimited()
{
    QFETCH(QByteArray, frames);
    QFETCH(int, pongs);
    QFETCH(bool, isPastIt);
    TestHub relay;
    PacedClient client(relay.port());
    PacedClient other(relay.port());
    QVERIFY(client.upgrade() && other.upgrade());
    QVERIFY(other.sendFrame(Op::Ping, "p"));
    QVERIFY(client.send(frames));
    for (int i = 0; i < pongs; ++i) {
        const auto pong = client.nextFrame();
        QVERIFY(pong.has_value());
        QCOMPARE(pong->opcode, Op::Pong);
    }
    if (isPastIt) {
        const auto close = client.nextFrame();
        QVERIFY(close.has_value());
        QCOMPARE(close->opcode, Op::Close);
        QCOMPARE(close->closeCode(), quint16{1008});
        QCOMPARE(close->payload.mid(2), QByteArray("too many control frames"));
        QVERIFY(client.sendClose(1008) && client.waitForEnd());
    } else {
        QVERIFY(client.sendText("still here"));
        const auto echo = client.nextFrame();
        QVERIFY(echo.has_value());
        QCOMPARE(echo->payload, QByteArray("still here"));
    }
    QCOMPARE(controlFrameHits(relay), quint64{isPastIt ? 1U : 0U});
    QVERIFY(relay.waitForClients(isPastIt ? 1 : 2));
    QCOMPARE(other.nextFrame().value_or(relay::test::ServerFrame()).opcode, Op::Pong);
}

// Data frames, whole or in fragments, are no control frames, however many come.
void TestTurns::messagesAreNoControlFrames()
{
    HubOptions options = testOptions();
    options.limits.controlFrames = 1;
    TestHub relay(options);
    PacedClient client(relay.port());
    QVERIFY(client.upgrade({}, "/?echo=0"));
    QVERIFY(client.send(clientFrame(Op::Text, "x").repeated(500)
                        + clientFrame(Op::Text, "", {.fin = false})
                        + clientFrame(Op::Continuation, "", {.fin = false}).repeated(500)
                        + clientFrame(Op::Continuation, "")));
    QVERIFY(relay.waitForCounters(
        [](const RelaySnapshot &counters) { return counters.messages == 501; }));
    QCOMPARE(controlFrameHits(relay), 0U);
}

RELAY_TEST(TestTurns)
#include "tst_turns.moc"
