#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QJsonDocument>
#include <QTest>

using relay::ChannelName;
using relay::ChannelOptions;
using relay::ChannelPattern;
using relay::HubOptions;
using relay::MessageKind;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::publish;
using relay::test::ServerFrame;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;

namespace {

HubOptions optionsWith(const QByteArray &pattern, const ChannelOptions &channel, int workers = 1)
{
    HubOptions options = testOptions(workers);
    options.channels = {relay::ChannelRule{ChannelPattern::fromText(pattern).value(), channel}};
    return options;
}

QByteArray textOf(const std::optional<ServerFrame> &frame)
{
    return frame && frame->opcode == Op::Text ? frame->payload : QByteArray("(no text)");
}

const QByteArrayList kMeta{"Sec-WebSocket-Protocol: relay.meta"};

/// A frame's head line; its payload in `payload`.
QJsonObject headOf(const std::optional<ServerFrame> &frame, QByteArray *payload = nullptr)
{
    const QByteArray bytes = frame ? frame->payload : QByteArray();
    const qsizetype end = bytes.indexOf('\n');
    if (payload != nullptr) {
        *payload = bytes.mid(end + 1);
    }
    return end < 0 ? QJsonObject() : QJsonDocument::fromJson(bytes.first(end)).object();
}

QByteArray position(const QJsonObject &head)
{
    return head.value(QLatin1String("position")).toString().toUtf8();
}

bool isToldThatItIsFull(PacedClient &client)
{
    const auto close = client.upgrade({}, "/a") ? client.nextFrame() : std::nullopt;
    return close && close->closeCode() == 1013;
}

} // namespace

class TestChannels : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void roomsAreApart();
    void namesAreDecoded();
    void echo_data();
    void echo();
    void aMemberThatMayNotPublishIsToldWhy();
    void aChannelThatNobodyMayHear();
    void aPatternsMemberThatSendsIsToldWhy();
    void clientsAreLimited_data();
    void clientsAreLimited();
    void channelsVanish();
    void metaBeginsWithThePlace();
    void metaKeepsTheKindOfAMessage();
    void metaTellsOfAGap();
    void metaIsAnsweredOnlyWhenAsked_data();
    void metaIsAnsweredOnlyWhenAsked();
    void withoutMetaOnlyPayloadsCome();
};

