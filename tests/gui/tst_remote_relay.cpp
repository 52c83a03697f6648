#include "hub/hub.h"
#include "ops/admin_api.h"
#include "ops/hub_metrics.h"
#include "ops/ops_server.h"

#include "fake_ops_server.h"
#include "gui/relay/remote_relay.h"
#include "support/test_main.h"
#include "support/wait_for.h"

#include <QJsonDocument>
#include <QSignalSpy>
#include <QTest>

using namespace relay;
using namespace relay::gui;
using relay::test::waitFor;
using namespace std::chrono_literals;
using Link = LinkState::Link;

namespace {

constexpr RemoteRelay::Times kQuick{
    .firstRetry = 1ms, .lastRetry = 4ms, .silence = 30s, .answer = 30s};

QByteArray overviewEvent(int clients, int port = 0, std::optional<QString> address = {})
{
    Overview overview;
    overview.state = QStringLiteral("serving");
    overview.clients = clients;
    overview.port = port;
    overview.address = std::move(address);
    overview.eventStreams = std::min(clients, 2);
    return "event: overview\ndata: "
           + QJsonDocument(toJson(overview)).toJson(QJsonDocument::Compact) + "\n\n";
}

Endpoint at(quint16 port, const QByteArray &token = {})
{
    return {QUrl(QStringLiteral("http://127.0.0.1:%1").arg(port)), token};
}

/// A remote relay, and all that it says.
struct Watched
{
    explicit Watched(const Endpoint &endpoint, RemoteRelay::Times times = kQuick)
        : relay(endpoint, times)
    {
        QObject::connect(&relay, &RelaySource::overviewChanged, &relay,
                         [this](const Overview &overview) { clients.append(overview.clients); });
        QObject::connect(&relay, &RelaySource::eventHappened, &relay,
                         [this](const RelayEvent &event) { events.append(event); });
        QObject::connect(&relay, &RelaySource::linkChanged, &relay,
                         [this](const LinkState &link) { links.append(link); });
        relay.start();
    }

    QList<int> clients;
    QList<RelayEvent> events;
    QList<LinkState> links;
    RemoteRelay relay;
};

/// The answer to one request.
template <typename T>
struct Answer
{
    std::optional<Result<T>> result;
    RelaySource::Done<T> taker()
    {
        return [this](Result<T> answer) { result = std::move(answer); };
    }
    [[nodiscard]] bool wait() const
    {
        return waitFor([this] { return result.has_value(); });
    }
};

} // namespace

/// The dashboard's way to a relay.
class TestRemoteRelay : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // The stream
    void streamCutAnywhereSaysTheSame();
    void aRelayThatGoesAndComesBackIsSeen();
    void silenceIsAnAbsence();
    void refusalsAreSaid_data();
    void refusalsAreSaid();
    void aNonsenseOverviewIsSaid();
    void aPageOfTheWebIsNoStream();
    void aRefusalWithoutAnEndIsCut();
    void aFloodWaitsToBeRead();
    void aPortThatIsNoneIsNotKnown();
    void clientsConnectWhereTheRelayListens_data();
    void clientsConnectWhereTheRelayListens();
    void theWindowsOwnConnectionIsNotCounted();

    // Requests
    void queryAndTokenAreSent();
    void namesAreEncoded_data();
    void namesAreEncoded();
    void errorsAreTheRelaysOwnWords();
    void nobodyIsToldAfterHeWent();

    // A real relay
    void speaksWithARealRelay();
};

/// Promise: where the network cuts the stream makes no difference.
void TestRemoteRelay::streamCutAnywhereSaysTheSame()
{
    FakeOpsServer server;
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    const QByteArray bytes = "retry: 2000\n\n" + overviewEvent(3)
                             + "event: connect\ndata: {\"type\":\"connect\",\"time\":1,"
                               "\"client\":7,\"address\":\"10.0.0.1\",\"channel\":\"caf\xc3\xa9\"}"
                               "\n\n: \n\n"
                             + overviewEvent(4);
    for (const char &byte : bytes) {
        server.sendToStreams(QByteArray(1, byte));
        QCoreApplication::processEvents();
    }
    QVERIFY(waitFor([&] { return watched.clients.size() == 2; }));
    QCOMPARE(watched.clients, (QList{3, 4}));
    QCOMPARE(watched.events.size(), 1);
    QCOMPARE(watched.events.first().client, std::optional<qint64>(7));
    QCOMPARE(watched.events.first().channel, std::optional(QStringLiteral("café")));
    QVERIFY(watched.relay.link().link == Link::Live);
}

