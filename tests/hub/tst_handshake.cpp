#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>

using namespace std::chrono_literals;
using relay::HandshakeFailure;
using relay::HubOptions;
using relay::RelaySnapshot;
using relay::test::failures;
using relay::test::HubEvent;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WebClients;

Q_DECLARE_METATYPE(relay::HandshakeFailure)

namespace {

quint64 allFailures(TestHub &relay)
{
    quint64 sum = 0;
    for (const quint64 count : relay.hub().counters().handshakeFailures) {
        sum += count;
    }
    return sum;
}

/// The sound request with one line replaced, or left out.
QByteArray requestWith(const QByteArray &from, const QByteArray &to)
{
    QByteArray request = PacedClient::upgradeRequest();
    Q_ASSERT(request.contains(from));
    return request.replace(from, to);
}

/// A sound request whose head has exactly this many bytes.
QByteArray requestOfBytes(qsizetype bytes)
{
    const QByteArray filler = "X-Filler: ";
    const qsizetype rest = bytes - PacedClient::upgradeRequest({filler}).size();
    return PacedClient::upgradeRequest({filler + QByteArray(rest, 'x')});
}

/// A sound request with exactly this many header fields.
QByteArray requestOfFields(int fields)
{
    QByteArrayList more;
    const auto present = static_cast<int>(PacedClient::upgradeRequest().count("\r\n")) - 2;
    for (int i = present; i < fields; ++i) {
        more.append("X-Field-" + QByteArray::number(i) + ": x");
    }
    return PacedClient::upgradeRequest(more);
}

constexpr int kHeadLimit = 2000;
constexpr int kFieldLimit = 20;

} // namespace

class TestHandshake : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isAnsweredByItsHead_data();
    void isAnsweredByItsHead();
    void isAnsweredHoweverItArrives();
    void connectionsAreLimited();
    void aTricklingHeadIsDropped();
    void aHeadDoesNotBeginTheTimeAnew();
    void aSilentConnectionIsDropped();
    void oneWhoLeavesIsCounted();
    void aBrokenHandshakeHurtsNobody();
};

