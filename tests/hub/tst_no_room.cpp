#include "hub/worker.h"

#include "support/http_peer.h"
#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <set>

using namespace std::chrono_literals;
using relay::ChannelOptions;
using relay::ChannelPattern;
using relay::ChannelRule;
using relay::HandshakeFailure;
using relay::HttpMethod;
using relay::HubOptions;
using relay::LimitHit;
using relay::RelaySnapshot;
using relay::Worker;
using relay::test::clientFrame;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::StreamEvent;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;

namespace {

enum class Full {
    Channel,
    Relay
};

/// A relay in which one client has joined "/a", and there is no room for another one.
class FullRelay
{
public:
    explicit FullRelay(Full full)
        : m_relay(optionsFor(full))
        , m_member(m_relay.port())
    {}

    bool fill() { return m_member.upgrade({}, "/a") && m_relay.waitForClients(1); }
    /// The member goes; true when its place is free.
    bool makeRoom()
    {
        m_member.reset();
        return m_relay.waitForClients(0);
    }
    TestHub &operator*() { return m_relay; }
    TestHub *operator->() { return &m_relay; }

private:
    static HubOptions optionsFor(Full full)
    {
        HubOptions options = testOptions();
        options.origins = {QStringLiteral("https://app.example.com")};
        if (full == Full::Relay) {
            options.limits.connections = 1;
        } else {
            ChannelRule rule{ChannelPattern::fromText("a").value(), {}};
            rule.options.maxClients = 1;
            options.channels = {rule};
        }
        return options;
    }

    TestHub m_relay;
    PacedClient m_member;
};

QByteArray fullCode(Full full)
{
    return full == Full::Relay ? "relay_full" : "channel_full";
}

HandshakeFailure fullFailure(Full full)
{
    return full == Full::Relay ? HandshakeFailure::ConnectionLimit : HandshakeFailure::Channel;
}

quint64 refusedFor(TestHub &relay, Full full)
{
    return relay.hub().counters().handshakeFailures[static_cast<std::size_t>(fullFailure(full))];
}

} // namespace

Q_DECLARE_METATYPE(Full)

/// A client for which there is no room is told so in a way that its kind can understand, and comes back.
class TestNoRoom : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void webSocketsAreUpgradedAndClosed_data() { bothKinds(); }
    void webSocketsAreUpgradedAndClosed();
    void onlySoManyAreUpgraded();
    void eventSourcesAreToldToComeBack_data() { bothKinds(); }
    void eventSourcesAreToldToComeBack();
    void theTimesToComeBackDiffer();
    void requestsAreAnswered503();
    void foreignOriginsLearnNothingNew();
    void aFullChannelTakesMessages();

private:
    static void bothKinds();
};

void TestNoRoom::bothKinds()
{
    QTest::addColumn<Full>("full");
    QTest::newRow("channel") << Full::Channel;
    QTest::newRow("relay") << Full::Relay;
}

// A page sees no status of a refused handshake, but it sees a close code: 1013, and why. The client
// joins nothing, hears nothing, and is no client to anybody who counts or follows them. It gets the
// place once that is free.
void TestNoRoom::webSocketsAreUpgradedAndClosed()
{
    QFETCH(Full, full);
    FullRelay relay(full);
    QVERIFY(relay.fill());
    PacedClient oneMore(relay->port());
    QVERIFY(oneMore.upgrade({}, "/a"));
    const auto close = oneMore.nextFrame();
    QVERIFY(close.has_value());
    QCOMPARE(close->opcode, Op::Close);
    QCOMPARE(close->closeCode(), quint16{1013});
    QCOMPARE(close->payload.mid(2), full == Full::Relay ? QByteArray("the relay is full")
                                                        : QByteArray("the channel is full"));
    QVERIFY(oneMore.waitForEnd()); // also without an answer to the close frame
    QCOMPARE(refusedFor(*relay, full), 1U);
    const RelaySnapshot counters = relay->hub().counters();
    QCOMPARE(counters.connections, 1U);
    QCOMPARE(counters.limitHits[static_cast<std::size_t>(LimitHit::ChannelClients)],
             quint64{full == Full::Channel ? 1U : 0U});
    QCOMPARE(relay->events().size(), std::size_t{1});

    QVERIFY(relay.makeRoom());
    QVERIFY(waitFor([&] { // a place is free when the turn in which it became so ends
        PacedClient successor(relay->port());
        return successor.upgrade({}, "/a") && relay->hub().clientCount() == 1;
    }));
}

// Each that is told in this way costs an upgrade: past a number of them the answer is 503, and when
// they are gone there are places again.
void TestNoRoom::onlySoManyAreUpgraded()
{
    FullRelay relay(Full::Channel);
    QVERIFY(relay.fill());
    const QByteArray request = PacedClient::upgradeRequest({}, "/a");
    std::vector<std::unique_ptr<PacedClient>> crowd;
    int upgraded = 0;
    int answered503 = 0;
    QVERIFY(waitFor([&] { // they linger for half a second: so many come at once sooner or later
        crowd.clear();
        for (int i = 0; i < 2 * Worker::kMaxFarewells; ++i) {
            crowd.push_back(std::make_unique<PacedClient>(relay->port()));
            (void)crowd.back()->send(request);
        }
        for (const auto &client : crowd) {
            const QByteArray answer = client->readAnswer();
            upgraded += answer.startsWith("HTTP/1.1 101 ") ? 1 : 0;
            answered503 +=
                answer.startsWith("HTTP/1.1 503 ") && answer.contains("Retry-After: ") ? 1 : 0;
        }
        return answered503 > 0;
    }));
    QVERIFY(upgraded >= Worker::kMaxFarewells);
    crowd.clear();
    QVERIFY(waitFor([&] {
        PacedClient again(relay->port());
        return again.upgrade({}, "/a");
    }));
    QCOMPARE(relay->hub().clientCount(), 1);
}