/// Promise: a window whose relay goes says so, since when, and comes back with it.
void TestRemoteRelay::aRelayThatGoesAndComesBackIsSeen()
{
    FakeOpsServer server;
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    server.sendToStreams(overviewEvent(1));
    QVERIFY(waitFor([&] { return watched.relay.link().link == Link::Live; }));

    server.close();
    QVERIFY(waitFor([&] { return watched.relay.link().link == Link::Gone; }));
    QVERIFY(watched.relay.link().retryAt.isValid());
    QVERIFY(!watched.relay.link().problem.isEmpty());
    const QDateTime since = watched.relay.link().since;
    // Tried again and again, and gone since the first time.
    const qsizetype before = watched.links.size();
    QVERIFY(waitFor([&] { return watched.links.size() >= before + 8; }));
    QCOMPARE(watched.relay.link().since, since);
    QVERIFY(watched.relay.link().problem.contains(QLatin1String("refused")));

    server.open();
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    QVERIFY(watched.relay.link().link == Link::Gone); // until it has said something
    server.sendToStreams(overviewEvent(2));
    QVERIFY(waitFor([&] { return watched.relay.link().link == Link::Live; }));
    QCOMPARE(watched.clients, (QList{1, 2}));
}

/// Promise: a relay that hangs, whose connection stands, is not shown as well.
void TestRemoteRelay::silenceIsAnAbsence()
{
    FakeOpsServer server;
    RemoteRelay::Times times = kQuick;
    times.silence = 20ms;
    Watched watched(at(server.port()), times);
    QVERIFY(waitFor([&] { return watched.relay.link().link == Link::Gone; }));
    QVERIFY(watched.relay.link().problem.contains(QLatin1String("no data")));
}

void TestRemoteRelay::refusalsAreSaid_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QString>("says");
    QTest::newRow("token") << 401 << QByteArray("{}") << QStringLiteral("--token-file");
    QTest::newRow("no such API") << 404 << QByteArray() << QStringLiteral("no admin API");
    QTest::newRow("elsewhere") << 302 << QByteArray() << QStringLiteral("302");
    QTest::newRow("its own words")
        << 503 << QByteArray(R"({"error":"busy","message":"Too many look."})")
        << QStringLiteral("Too many look.");
}

/// Promise: the operator reads why, and what to do.
void TestRemoteRelay::refusalsAreSaid()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    QFETCH(QString, says);
    FakeOpsServer server;
    server.answer("GET /-/api/stream", status, body);
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return watched.relay.link().link == Link::Gone; }));
    QVERIFY2(watched.relay.link().problem.contains(says), qPrintable(watched.relay.link().problem));
}

/// Promise: what another version says is not taken for zeros.
void TestRemoteRelay::aNonsenseOverviewIsSaid()
{
    FakeOpsServer server;
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    server.sendToStreams("event: overview\ndata: {\"clients\":\"many\"}\n\n");
    QVERIFY(waitFor([&] { return watched.relay.link().link == Link::Gone; }));
    QVERIFY(watched.clients.isEmpty());
    QVERIFY(watched.relay.link().problem.contains(QLatin1String("version")));
}

/// Promise: who mistypes the port, and meets a web server that has a page for every path, reads that.
void TestRemoteRelay::aPageOfTheWebIsNoStream()
{
    FakeOpsServer server;
    server.answerRaw(
        "GET /-/api/stream",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>");
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return watched.relay.link().link == Link::Gone; }));
    QVERIFY2(watched.relay.link().problem.contains(QLatin1String("no admin API")),
             qPrintable(watched.relay.link().problem));
}

