#include "hub/inbox.h"

#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>
#include <QThread>

#include <algorithm>
#include <set>

using relay::Hub;
using relay::HubOptions;
using relay::MessageKind;
using relay::test::HubEvent;
using relay::test::Message;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::patterned;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::waitForAll;
using relay::test::WebClient;
using relay::test::WebClients;
using relay::test::WorkerHold;

class TestRelaying : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyoneGetsEveryMessage_data();
    void everyoneGetsEveryMessage();
    void withoutEchoOnlyTheSenderIsLeftOut_data();
    void withoutEchoOnlyTheSenderIsLeftOut();
    void messagesOfEveryLengthStayWhatTheyAre_data();
    void messagesOfEveryLengthStayWhatTheyAre();
    void aMessagePastTheLimitEndsItsSenderOnly();
    void oneWhoJoinsLaterGetsAllThatFollows();
    void signalsSayWhatHappensOnce();
    void messagesAreNotCopiedForNobody();
    void publishReachesEveryone();
    void publishSaysWhyNot();
    void publishSaysWhenItIsFull();
    void clientCountFollows();
    void framesBehindTheRequestAreRelayed();
    void pingIsAnswered();
};

void TestRelaying::everyoneGetsEveryMessage_data()
{
    QTest::addColumn<int>("workers");
    QTest::newRow("one worker") << 1;
    QTest::newRow("three workers") << 3;
}

// The relay's whole purpose: what one sends, all get, each once, in order, as it was.
void TestRelaying::everyoneGetsEveryMessage()
{
    QFETCH(int, workers);
    TestHub relay(testOptions(workers));
    const WebClients clients = relay.connectClients(5);
    QCOMPARE(clients.size(), std::size_t{5});
    const std::vector<Message> messages{{MessageKind::Text, "first"},
                                        {MessageKind::Binary, QByteArray("\0\xFF\r\n", 4)},
                                        {MessageKind::Text, "z\xC3\xBCrich \xF0\x9F\x8C\x8D"},
                                        {MessageKind::Text, ""},
                                        {MessageKind::Binary, ""},
                                        {MessageKind::Text, "last"}};
    for (const Message &message : messages) {
        clients[2]->send(message);
    }
    QVERIFY(waitForAll(clients, messages.size()));
    for (const auto &client : clients) {
        QCOMPARE(client->received(), messages);
    }
}

void TestRelaying::withoutEchoOnlyTheSenderIsLeftOut_data()
{
    QTest::addColumn<bool>("inOneTurn");
    QTest::newRow("one message a turn") << false;
    QTest::newRow("messages of several senders in one turn") << true;
}

// hub.echo: false leaves out each message for its own sender and for nobody else, also when one
// write carries messages of several senders.
void TestRelaying::withoutEchoOnlyTheSenderIsLeftOut()
{
    QFETCH(bool, inOneTurn);
    HubOptions options = testOptions();
    options.echo = false;
    TestHub relay(options, TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    PacedClient a(relay.port());
    PacedClient b(relay.port());
    PacedClient listener(relay.port());
    PacedClient holder(relay.port());
    for (PacedClient *client : {&a, &b, &listener, &holder}) {
        QVERIFY(client->upgrade());
    }
    const auto settled = [&](std::size_t count) {
        return inOneTurn || relay.waitForEvents(HubEvent::Kind::Message, count);
    };
    QVERIFY(holder.sendText("hold"));
    QVERIFY(hold.waitUntilHeld());
    if (!inOneTurn) {
        hold.release();
    }
    QVERIFY(a.sendText("a1") && settled(2));
    QVERIFY(a.sendText("a2") && settled(3));
    QVERIFY(b.sendText("b1") && settled(4));
    QVERIFY(b.sendText("b2") && settled(5));
    hold.release();
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Message, 5));
    QCOMPARE(relay.hub().publish("end", MessageKind::Text).status, Hub::Published::Accepted);

    const auto received = [](PacedClient &client) {
        QByteArrayList payloads;
        auto frame = client.nextFrame();
        while (frame && frame->payload != "end") {
            payloads.append(frame->payload);
            frame = client.nextFrame();
        }
        std::sort(payloads.begin(), payloads.end());
        return payloads;
    };
    QCOMPARE(received(a), (QByteArrayList{"b1", "b2", "hold"}));
    QCOMPARE(received(b), (QByteArrayList{"a1", "a2", "hold"}));
    QCOMPARE(received(listener), (QByteArrayList{"a1", "a2", "b1", "b2", "hold"}));
    QCOMPARE(received(holder), (QByteArrayList{"a1", "a2", "b1", "b2"}));
}

namespace {
constexpr qint64 kMessageLimit = 100'000;
} // namespace

