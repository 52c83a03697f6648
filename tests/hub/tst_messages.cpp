#include "wire/frame_parser.h"

#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QElapsedTimer>
#include <QTest>

using namespace std::chrono_literals;
using relay::RelaySnapshot;
using relay::Violation;
using relay::test::clientFrame;
using relay::test::HubEvent;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WebClients;

class TestMessages : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aBrokenRuleEndsTheConnection_data();
    void aBrokenRuleEndsTheConnection();
    void fragmentsBecomeOneMessage();
    void whatFollowsACloseFrameIsIgnored();
    void aMessageMayTakeItsTime();
};

void TestMessages::aBrokenRuleEndsTheConnection_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("violation");
    QTest::addColumn<int>("code");
    const auto row = [](const char *name, Violation violation, int code, const QByteArray &bytes) {
        QTest::newRow(name) << bytes << static_cast<int>(violation) << code;
    };
    row("invalid UTF-8", Violation::InvalidUtf8, 1007, clientFrame(Op::Text, "caf\xC3"));
    row("invalid UTF-8, before its end", Violation::InvalidUtf8, 1007,
        clientFrame(Op::Text, "\xED\xA0\x80 and more", {.fin = false}));
    row("invalid UTF-8 in a close frame", Violation::InvalidUtf8, 1007,
        clientFrame(Op::Close, relay::test::closePayload(1000, "\xFF")));
    row("not masked", Violation::NotMasked, 1002, clientFrame(Op::Text, "x", {.mask = {}}));
    row("reserved bit", Violation::ReservedBits, 1002, clientFrame(Op::Text, "x", {.rsv = 4}));
    row("unknown opcode", Violation::UnknownOpcode, 1002, clientFrame(Op{3}, "x"));
    row("too big, by its head alone", Violation::MessageTooBig, 1009,
        clientFrame(Op::Binary, "", {.announced = quint64{1} << 40}));
}

// Each broken rule is answered with its close code, and counted by its name; nobody else notices.
void TestMessages::aBrokenRuleEndsTheConnection()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, violation);
    QFETCH(int, code);
    TestHub relay;
    const WebClients others = relay.connectClients(1);
    QCOMPARE(others.size(), std::size_t{1});
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QVERIFY(client.sendText("good"));
    QVERIFY(client.send(bytes));
    const auto close = client.nextControlFrame();
    QVERIFY2(close.has_value(), client.problem().constData());
    QCOMPARE(close->opcode, Op::Close);
    QCOMPARE(int{close->closeCode()}, code);
    QVERIFY(client.waitForEnd());
    client.close();
    QVERIFY(relay.waitForClients(1));
    QVERIFY(others[0]->waitForMessages(1));
    const RelaySnapshot counters = relay.hub().counters();
    QCOMPARE(counters.protocolViolations[static_cast<std::size_t>(violation)], 1U);
    QCOMPARE(counters.disconnectionsByCode[relay::closeCodeIndex(static_cast<quint16>(code))], 1U);
    QCOMPARE(counters.messages, 1U);
    QCOMPARE(others[0]->received().size(), std::size_t{1});
    QCOMPARE(relay.events(HubEvent::Kind::Disconnected).front().closeCode,
             static_cast<quint16>(code));
}

// However a sender fragments, receivers get one frame; a code point may be split (QWebSocket 6.4.2
// would refuse it), and a ping between the fragments is answered.
void TestMessages::fragmentsBecomeOneMessage()
{
    TestHub relay;
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QVERIFY(client.send(clientFrame(Op::Text, "z\xC3", {.fin = false})
                        + clientFrame(Op::Ping, "between")
                        + clientFrame(Op::Continuation, "", {.fin = false})
                        + clientFrame(Op::Continuation, "\xBCrich")));
    const auto pong = client.nextFrame();
    const auto text = client.nextFrame();
    QVERIFY(pong && text);
    const bool isPongFirst = pong->opcode == Op::Pong;
    QCOMPARE((isPongFirst ? *pong : *text).payload, QByteArray("between"));
    QCOMPARE((isPongFirst ? *text : *pong).payload, QByteArray("z\xC3\xBCrich"));
    QVERIFY((isPongFirst ? *text : *pong).fin);
}

// After its close frame a client has said all (RFC 6455, section 5.5.1).
void TestMessages::whatFollowsACloseFrameIsIgnored()
{
    TestHub relay;
    const WebClients others = relay.connectClients(1);
    QCOMPARE(others.size(), std::size_t{1});
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QVERIFY(client.send(clientFrame(Op::Text, "before")
                        + clientFrame(Op::Close, relay::test::closePayload(1000))
                        + clientFrame(Op::Text, "after") + clientFrame(Op{3}, "nonsense")));
    const auto close = client.nextControlFrame();
    QVERIFY(close.has_value());
    QCOMPARE(close->closeCode(), quint16{1000});
    QVERIFY(client.waitForEnd());
    client.close();
    QVERIFY(relay.waitForClients(1));
    QVERIFY(others[0]->waitForMessages(1));
    QCOMPARE(others[0]->payloads(), std::vector<QByteArray>{"before"});
    QCOMPARE(relay.hub().counters().messages, 1U);
}

// A message on a slow line may take as long as it needs. QWebSocket 6.4.2 closes a connection on
// which a frame is unfinished for five seconds; data frames do not pass through it. The one case of
// this test that takes its time: only the time itself can show it.
void TestMessages::aMessageMayTakeItsTime()
{
    constexpr std::chrono::milliseconds kLongerThanQWebSocketWaits{5300};
    TestHub relay;
    PacedClient midHead(relay.port());
    PacedClient midPayload(relay.port());
    PacedClient midMessage(relay.port());
    PacedClient midPing(relay.port());
    const QByteArray frame = clientFrame(Op::Text, "a text that takes its time");
    const QByteArray ping = clientFrame(Op::Ping, "a ping");
    for (PacedClient *client : {&midHead, &midPayload, &midMessage, &midPing}) {
        QVERIFY(client->upgrade());
    }
    QVERIFY(midHead.send(frame.first(1)));
    QVERIFY(midPayload.send(frame.first(12)));
    QVERIFY(midMessage.send(clientFrame(Op::Text, "a part", {.fin = false})));
    QVERIFY(midPing.send(ping.first(7)));
    QElapsedTimer elapsed;
    elapsed.start();
    QVERIFY(waitFor([&] {
        return elapsed.hasExpired(kLongerThanQWebSocketWaits.count())
               || relay.hub().clientCount() < 4;
    }));
    QCOMPARE(relay.hub().clientCount(), 4);
    QVERIFY(midHead.send(frame.sliced(1)));
    QVERIFY(midPayload.send(frame.sliced(12)));
    QVERIFY(midMessage.send(clientFrame(Op::Continuation, " and its end")));
    QVERIFY(midPing.send(ping.sliced(7)));
    int texts = 0;
    bool isPongSeen = false;
    while (texts < 3 || !isPongSeen) {
        const auto received = midPing.nextFrame();
        QVERIFY2(received.has_value(), midPing.problem().constData());
        texts += received->opcode == Op::Text ? 1 : 0;
        isPongSeen = isPongSeen || received->payload == "a ping";
    }
    QCOMPARE(relay.hub().counters().messages, 3U);
}

RELAY_TEST(TestMessages)
#include "tst_messages.moc"