/// Promise: an error that goes on and on takes neither memory nor the time until it is silent.
void TestRemoteRelay::aRefusalWithoutAnEndIsCut()
{
    FakeOpsServer server;
    server.answerRaw("GET /-/api/stream",
                     "HTTP/1.1 503 Busy\r\n\r\n" + QByteArray(RemoteRelay::kReadAtOnce + 1, 'x'));
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return watched.relay.link().link == Link::Gone; }));
    QVERIFY(watched.relay.link().problem.contains(QLatin1String("503")));
}

/// Promise: what a relay sends faster than it is read waits there, and does not fill the memory here;
/// nothing of it is lost.
void TestRemoteRelay::aFloodWaitsToBeRead()
{
    FakeOpsServer server;
    constexpr int kEvents = 5000;
    Watched watched(at(server.port()));
    qsizetype mostBetween = 0;
    qsizetype before = 0;
    QTimer turn; // of the event loop, which serves a window, too
    connect(&turn, &QTimer::timeout, this, [&] {
        mostBetween = std::max(mostBetween, watched.events.size() - before);
        before = watched.events.size();
    });
    turn.start(0);
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    const QByteArray event = "event: disconnect\ndata: {\"type\":\"disconnect\",\"time\":1,"
                             "\"reason\":\""
                             + QByteArray(1000, 'a') + "\"}\n\n";
    server.sendToStreams(event.repeated(kEvents));
    QVERIFY(waitFor([&] { return watched.events.size() == kEvents; }));
    QVERIFY2(mostBetween * event.size() <= 4 * RemoteRelay::kReadAtOnce,
             qPrintable(QString::number(mostBetween)));
}

/// Promise: messages are never asked of a port that the relay did not name.
void TestRemoteRelay::aPortThatIsNoneIsNotKnown()
{
    FakeOpsServer server;
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    for (const int port : {-1, 0, 65536, 65536 + 8443}) {
        const qsizetype count = watched.clients.size();
        server.sendToStreams(overviewEvent(1, port));
        QVERIFY(waitFor([&] { return watched.clients.size() > count; }));
        QVERIFY(watched.relay.channelUrl(QStringLiteral("a")).isEmpty());
    }
    server.sendToStreams(overviewEvent(2, 65535));
    QVERIFY(waitFor([&] { return watched.clients.last() == 2; }));
    QCOMPARE(watched.relay.channelUrl(QStringLiteral("a")).port(), 65535);
}

/// Promise: the relay sorts and filters; the token goes along with each request.
void TestRemoteRelay::queryAndTokenAreSent()
{
    FakeOpsServer server;
    server.answer("GET /-/api/clients", 200, R"({"total":20000,"offset":40,"rows":[]})");
    RemoteRelay relay(at(server.port(), "sesame-sesame-sesame"), kQuick);
    Answer<Page<ClientRow>> answer;
    relay.fetchClients({.sort = "bytes_out",
                        .isDescending = true,
                        .filter = QStringLiteral("a&b=c d"),
                        .offset = 40,
                        .limit = 20},
                       this, answer.taker());
    QVERIFY(answer.wait());
    QVERIFY(answer.result->hasValue());
    QCOMPARE(answer.result->value().total, 20000);
    const FakeOpsServer::Request &request = server.requests().first();
    QCOMPARE(request.target, QByteArray("/-/api/clients?offset=40&limit=20&sort=bytes_out"
                                        "&order=desc&filter=a%26b%3Dc%20d"));
    QCOMPARE(request.fields.value("authorization"), QByteArray("Bearer sesame-sesame-sesame"));
}