void TestRelaying::messagesOfEveryLengthStayWhatTheyAre_data()
{
    QTest::addColumn<MessageKind>("kind");
    QTest::addColumn<qint64>("length");
    for (const qint64 length : {qint64{0}, qint64{1}, qint64{125}, qint64{126}, qint64{127},
                                qint64{65535}, qint64{65536}, kMessageLimit - 1, kMessageLimit})
    {
        QTest::addRow("text, %lld bytes", length) << MessageKind::Text << length;
        QTest::addRow("binary, %lld bytes", length) << MessageKind::Binary << length;
    }
}

// The frame's head has three forms of length; at each edge the payload arrives byte for byte, in
// one frame with the shortest head (the reader insists on it).
void TestRelaying::messagesOfEveryLengthStayWhatTheyAre()
{
    QFETCH(MessageKind, kind);
    QFETCH(qint64, length);
    HubOptions options = testOptions();
    options.limits.messageSize = kMessageLimit;
    TestHub relay(options);
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    const WebClients others = relay.connectClients(1);
    QCOMPARE(others.size(), std::size_t{1});
    const QByteArray payload = patterned(length);
    const Op opcode = kind == MessageKind::Text ? Op::Text : Op::Binary;
    QVERIFY(client.sendFrame(opcode, payload));

    const auto frame = client.nextFrame();
    QVERIFY2(frame.has_value(), client.problem().constData());
    QVERIFY(frame->fin);
    QCOMPARE(frame->opcode, opcode);
    QCOMPARE(frame->payload, payload);
    QVERIFY(others[0]->waitForMessages(1));
    QCOMPARE(others[0]->received().front(), (Message{kind, payload}));

    others[0]->send({kind, payload}); // and as QWebSocket sends it
    QVERIFY(others[0]->waitForMessages(2));
    QCOMPARE(others[0]->received().back(), (Message{kind, payload}));
}

// limits.message_size: one byte more is answered 1009, counted, and reaches nobody; everyone else
// goes on.
void TestRelaying::aMessagePastTheLimitEndsItsSenderOnly()
{
    HubOptions options = testOptions();
    options.limits.messageSize = kMessageLimit;
    TestHub relay(options);
    WebClients clients = relay.connectClients(3);
    QCOMPARE(clients.size(), std::size_t{3});
    clients[0]->sendBinary(patterned(kMessageLimit + 1));
    QVERIFY(clients[0]->waitUntilEnded());
    QCOMPARE(clients[0]->closeCode(), quint16{1009});
    QVERIFY(relay.waitForClients(2));
    clients[1]->sendText("still here");
    QVERIFY(clients[2]->waitForMessages(1));
    QCOMPARE(clients[2]->payloads(), std::vector<QByteArray>{"still here"});
    const relay::RelaySnapshot counters = relay.hub().counters();
    QCOMPARE(counters.limitHits[static_cast<std::size_t>(relay::LimitHit::MessageSize)], 1U);
    QCOMPARE(counters.disconnectionsByCode[relay::closeCodeIndex(1009)], 1U);
    QCOMPARE(counters.messages, 1U);
}

// From its connection on a client misses nothing: what it gets has no hole and reaches to the end.
void TestRelaying::oneWhoJoinsLaterGetsAllThatFollows()
{
    constexpr int kMessages = 2000;
    TestHub relay(testOptions(3));
    const WebClients senders = relay.connectClients(1);
    QCOMPARE(senders.size(), std::size_t{1});
    std::vector<std::unique_ptr<PacedClient>> joiners;
    std::vector<int> atLeastFrom;
    for (int i = 0; i < kMessages; ++i) {
        senders[0]->sendText(QByteArray::number(i));
        if (i % 200 == 100) {
            joiners.push_back(std::make_unique<PacedClient>(relay.port()));
            QVERIFY(joiners.back()->upgrade());
            atLeastFrom.push_back(i + 1);
        }
    }
    for (std::size_t j = 0; j < joiners.size(); ++j) {
        auto frame = joiners[j]->nextFrame();
        QVERIFY(frame.has_value());
        int next = frame->payload.toInt();
        QVERIFY2(next <= atLeastFrom[j], frame->payload.constData());
        while (next < kMessages) {
            QVERIFY(frame.has_value());
            QCOMPARE(frame->payload.toInt(), next++);
            if (next < kMessages) {
                frame = joiners[j]->nextFrame();
            }
        }
    }
}