// What is said in one room is heard there, and nowhere else.
void TestChannels::roomsAreApart()
{
    TestHub relay(testOptions(2));
    const QByteArrayList rooms{"/", "/a", "/a/b", "/A"};
    std::vector<std::unique_ptr<PacedClient>> clients;
    for (int i = 0; i < 2; ++i) {
        for (const QByteArray &room : rooms) {
            clients.push_back(std::make_unique<PacedClient>(relay.port()));
            QVERIFY(clients.back()->upgrade({}, room));
        }
    }
    for (std::size_t i = 0; i < 4; ++i) {
        QVERIFY(clients[i]->sendText(rooms[static_cast<qsizetype>(i)]));
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
        QCOMPARE(textOf(clients[i]->nextFrame()), rooms[static_cast<qsizetype>(i % 4)]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        QVERIFY(clients[i]->sendText("end"));
    }
    for (const auto &client : clients) {
        QCOMPARE(textOf(client->nextFrame()), QByteArray("end")); // nothing of another before it
    }
}

// Different spellings of a path are one room.
void TestChannels::namesAreDecoded()
{
    TestHub relay;
    PacedClient one(relay.port());
    PacedClient other(relay.port());
    QVERIFY(one.upgrade({}, "/caf%C3%A9/%7Ex?echo=0"));
    QVERIFY(other.upgrade({}, "/caf%c3%a9%2F~x?echo=0"));
    QVERIFY(one.sendText("hello"));
    QCOMPARE(textOf(other.nextFrame()), QByteArray("hello"));
    QCOMPARE(relay.hub().channelCount(), 1);
}

void TestChannels::echo_data()
{
    QTest::addColumn<bool>("byDefault");
    QTest::addColumn<QByteArray>("query");
    QTest::addColumn<bool>("isEchoed");
    QTest::newRow("by default") << true << QByteArray() << true;
    QTest::newRow("channel without echo") << false << QByteArray() << false;
    QTest::newRow("refused") << true << QByteArray("?echo=0") << false;
    QTest::newRow("asked for") << false << QByteArray("?echo=1") << true;
    QTest::newRow("false") << true << QByteArray("?echo=false") << false;
}

// Whoever does not want his own messages back gets only the others'; all others get his.
void TestChannels::echo()
{
    QFETCH(bool, byDefault);
    QFETCH(QByteArray, query);
    QFETCH(bool, isEchoed);
    ChannelOptions channel;
    channel.echo = byDefault;
    TestHub relay(optionsWith("a", channel));
    PacedClient sender(relay.port());
    PacedClient other(relay.port());
    QVERIFY(sender.upgrade({}, "/a" + query));
    QVERIFY(other.upgrade({}, "/a?echo=1"));
    for (int i = 0; i < 20; ++i) {
        QVERIFY(sender.sendText("own"));
        QCOMPARE(textOf(other.nextFrame()), QByteArray("own"));
        QVERIFY(other.sendText("other"));
        QCOMPARE(textOf(other.nextFrame()), QByteArray("other"));
        if (isEchoed) {
            QCOMPARE(textOf(sender.nextFrame()), QByteArray("own"));
        }
        QCOMPARE(textOf(sender.nextFrame()), QByteArray("other"));
    }
}

// publish: false.
void TestChannels::aMemberThatMayNotPublishIsToldWhy()
{
    ChannelOptions channel;
    channel.publish = false;
    TestHub relay(optionsWith("news", channel));
    PacedClient listener(relay.port());
    PacedClient sender(relay.port());
    QVERIFY(listener.upgrade({}, "/news"));
    QVERIFY(sender.upgrade({}, "/news"));
    QVERIFY(sender.sendText("hello"));
    const auto frame = sender.nextFrame();
    QVERIFY(frame.has_value());
    QCOMPARE(frame->closeCode(), quint16{1008});
    QCOMPARE(frame->payload.mid(2), QByteArray("this channel can only be listened to"));
    publish(relay, "news", "the relay's own");
    QCOMPARE(textOf(listener.nextFrame()), QByteArray("the relay's own"));
    QCOMPARE(relay.hub().counters().messages, 1U);
}

// subscribe: false: a letter box. Whoever may put something in hears nothing of it, not even his own.
void TestChannels::aChannelThatNobodyMayHear()
{
    ChannelOptions channel;
    channel.subscribe = false;
    TestHub relay(optionsWith("box", channel));
    PacedClient pattern(relay.port());
    QVERIFY(pattern.upgrade({}, "/**?last=10"));
    PacedClient sender(relay.port());
    QVERIFY(sender.upgrade({}, "/box?echo=1&last=10"));
    PacedClient other(relay.port());
    QVERIFY(other.upgrade({}, "/box"));
    QVERIFY(sender.sendText("secret"));
    QVERIFY(relay.waitForCounters([](const auto &counters) { return counters.messages == 1; }));
    QVERIFY(sender.sendFrame(Op::Ping, "p"));
    QCOMPARE(sender.nextFrame()->opcode, Op::Pong);
    QVERIFY(other.sendFrame(Op::Ping, "p"));
    QCOMPARE(other.nextFrame()->opcode, Op::Pong);
    publish(relay, "a", "public");
    QCOMPARE(textOf(pattern.nextFrame()), QByteArray("public"));
    HttpPeer peer(relay.port());
    QCOMPARE(peer.listen("/box").status, 403);
    ChannelOptions closed = channel;
    closed.publish = false;
    TestHub closedRelay(optionsWith("box", closed));
    HttpPeer late(closedRelay.port());
    QCOMPARE(late.ask(PacedClient::upgradeRequest({}, "/box")).status, 403);
}

// There is no channel that it could mean.
void TestChannels::aPatternsMemberThatSendsIsToldWhy()
{
    TestHub relay;
    PacedClient client(relay.port());
    QVERIFY(client.upgrade({}, "/chat/*"));
    QVERIFY(client.sendText("hello"));
    const auto frame = client.nextFrame();
    QVERIFY(frame.has_value());
    QCOMPARE(frame->closeCode(), quint16{1008});
    QCOMPARE(frame->payload.mid(2),
             QByteArray("a pattern can only be listened to: publish to a channel"));
    QCOMPARE(relay.hub().counters().messages, 0U);
    QCOMPARE(relay.hub().channelCount(), 0);
}

void TestChannels::clientsAreLimited_data()
{
    QTest::addColumn<int>("workers");
    QTest::newRow("one worker") << 1;
    QTest::newRow("two workers") << 2;
}

// max_clients: one more is told so, of whichever kind; a place that is free again is given; publishing
// needs no place, and listening by a pattern neither.
void TestChannels::clientsAreLimited()
{
    QFETCH(int, workers);
    ChannelOptions channel;
    channel.maxClients = 2;
    TestHub relay(optionsWith("a", channel, workers));
    PacedClient first(relay.port());
    QVERIFY(first.upgrade({}, "/a"));
    HttpPeer second(relay.port());
    QCOMPARE(second.listen("/a").status, 200);
    QVERIFY(relay.waitForClients(2));
    PacedClient third(relay.port());
    QVERIFY(isToldThatItIsFull(third));
    HttpPeer stream(relay.port());
    QVERIFY(stream.ask(HttpPeer::get("/a", {"Accept: text/event-stream"}))
                .body.contains("event: full\n"));
    HttpPeer peer(relay.port());
    QCOMPARE(peer.ask(HttpPeer::get("/a")).status, 200);
    QCOMPARE(peer.ask(HttpPeer::post("/a", "x")).status, 200);
    PacedClient pattern(relay.port());
    QVERIFY(pattern.upgrade({}, "/*"));
    first.reset();
    QVERIFY(relay.waitForClients(2));
    PacedClient last(relay.port());
    QVERIFY(last.upgrade({}, "/a"));
    PacedClient tooLate(relay.port());
    QVERIFY(isToldThatItIsFull(tooLate));
}

// A name that is not used any more leaves nothing behind, once its history is gone.
void TestChannels::channelsVanish()
{
    ChannelOptions channel;
    channel.history.messages = 0;
    TestHub relay(optionsWith("**", channel, 2));
    {
        std::vector<std::unique_ptr<PacedClient>> clients;
        for (int i = 0; i < 100; ++i) {
            clients.push_back(std::make_unique<PacedClient>(relay.port()));
            QVERIFY(clients.back()->upgrade({}, "/room/" + QByteArray::number(i / 2)));
            QVERIFY(clients.back()->sendText("x"));
        }
        QCOMPARE(relay.hub().channelCount(), 50);
    }
    QVERIFY(waitFor([&] { return relay.hub().channelCount() == 0; }));
    QCOMPARE(relay.hub().historyBytes(), 0);
    const QByteArray before = publish(relay, "room/1", "x");
    QCOMPARE(relay.hub().channelCount(), 0);
    QVERIFY(publish(relay, "room/1", "x").first(12) != before.first(12)); // another life
}

// The first frame of relay.meta: the channel, how many are there, and the place to come back to.
void TestChannels::metaBeginsWithThePlace()
{
    TestHub relay;
    const QByteArray before = publish(relay, "a b", "1");
    PacedClient other(relay.port());
    QVERIFY(other.upgrade({}, "/a%20b"));
    PacedClient client(relay.port());
    QVERIFY(client.upgrade(kMeta, "/a%20b"));
    QByteArray payload;
    const QJsonObject welcome = headOf(client.nextFrame(), &payload);
    QCOMPARE(welcome.keys().join(QLatin1Char(' ')), QStringLiteral("channel clients position"));
    QCOMPARE(welcome.value(QLatin1String("channel")), QJsonValue(QStringLiteral("a b")));
    QCOMPARE(welcome.value(QLatin1String("clients")), QJsonValue(2));
    QCOMPARE(position(welcome), before);
    QCOMPARE(payload, QByteArray());
    publish(relay, "a b", "2");
    PacedClient again(relay.port());
    QVERIFY(again.upgrade(kMeta, "/a%20b?since=" + before));
    QCOMPARE(position(headOf(again.nextFrame())), before);
    for (PacedClient *each : {&client, &again}) {
        QCOMPARE(headOf(each->nextFrame(), &payload).value(QLatin1String("offset")), QJsonValue(2));
        QCOMPARE(payload, QByteArray("2"));
    }
}

// A binary message stays a binary frame; what a client sends is plain payload.
void TestChannels::metaKeepsTheKindOfAMessage()
{
    TestHub relay;
    PacedClient client(relay.port());
    QVERIFY(client.upgrade(kMeta, "/a"));
    QVERIFY(client.nextFrame().has_value());
    const QByteArray bytes("\xFF\n\0", 3);
    QVERIFY(client.sendFrame(Op::Binary, bytes));
    QVERIFY(client.sendText("{}\nx"));
    QByteArray payload;
    const auto binary = client.nextFrame();
    QCOMPARE(headOf(binary, &payload).keys().join(QLatin1Char(' ')),
             QStringLiteral("epoch offset time"));
    QCOMPARE(binary->opcode, Op::Binary);
    QCOMPARE(payload, bytes);
    const auto text = client.nextFrame();
    QCOMPARE(headOf(text, &payload).value(QLatin1String("offset")), QJsonValue(2));
    QCOMPARE(text->opcode, Op::Text);
    QCOMPARE(payload, QByteArray("{}\nx"));
}

// The position is another life's: told so, and given what there is.
void TestChannels::metaTellsOfAGap()
{
    TestHub relay;
    const QByteArray first = publish(relay, "a", "1");
    PacedClient client(relay.port());
    QVERIFY(client.upgrade(kMeta, "/a?since=0123456789ab-7"));
    const QJsonObject gap = headOf(client.nextFrame()).value(QLatin1String("gap")).toObject();
    QCOMPARE(gap.value(QLatin1String("from")), QJsonValue(QStringLiteral("0123456789ab-7")));
    QCOMPARE(gap.value(QLatin1String("to")).toString().toUtf8(), first.first(12) + "-0");
    QByteArray payload;
    headOf(client.nextFrame(), &payload);
    QCOMPARE(payload, QByteArray("1"));
}

void TestChannels::metaIsAnsweredOnlyWhenAsked_data()
{
    QTest::addColumn<QByteArrayList>("fields");
    QTest::addColumn<bool>("isMeta");
    const QByteArray name = "Sec-WebSocket-Protocol: ";
    QTest::newRow("nothing") << QByteArrayList() << false;
    QTest::newRow("alone") << QByteArrayList{name + "relay.meta"} << true;
    QTest::newRow("behind another") << QByteArrayList{name + "chat, relay.meta"} << true;
    QTest::newRow("in a field of its own")
        << QByteArrayList{name + "chat", name + "relay.meta"} << true;
    QTest::newRow("another") << QByteArrayList{name + "relay.metal"} << false;
}

// RFC 6455, section 4.1: a client must not be told of a subprotocol that it did not ask for.
void TestChannels::metaIsAnsweredOnlyWhenAsked()
{
    QFETCH(QByteArrayList, fields);
    QFETCH(bool, isMeta);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(PacedClient::upgradeRequest(fields, "/a"));
    QCOMPARE(answer.status, 101);
    QCOMPARE(answer.value("sec-websocket-protocol"),
             isMeta ? QByteArray("relay.meta") : QByteArray());
}

// No envelope to learn: replayed or live, text or bytes.
void TestChannels::withoutMetaOnlyPayloadsCome()
{
    TestHub relay;
    publish(relay, "a", "1");
    publish(relay, "a", "2", MessageKind::Binary);
    PacedClient client(relay.port());
    QVERIFY(client.upgrade({}, "/a?last=5"));
    QCOMPARE(textOf(client.nextFrame()), QByteArray("1"));
    const auto binary = client.nextFrame();
    QCOMPARE(binary->opcode, Op::Binary);
    QCOMPARE(binary->payload, QByteArray("2"));
    publish(relay, "a", "3");
    QCOMPARE(textOf(client.nextFrame()), QByteArray("3"));
}

RELAY_TEST(TestChannels)
#include "tst_channels.moc"