// EventSource gives up for good at any status but 200. It gets a stream that tells it when to come back
// and why, and ends. Its position stays what it was.
void TestNoRoom::eventSourcesAreToldToComeBack()
{
    QFETCH(Full, full);
    FullRelay relay(full);
    QVERIFY(relay.fill());
    HttpPeer listener(relay->port());
    QVERIFY(listener.send(
        HttpPeer::get("/a", {"Accept: text/event-stream", "Last-Event-ID: 5f2c9a11c07b-17",
                             "Origin: https://app.example.com"})));
    const HttpAnswer answer = listener.answer();
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.value("content-type"), QByteArray("text/event-stream"));
    QCOMPARE(answer.value("access-control-allow-origin"), QByteArray("https://app.example.com"));
    relay::test::EventReader events;
    events.append(answer.body);
    const auto event = events.next();
    QVERIFY(event.has_value());
    QCOMPARE(event->type, QByteArray("full"));
    const QJsonObject told = QJsonDocument::fromJson(event->data).object();
    QCOMPARE(told.value(QLatin1String("error")).toString().toLatin1(), fullCode(full));
    QVERIFY(!told.value(QLatin1String("message")).toString().isEmpty());
    QVERIFY2(events.problem().isEmpty(), events.problem().constData());
    QVERIFY(events.lastId().isEmpty());
    const int retry = static_cast<int>(testOptions().eventSource.retry.count());
    QVERIFY2(events.retry() >= 5 * retry && events.retry() <= 15 * retry,
             QByteArray::number(events.retry()).constData());
    QVERIFY(listener.waitForEnd());
    QCOMPARE(refusedFor(*relay, full), 1U);
    QCOMPARE(relay->hub().eventStreamCount(), 0);

    QVERIFY(relay.makeRoom());
    QVERIFY(waitFor([&] {
        HttpPeer successor(relay->port());
        return successor.listen("/a").status == 200 && relay->hub().eventStreamCount() == 1;
    }));
}

// A crowd that was refused together does not come back together.
void TestNoRoom::theTimesToComeBackDiffer()
{
    FullRelay relay(Full::Channel);
    QVERIFY(relay.fill());
    std::set<int> times;
    for (int i = 0; i < 20; ++i) {
        HttpPeer listener(relay->port());
        relay::test::EventReader events;
        QVERIFY(listener.send(HttpPeer::get("/a", {"Accept: text/event-stream"})));
        events.append(listener.answer().body);
        QVERIFY(events.next().has_value());
        times.insert(events.retry());
    }
    QVERIFY(times.size() > 10);
}

// Programs that publish or read are told by a status, and when to come back.
void TestNoRoom::requestsAreAnswered503()
{
    FullRelay relay(Full::Relay);
    QVERIFY(relay.fill());
    for (const QByteArray &request :
         {HttpPeer::post("/a", "x"), HttpPeer::get("/a"), HttpPeer::request("HEAD", "/a"),
          HttpPeer::post("/-/publish", "[]")})
    {
        HttpPeer peer(relay->port());
        QVERIFY(peer.send(request));
        const bool isHead = request.startsWith("HEAD ");
        const HttpAnswer answer =
            peer.answer(isHead ? HttpPeer::Body::None : HttpPeer::Body::Expected);
        QCOMPARE(answer.status, 503);
        QVERIFY(answer.value("retry-after").toInt() > 0);
        QCOMPARE(answer.error(), isHead ? QByteArray() : fullCode(Full::Relay));
        QVERIFY(peer.waitForEnd());
    }
    QCOMPARE(relay->hub().counters().messages, 0U);
}

// A page of another origin is refused as ever, full or not.
void TestNoRoom::foreignOriginsLearnNothingNew()
{
    FullRelay relay(Full::Relay);
    QVERIFY(relay.fill());
    PacedClient page(relay->port());
    QVERIFY(page.send(PacedClient::upgradeRequest({"Origin: https://evil.example"}, "/a")));
    QVERIFY(page.readAnswer().startsWith("HTTP/1.1 403 "));
    HttpPeer listener(relay->port());
    QVERIFY(listener.send(
        HttpPeer::get("/a", {"Accept: text/event-stream", "Origin: https://evil.example"})));
    const HttpAnswer answer = listener.answer();
    QVERIFY(answer.status >= 400);
    QVERIFY(answer.value("access-control-allow-origin").isEmpty());
}

// max_clients counts who listens: publishing to a full channel, and reading it, go on.
void TestNoRoom::aFullChannelTakesMessages()
{
    FullRelay relay(Full::Channel);
    QVERIFY(relay.fill());
    HttpPeer peer(relay->port());
    QCOMPARE(peer.ask(HttpPeer::post("/a", "x")).status, 200);
    QCOMPARE(peer.ask(HttpPeer::get("/a")).status, 200);
}

RELAY_TEST(TestNoRoom)
#include "tst_no_room.moc"