// An embedding program can follow all that happens: each event once, with what it needs to know, on
// the worker that serves the client.
void TestRelaying::signalsSayWhatHappensOnce()
{
    TestHub relay(testOptions(2), TestHub::Follow::MessagesToo);
    PacedClient a(relay.port());
    QVERIFY(a.upgrade());
    PacedClient b(relay.port());
    QVERIFY(b.upgrade());
    QVERIFY(a.sendText("hello"));
    QVERIFY(b.nextFrame().has_value());
    QVERIFY(b.sendFrame(Op::Binary, "world"));
    QVERIFY(a.nextFrame() && a.nextFrame());
    QVERIFY(a.sendFrame(Op::Close, relay::test::closePayload(4321, "bye")));
    const auto answer = a.nextControlFrame();
    QVERIFY(answer.has_value());
    QCOMPARE(answer->opcode, Op::Close);
    QCOMPARE(answer->closeCode(), quint16{4321});
    QVERIFY(a.waitForEnd());
    a.close();
    b.reset();
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Disconnected, 2));
    relay.destroy(); // nothing more may come

    const std::vector<HubEvent> connected = relay.events(HubEvent::Kind::Connected);
    QCOMPARE(connected.size(), std::size_t{2});
    QVERIFY(connected[0].client != connected[1].client);
    QVERIFY(connected[0].text.startsWith("127.0.0.1:"));

    const std::vector<HubEvent> messages = relay.events(HubEvent::Kind::Message);
    QCOMPARE(messages.size(), std::size_t{2});
    QCOMPARE(messages[0].client, connected[0].client);
    QCOMPARE(messages[0].text, QByteArray("hello"));
    QCOMPARE(messages[0].messageKind, MessageKind::Text);
    QCOMPARE(messages[1].client, connected[1].client);
    QCOMPARE(messages[1].text, QByteArray("world"));
    QCOMPARE(messages[1].messageKind, MessageKind::Binary);

    std::vector<HubEvent> gone = relay.events(HubEvent::Kind::Disconnected);
    QCOMPARE(gone.size(), std::size_t{2});
    if (gone[0].client != connected[0].client) {
        std::swap(gone[0], gone[1]); // they left two workers, in any order
    }
    QCOMPARE(gone[0].client, connected[0].client);
    QCOMPARE(gone[0].closeCode, quint16{4321});
    QVERIFY2(gone[0].text.contains("bye"), gone[0].text.constData());
    QCOMPARE(gone[1].client, connected[1].client);
    QCOMPARE(gone[1].closeCode, quint16{1006});

    for (std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        QVERIFY(connected[i].thread != QThread::currentThread());
        QCOMPARE(messages[i].thread, connected[i].thread);
        QCOMPARE(gone[i].thread, connected[i].thread);
    }
    QVERIFY(connected[0].thread != connected[1].thread); // the least loaded worker gets the next
}

// Who connects to messageReceived while clients talk gets the messages from then on, and none after
// he has disconnected.
void TestRelaying::messagesAreNotCopiedForNobody()
{
    TestHub relay;
    WebClients clients = relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    clients[0]->sendText("unheard");
    QVERIFY(clients[0]->waitForMessages(1));
    QByteArrayList heard;
    const auto connection =
        connect(&relay.hub(), &Hub::messageReceived, this,
                [&heard](relay::ClientId, const QByteArray &payload) { heard.append(payload); });
    clients[0]->sendText("heard");
    QVERIFY(waitFor([&] { return !heard.isEmpty(); }));
    QVERIFY(clients[0]->waitForMessages(2)); // the worker is done with the signal
    disconnect(connection);
    clients[0]->sendText("unheard");
    QVERIFY(clients[0]->waitForMessages(3));
    QCOMPARE(heard, QByteArrayList{"heard"});
}