void TestRemoteRelay::namesAreEncoded_data()
{
    QTest::addColumn<QString>("channel");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QString>("url");
    const auto row = [](const char *name, const QString &channel, const QByteArray &encoded,
                        const QString &url) {
        QTest::newRow(name) << channel << QByteArray("/-/api/channels/" + encoded + "/publish")
                            << QString(QStringLiteral("http://127.0.0.1:8443") + url);
    };
    row("plain", QStringLiteral("chat"), "chat", QStringLiteral("/chat"));
    row("segments", QStringLiteral("chat/42"), "chat/42", QStringLiteral("/chat/42"));
    row("the root", QStringLiteral("/"), "%2F", QStringLiteral("/"));
    row("what URLs reserve", QStringLiteral("a?b#c%d e"), "a%3Fb%23c%25d%20e",
        QStringLiteral("/a%3Fb%23c%25d%20e"));
    row("beyond ASCII", QStringLiteral("café"), "caf%C3%A9", QStringLiteral("/caf%C3%A9"));
}

void TestRemoteRelay::clientsConnectWhereTheRelayListens_data()
{
    QTest::addColumn<std::optional<QString>>("address");
    QTest::addColumn<QString>("host");
    QTest::newRow("an older relay does not tell")
        << std::optional<QString>() << QStringLiteral("127.0.0.1");
    const auto row = [](const char *name, const char *address, const char *host) {
        QTest::newRow(name) << std::optional(QString::fromLatin1(address))
                            << QString::fromLatin1(host);
    };
    row("the same", "127.0.0.1", "127.0.0.1");
    row("everywhere", "0.0.0.0", "127.0.0.1");
    row("everywhere, IPv6", "::", "127.0.0.1");
    row("another of this machine", "127.0.0.2", "127.0.0.2");
    row("elsewhere, through a tunnel", "192.0.2.7", "127.0.0.1");
    row("nonsense", "<b>", "127.0.0.1");
}

/// Promise: the address that is shown, and at which messages are asked for, is one that answers: where the relay
/// listens, or the tunnel that leads there.
void TestRemoteRelay::clientsConnectWhereTheRelayListens()
{
    QFETCH(std::optional<QString>, address);
    QFETCH(QString, host);
    FakeOpsServer server;
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    server.sendToStreams(overviewEvent(1, 8443, address));
    QVERIFY(waitFor([&] { return !watched.clients.isEmpty(); }));
    QCOMPARE(watched.relay.channelUrl(QStringLiteral("a")).host(), host);
}

/// Promise: somebody who looks at a channel is not counted as its client.
void TestRemoteRelay::theWindowsOwnConnectionIsNotCounted()
{
    FakeOpsServer server;
    Watched watched(at(server.port()));
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    int eventStreams = -1;
    connect(&watched.relay, &RelaySource::overviewChanged, this,
            [&](const Overview &overview) { eventStreams = overview.eventStreams; });
    watched.relay.setOwnClients(1);
    server.sendToStreams(overviewEvent(5));
    server.sendToStreams(overviewEvent(0)); // it has just gone
    QVERIFY(waitFor([&] { return watched.clients.size() == 2; }));
    QCOMPARE(watched.clients, (QList<int>{4, 0}));
    QCOMPARE(eventStreams, 0);
}

/// Promise: a publish goes to the channel that was chosen, whatever it is called.
void TestRemoteRelay::namesAreEncoded()
{
    QFETCH(QString, channel);
    QFETCH(QByteArray, target);
    QFETCH(QString, url);
    FakeOpsServer server;
    server.answer("POST " + target, 200, R"({"offset":5,"clients":2})");
    Watched watched(at(server.port()));
    Answer<RelaySource::Receipt> answer;
    watched.relay.publish(channel, "hi", true, this, answer.taker());
    QVERIFY(answer.wait());
    QVERIFY2(answer.result->hasValue(), server.requests().last().target.constData());
    QCOMPARE(answer.result->value().offset, 5);
    QCOMPARE(answer.result->value().clients, 2);

    QVERIFY(watched.relay.channelUrl(channel).isEmpty()); // not known yet
    QVERIFY(waitFor([&] { return server.streamCount() == 1; }));
    server.sendToStreams(overviewEvent(1, 8443));
    QVERIFY(waitFor([&] { return !watched.clients.isEmpty(); }));
    QCOMPARE(watched.relay.channelUrl(channel).toString(QUrl::FullyEncoded), url);
}