void TestHandshake::isAnsweredByItsHead_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    QTest::addColumn<int>("failure"); // -1: none
    QTest::addColumn<QByteArray>("field");
    const auto refused = [](const char *name, int status, HandshakeFailure failure,
                            const QByteArray &request, const QByteArray &field = {}) {
        QTest::newRow(name) << request << status << static_cast<int>(failure) << field;
    };
    const auto taken = [](const char *name, const QByteArray &request) {
        QTest::newRow(name) << request << 101 << -1
                            << QByteArray("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    };
    const auto withOrigin = [](const char *origin) {
        return PacedClient::upgradeRequest({QByteArray("Origin: ") + origin});
    };
    taken("sound", PacedClient::upgradeRequest());
    taken("own origin",
          withOrigin("http://127.0.0.1:8443").replace("relay.test", "127.0.0.1:8443"));
    refused("a name that points here", 403, HandshakeFailure::ForbiddenOrigin,
            withOrigin("http://relay.test"));
    taken("listed origin", withOrigin("https://app.example.com"));
    taken("head at the limit", requestOfBytes(kHeadLimit));
    taken("fields at the limit", requestOfFields(kFieldLimit));
    refused("foreign origin", 403, HandshakeFailure::ForbiddenOrigin,
            withOrigin("https://evil.example"));
    refused("origin of a file", 403, HandshakeFailure::ForbiddenOrigin, withOrigin("null"));
    refused("a proxy has swallowed the upgrade", 426, HandshakeFailure::UpgradeRequired,
            requestWith("Upgrade: websocket\r\n", ""), "upgrade: websocket");
    refused("an upgrade to something else", 426, HandshakeFailure::UpgradeRequired,
            "GET / HTTP/1.1\r\nHost: relay.test\r\nUpgrade: h2c\r\n\r\n", "upgrade: websocket");
    taken("a channel", requestWith("GET / ", "GET /chat/42 "));
    taken("a pattern", requestWith("GET / ", "GET /chat/* "));
    taken("a longest name", requestWith("GET / ", "GET /" + QByteArray(255, 'n') + ' '));
    refused("a name that is too long", 404, HandshakeFailure::BadRequest,
            requestWith("GET / ", "GET /" + QByteArray(256, 'n') + ' '), "\r\n{\"error\":");
    refused("an empty segment", 404, HandshakeFailure::BadRequest,
            requestWith("GET / ", "GET /chat//42 "), "\r\n{\"error\":");
    refused("a parameter that is none", 400, HandshakeFailure::BadRequest,
            requestWith("GET / ", "GET /?last=many "), "\r\n{\"error\":");
    refused("version 12", 426, HandshakeFailure::UpgradeRequired,
            requestWith("Version: 13", "Version: 12"), "sec-websocket-version: 13");
    refused("POST", 405, HandshakeFailure::MethodNotAllowed, requestWith("GET", "POST"),
            "allow: get");
    refused("no key", 400, HandshakeFailure::BadRequest,
            requestWith("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""));
    refused("a key that is none", 400, HandshakeFailure::BadRequest,
            requestWith("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="));
    refused("no HTTP", 400, HandshakeFailure::BadRequest, "\x01\x02\x03\r\n\r\n");
    refused("TLS", 400, HandshakeFailure::BadRequest, QByteArray("\x16\x03\x01\x02\x00\x01", 6));
    refused("head past the limit", 431, HandshakeFailure::HeadTooLarge,
            requestOfBytes(kHeadLimit + 1));
    refused("fields past the limit", 431, HandshakeFailure::HeadTooLarge,
            requestOfFields(kFieldLimit + 1));
    refused("an endless head", 431, HandshakeFailure::HeadTooLarge,
            "GET /" + QByteArray(3 * kHeadLimit, 'x'));
}

// What is no sound upgrade gets a proper answer that says why, an orderly end and a count; never a
// silent close. A page of another origin is refused.
void TestHandshake::isAnsweredByItsHead()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    QFETCH(int, failure);
    QFETCH(QByteArray, field);
    HubOptions options = testOptions();
    options.origins = {QStringLiteral("https://*.example.com")};
    options.limits.requestHeadSize = kHeadLimit;
    options.limits.requestHeaderFields = kFieldLimit;
    TestHub relay(options);
    PacedClient client(relay.port());
    QVERIFY(client.send(request));
    const QByteArray answer = client.readAnswer();
    const QByteArray begin = "HTTP/1.1 " + QByteArray::number(status) + ' ';
    const QByteArray line = "\r\n" + field.toLower();
    QVERIFY2(answer.startsWith(begin), answer.constData());
    QVERIFY2(answer.toLower().contains(line), answer.constData());
    if (failure < 0) {
        QVERIFY(relay.waitForClients(1));
        QCOMPARE(allFailures(relay), 0U);
        return;
    }
    QVERIFY(client.waitForEnd());
    QCOMPARE(failures(relay, static_cast<HandshakeFailure>(failure)), 1U);
    QCOMPARE(allFailures(relay), 1U);
    QCOMPARE(relay.hub().clientCount(), 0);
    QVERIFY(relay.events().empty());
}

// TCP cuts where it likes: a head that comes byte by byte is as good as one in one piece.
void TestHandshake::isAnsweredHoweverItArrives()
{
    TestHub relay(testOptions(), TestHub::Follow::MessagesToo);
    PacedClient client(relay.port());
    const QByteArray bytes =
        PacedClient::upgradeRequest() + relay::test::clientFrame(relay::test::Op::Text, "hello");
    quint64 sent = 0;
    for (const char byte : bytes) {
        QVERIFY(client.send(QByteArray(1, byte)));
        ++sent; // seen by the relay before the next one leaves
        QVERIFY(relay.waitForCounters(
            [sent](const RelaySnapshot &counters) { return counters.receivedBytes == sent; }));
    }
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Message, 1));
    QCOMPARE(relay.events(HubEvent::Kind::Message).front().text, QByteArray("hello"));
}

// limits.connections: at the limit all are served, one more is told to come back later, and a place that
// becomes free is given again.
void TestHandshake::connectionsAreLimited()
{
    HubOptions options = testOptions(2);
    options.limits.connections = 4;
    TestHub relay(options);
    std::vector<std::unique_ptr<PacedClient>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<PacedClient>(relay.port()));
        QVERIFY(clients.back()->upgrade());
    }
    {
        PacedClient oneMore(relay.port());
        QVERIFY(oneMore.upgrade());
        const auto close = oneMore.nextFrame();
        QVERIFY(close.has_value());
        QCOMPARE(close->closeCode(), quint16{1013});
        QVERIFY(oneMore.waitForEnd());
    }
    QCOMPARE(failures(relay, HandshakeFailure::ConnectionLimit), 1U);
    QCOMPARE(relay.hub().clientCount(), 4);

    clients.front()->reset();
    QVERIFY(relay.waitForClients(3));
    // The place is free at the end of the worker's turn, a moment after the signal.
    std::unique_ptr<PacedClient> successor;
    QVERIFY(waitFor([&] {
        successor = std::make_unique<PacedClient>(relay.port());
        return successor->upgrade() && relay.hub().clientCount() == 4;
    }));
    QCOMPARE(relay.hub().clientCount(), 4);
}