// An embedding program speaks to all clients, in the order of its calls.
void TestRelaying::publishReachesEveryone()
{
    TestHub relay(testOptions(2));
    const WebClients clients = relay.connectClients(4);
    QCOMPARE(clients.size(), std::size_t{4});
    const std::vector<Message> messages{{MessageKind::Text, "one"},
                                        {MessageKind::Binary, QByteArray(70'000, '\xFE')},
                                        {MessageKind::Text, ""}};
    for (const Message &message : messages) {
        QCOMPARE(relay.hub().publish(message.payload, message.kind).status,
                 Hub::Published::Accepted);
    }
    QVERIFY(waitForAll(clients, messages.size()));
    for (const auto &client : clients) {
        QCOMPARE(client->received(), messages);
    }
    QCOMPARE(relay.hub().counters().messages, 3U);
}

// A publisher is told why nothing was sent; what a client may not send, it may not either.
void TestRelaying::publishSaysWhyNot()
{
    HubOptions options = testOptions();
    options.limits.messageSize = 100;
    Hub unborn(options);
    QCOMPARE(unborn.publish("x", MessageKind::Text).status, Hub::Published::Closed);

    TestHub relay(options);
    const WebClients clients = relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    Hub &hub = relay.hub();
    QCOMPARE(hub.publish(QByteArray(101, 'x'), MessageKind::Text).status, Hub::Published::TooBig);
    QCOMPARE(hub.publish("\xC3", MessageKind::Text).status, Hub::Published::NotText);
    QCOMPARE(hub.publish("\xC3", MessageKind::Binary).status, Hub::Published::Accepted);
    QCOMPARE(hub.publish(QByteArray(100, 'x'), MessageKind::Text).status, Hub::Published::Accepted);
    QVERIFY(clients[0]->waitForMessages(2));
    QCOMPARE(clients[0]->payloads(), (std::vector<QByteArray>{"\xC3", QByteArray(100, 'x')}));
    hub.close(std::chrono::seconds(1));
    QCOMPARE(hub.publish("x", MessageKind::Text).status, Hub::Published::Closed);
    QCOMPARE(hub.counters().messages, 2U);
}

// Full means that nothing was sent, and what was accepted before is: nothing is lost silently.
void TestRelaying::publishSaysWhenItIsFull()
{
    HubOptions options = testOptions();
    options.limits.inboxSize =
        200 * (relay::Message::kOverheadBytes + relay::Inbox::kDeliveryCost); // besides the bytes
    TestHub relay(options, TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    const WebClients clients = relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    clients[0]->sendText("hold");
    QVERIFY(hold.waitUntilHeld());
    int accepted = 0;
    while (accepted < 1000
           && relay.hub().publish(QByteArray::number(accepted), MessageKind::Text).status
                  == Hub::Published::Accepted)
    {
        ++accepted;
    }
    QVERIFY2(accepted > 100 && accepted <= 200, qPrintable(QString::number(accepted)));
    QCOMPARE(relay.hub().publish("never", MessageKind::Text).status, Hub::Published::Full);
    hold.release();
    QVERIFY(clients[0]->waitForMessages(static_cast<std::size_t>(accepted) + 1));
    QVERIFY(waitFor([&] {
        return relay.hub().publish("again", MessageKind::Text).status == Hub::Published::Accepted;
    }));
    QVERIFY(clients[0]->waitForMessages(static_cast<std::size_t>(accepted) + 2));
    std::vector<QByteArray> payloads = clients[0]->payloads();
    QCOMPARE(std::count(payloads.begin(), payloads.end(), "never"), 0);
    QCOMPARE(payloads.back(), QByteArray("again"));
    // "hold" was on its way when the worker was held; where it falls among the others is open.
    payloads.erase(std::find(payloads.begin(), payloads.end(), "hold"));
    for (int i = 0; i < accepted; ++i) {
        QCOMPARE(payloads[static_cast<std::size_t>(i)], QByteArray::number(i));
    }
}

// The count is right at every event: a receiver of the signals can rely on it.
void TestRelaying::clientCountFollows()
{
    TestHub relay(testOptions(2));
    Hub &hub = relay.hub();
    QCOMPARE(hub.clientCount(), 0);
    WebClients clients = relay.connectClients(3);
    QCOMPARE(hub.clientCount(), 3);
    PacedClient undecided(relay.port());
    QVERIFY(undecided.send("GET / HTTP/1.1\r\n")); // a handshake is no client
    clients[1]->socket().close();
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Disconnected, 1));
    QCOMPARE(hub.clientCount(), 2);
    clients.clear();
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Disconnected, 3));
    QCOMPARE(hub.clientCount(), 0);
}

// A client need not wait for the answer to its request before it sends (RFC 6455 does not forbid
// it, and some do).
void TestRelaying::framesBehindTheRequestAreRelayed()
{
    TestHub relay;
    const WebClients clients = relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    PacedClient eager(relay.port());
    QVERIFY(eager.send(PacedClient::upgradeRequest() + relay::test::clientFrame(Op::Text, "at once")
                       + relay::test::clientFrame(Op::Text, "and more")));
    QVERIFY(clients[0]->waitForMessages(2));
    QCOMPARE(clients[0]->payloads(), (std::vector<QByteArray>{"at once", "and more"}));
}

// Pongs carry the ping's payload and stand between whole messages.
void TestRelaying::pingIsAnswered()
{
    TestHub relay;
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QVERIFY(client.sendText("before"));
    QVERIFY(client.sendFrame(Op::Ping, "are you there"));
    const auto first = client.nextFrame();
    const auto second = client.nextFrame();
    QVERIFY(first && second);
    const auto &pong = first->opcode == Op::Pong ? *first : *second;
    QCOMPARE(pong.opcode, Op::Pong);
    QCOMPARE(pong.payload, QByteArray("are you there"));
}

RELAY_TEST(TestRelaying)
#include "tst_relaying.moc"