/// Promise: a refused change is told in the relay's words.
void TestRemoteRelay::errorsAreTheRelaysOwnWords()
{
    FakeOpsServer server;
    server.answer("POST /-/api/clients/7/disconnect", 404,
                  R"({"error":"no_such_client","message":"No client of this id."})");
    RemoteRelay relay(at(server.port()), kQuick);
    Answer<std::monostate> answer;
    relay.disconnectClient(7, this, answer.taker());
    QVERIFY(answer.wait());
    QVERIFY(!answer.result->hasValue());
    QCOMPARE(answer.result->error().message, QStringLiteral("No client of this id."));

    server.answer("POST /-/api/drain", 200, "no json");
    Answer<std::monostate> nonsense;
    relay.drain(5, this, nonsense.taker());
    QVERIFY(nonsense.wait());
    QVERIFY(!nonsense.result->hasValue());
    QCOMPARE(server.requests().last().target, QByteArray("/-/api/drain?within=5"));
}

/// Promise: a page that was closed is not written to.
void TestRemoteRelay::nobodyIsToldAfterHeWent()
{
    FakeOpsServer server;
    server.answer("GET /-/api/overview", 404, "{}");
    RemoteRelay relay(at(server.port()), kQuick);
    bool isTold = false;
    {
        QObject asker;
        relay.fetchOverview(&asker, [&](const Result<Overview> &) { isTold = true; });
    }
    Answer<Overview> later;
    QVERIFY(waitFor([&] { return server.requests().size() == 1; }));
    relay.fetchOverview(this, later.taker());
    QVERIFY(later.wait());
    QVERIFY(!isTold);
}

/// Promise: both sides of the admin API agree, and a token is all it takes.
void TestRemoteRelay::speaksWithARealRelay()
{
    HubOptions hubOptions;
    hubOptions.port = 0;
    hubOptions.workers = 1;
    Hub hub(hubOptions);
    OpsOptions options;
    options.port = 0;
    options.token = "sesame-sesame-sesame";
    OpsServer ops(options, metricsSource(hub));
    const AdminApi api(hub, ops, QStringLiteral("server: {}"));
    QVERIFY(ops.listen());
    QVERIFY(hub.listen());

    Watched watched(at(ops.port(), options.token));
    QVERIFY(waitFor([&] { return !watched.clients.isEmpty(); }));
    QVERIFY(watched.relay.link().link == Link::Live);
    Answer<Overview> overview;
    watched.relay.fetchOverview(this, overview.taker());
    QVERIFY(overview.wait());
    QVERIFY(overview.result->hasValue());
    QCOMPARE(overview.result->value().config, std::optional(QStringLiteral("server: {}")));

    Answer<RelaySource::Receipt> receipt;
    watched.relay.publish(QStringLiteral("chat/42"), "hello", true, this, receipt.taker());
    QVERIFY(receipt.wait());
    QVERIFY(receipt.result->hasValue());
    QCOMPARE(receipt.result->value().offset, 1);
    Answer<Page<ChannelRow>> channels;
    watched.relay.fetchChannels({}, this, channels.taker());
    QVERIFY(channels.wait());
    QCOMPARE(channels.result->value().rows.value(0).name, QStringLiteral("chat/42"));
    // The first overview was sampled before the hub listened.
    QVERIFY(waitFor([&] {
        return watched.relay.channelUrl(QStringLiteral("chat/42")).port() == int{hub.port()};
    }));
    Answer<std::monostate> cleared;
    watched.relay.clearHistory(QStringLiteral("chat/42"), this, cleared.taker());
    QVERIFY(cleared.wait());
    QVERIFY(cleared.result->hasValue());

    // Without the token nothing is changed.
    RemoteRelay stranger(at(ops.port()), kQuick);
    Answer<std::monostate> drained;
    stranger.drain(0, this, drained.taker());
    QVERIFY(drained.wait());
    QVERIFY(!drained.result->hasValue());
    QVERIFY(!hub.isDraining());
}

RELAY_TEST(TestRemoteRelay)
#include "tst_remote_relay.moc"