// limits.handshake_timeout runs from accept on, however busily a head is dribbled: the client is
// told 408, counted and dropped.
void TestHandshake::aTricklingHeadIsDropped()
{
    HubOptions options = testOptions();
    options.limits.handshakeTimeout = 150ms;
    TestHub relay(options);
    PacedClient client(relay.port());
    const QByteArray head = PacedClient::upgradeRequest({"X-Long: " + QByteArray(10'000, 'x')});
    qsizetype sent = 0;
    QVERIFY(waitFor([&] { // a byte every two milliseconds
        (void)client.send(head.mid(sent++, 1));
        return failures(relay, HandshakeFailure::Timeout) == 1;
    }));
    QVERIFY(sent < head.size());
    QVERIFY(client.readAnswer().startsWith("HTTP/1.1 408 "));
    QVERIFY(client.waitForEnd());
    QCOMPARE(allFailures(relay), 1U);
    QCOMPARE(relay.hub().counters().connections, 0U);
}

// Silence before the head counts, too: who has been silent for half of the time has but the other
// half for its head, and goes before one who came meanwhile.
void TestHandshake::aHeadDoesNotBeginTheTimeAnew()
{
    HubOptions options = testOptions();
    options.limits.handshakeTimeout = 1s;
    TestHub relay(options);
    PacedClient early(relay.port());
    QVERIFY(!early.waitForEnd(500ms));
    PacedClient later(relay.port());
    QVERIFY(later.send("G"));
    QVERIFY(
        relay.waitForCounters([](const auto &counters) { return counters.receivedBytes == 1; }));
    QVERIFY(early.send("G"));
    QVERIFY(early.waitForEnd());
    QCOMPARE(failures(relay, HandshakeFailure::Timeout), 1U);
    QVERIFY(later.waitForEnd());
    QCOMPARE(failures(relay, HandshakeFailure::Timeout), 2U);
}

// Who connects and says nothing does not keep his place either.
void TestHandshake::aSilentConnectionIsDropped()
{
    HubOptions options = testOptions();
    options.limits.handshakeTimeout = 50ms;
    TestHub relay(options);
    PacedClient client(relay.port());
    QVERIFY(client.waitForEnd());
    QCOMPARE(failures(relay, HandshakeFailure::Timeout), 1U);
    // In time is in time, however close the limit: nothing comes after the upgrade.
    PacedClient quick(relay.port());
    QVERIFY(quick.upgrade());
    QVERIFY(!quick.nextFrame(300ms));
    QVERIFY(!quick.hasEnded());
    QCOMPARE(relay.hub().clientCount(), 1);
}

// A connection that ends before its request is complete is no client that came and went.
void TestHandshake::oneWhoLeavesIsCounted()
{
    TestHub relay;
    PacedClient resetting(relay.port());
    QVERIFY(resetting.send("GET / HT"));
    resetting.reset();
    PacedClient closing(relay.port());
    closing.close();
    QVERIFY(waitFor([&] { return failures(relay, HandshakeFailure::Disconnected) == 2; }));
    QCOMPARE(relay.hub().counters().connections, 0U);
    QCOMPARE(relay.hub().counters().disconnections, 0U);
    QVERIFY(relay.events().empty());
}

// Refusals, time-outs and resets beside clients that talk: they notice nothing.
void TestHandshake::aBrokenHandshakeHurtsNobody()
{
    HubOptions options = testOptions(2);
    options.limits.handshakeTimeout = 50ms;
    TestHub relay(options);
    const WebClients clients = relay.connectClients(2);
    QCOMPARE(clients.size(), std::size_t{2});
    std::vector<std::unique_ptr<PacedClient>> strangers;
    for (int i = 0; i < 60; ++i) {
        strangers.push_back(std::make_unique<PacedClient>(relay.port()));
        PacedClient &stranger = *strangers.back();
        if (i % 3 == 0) {
            QVERIFY(stranger.send("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"));
        } else if (i % 3 == 1) {
            (void)stranger.send(PacedClient::upgradeRequest());
            stranger.reset();
        }
        clients[0]->sendText(QByteArray::number(i));
    }
    QVERIFY(waitForAll(clients, 60));
    QVERIFY(relay.waitForClients(2));
    QVERIFY(waitFor([&] { return failures(relay, HandshakeFailure::Timeout) == 20; }));
    QCOMPARE(failures(relay, HandshakeFailure::BadRequest)
                 + failures(relay, HandshakeFailure::UpgradeRequired),
             20U);
    for (const auto &client : clients) {
        QCOMPARE(client->received().back().payload, QByteArray("59"));
        QVERIFY(client->isConnected());
    }
}

RELAY_TEST(TestHandshake)
#include "tst_handshake.moc"
