#include "channels/history_ledger.h"
#include "ops/model/channel_row.h"
#include "ops/model/client_row.h"
#include "ops/model/page.h"

#include "admin_relay.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay;
using namespace relay::test;
using namespace std::chrono_literals;

namespace {

const QByteArray kToken = "f3a9c0d1e2b4a5968778695a4b3c2d1e";

} // namespace

/// What an operator asks a relay, and tells it, over real sockets.
class TestAdminApi : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // To see
    void overviewShowsTheRelay();
    void channelsShowWhatTheyHold();
    void badQueriesAreRefused_data();
    void badQueriesAreRefused();

    // To steer
    void publishes_data();
    void publishes();
    void refusesToPublish_data();
    void refusesToPublish();
    void tooLongMessageIsRefusedBeforeItIsRead();
    void clearsAHistory();
    void disconnectsAClient();
    void pathsThatMeanNothingAreNotFound_data();
    void pathsThatMeanNothingAreNotFound();
    void forgottenNameIsNotTheRoot();
    void drains();
    void secondDrainReplacesTheFirst();
    void closingRelayDoesNotDrain();

    // Who may
    void changesNeedTheToken();
    void foreignPagesMayNothing();

    // When it ends
    void clientMayGoWhileItsAnswerIsPending();
    void closingHubAnswersOrSaysThatItCannot();
    void closedHubSaysThatItCannot();
};

void TestAdminApi::overviewShowsTheRelay()
{
    HubOptions options = test::testOptions(2);
    options.limits.connections = 77;
    AdminRelay admin(options);
    const WebClients clients = admin.relay.connectClients(3);
    QCOMPARE(clients.size(), std::size_t{3});
    const auto overview = admin.get<Overview>("/-/api/overview");
    QVERIFY(overview);
    QCOMPARE(overview->clients, 3);
    QCOMPARE(overview->maxConnections.value_or(0), 77);
    QCOMPARE(overview->state, QStringLiteral("serving"));
    QCOMPARE(overview->channels, 1);
    QCOMPARE(overview->workers.size(), 2);
    QCOMPARE(overview->config, QStringLiteral("server:\n  port: 0\n"));
    const auto answer = request(admin.server.port(), "GET /-/api/overview");
    QVERIFY(answer);
    QCOMPARE(answer->fields.value("content-type"), QByteArray("application/json"));
    QCOMPARE(answer->fields.value("cache-control"), QByteArray("no-store"));
}

/// Offsets, members and histories; a rate once there were two looks, a second apart.
void TestAdminApi::channelsShowWhatTheyHold()
{
    AdminRelay admin;
    WebClients clients;
    QVERIFY(connectTo(clients, admin.relay, "/chat").waitUntilConnected());
    QVERIFY(admin.relay.waitForClients(1));
    const auto chat = ChannelName::fromPath("/chat").value();
    const auto publish = [&](int count) {
        for (int i = 0; i < count; ++i) {
            QCOMPARE(admin.relay.hub().publish(chat, "hello", MessageKind::Text).status,
                     Hub::Published::Accepted);
        }
    };
    publish(3);
    QCOMPARE(admin.relay.hub().publish("root", MessageKind::Text), Hub::Published::Accepted);
    auto page = admin.get<Page<ChannelRow>>("/-/api/channels?sort=name");
    QVERIFY(page);
    QCOMPARE(page->total, 2);
    QCOMPARE(page->rows[0].name, QStringLiteral("/"));
    QCOMPARE(page->rows[0].clients, 0);
    const ChannelRow before = page->rows[1];
    QCOMPARE(before.name, QStringLiteral("chat"));
    QCOMPARE(before.offset, 3);
    QCOMPARE(before.clients, 1);
    QCOMPARE(before.historyMessages, 3);
    QVERIFY(before.historyBytes >= 15);
    QVERIFY(!before.epoch.isEmpty());
    QVERIFY(!before.messagesPerSecond);

    publish(50);
    QElapsedTimer time;
    time.start();
    QVERIFY(waitFor([&] {
        page = admin.get<Page<ChannelRow>>("/-/api/channels?filter=CHA");
        return page && page->rows.size() == 1 && page->rows[0].messagesPerSecond;
    }));
    QVERIFY(time.elapsed() >= 900); // not a rate of some milliseconds
    QCOMPARE(page->rows[0].offset, 53);
    QVERIFY(*page->rows[0].messagesPerSecond > 0);
    QVERIFY(*page->rows[0].messagesPerSecond <= 50);
}

void TestAdminApi::badQueriesAreRefused_data()
{
    QTest::addColumn<QByteArray>("query");
    QTest::newRow("field") << QByteArray("sort=nothing");
    QTest::newRow("object") << QByteArray("sort=socket");
    QTest::newRow("order") << QByteArray("order=up");
    QTest::newRow("offset") << QByteArray("offset=-1");
    QTest::newRow("limit") << QByteArray("limit=x");
}

void TestAdminApi::badQueriesAreRefused()
{
    QFETCH(const QByteArray, query);
    AdminRelay admin;
    QCOMPARE(admin.json("GET /-/api/clients?" + query, 400).value(QStringLiteral("error")),
             QJsonValue(QStringLiteral("bad_parameter")));
    QCOMPARE(admin.json("GET /-/api/channels?" + query, 400).value(QStringLiteral("error")),
             QJsonValue(QStringLiteral("bad_parameter")));
}

void TestAdminApi::publishes_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<bool>("isText");
    const QByteArray chat = "/-/api/channels/chat/42/publish";
    QTest::newRow("text") << chat << QByteArray("text/plain") << QByteArray("h\xc3\xa4") << true;
    QTest::newRow("JSON") << chat << QByteArray("application/json") << QByteArray("{}") << true;
    QTest::newRow("curl") << chat << QByteArray("application/x-www-form-urlencoded")
                          << QByteArray("a=b") << true;
    QTest::newRow("bytes") << chat << QByteArray("application/octet-stream")
                           << QByteArray("\xff\x00", 2) << false;
    QTest::newRow("root") << QByteArray("/-/api/channels/%2F/publish") << QByteArray("text/plain")
                          << QByteArray("x") << true;
}

/// Everybody in the channel gets what the operator says; the answer tells where it stands.
void TestAdminApi::publishes()
{
    QFETCH(const QByteArray, target);
    QFETCH(const QByteArray, type);
    QFETCH(const QByteArray, body);
    QFETCH(const bool, isText);
    const bool isRoot = target.contains("%2F");
    AdminRelay admin;
    WebClients clients;
    WebClient &client = connectTo(clients, admin.relay, isRoot ? "/" : "/chat/42");
    QVERIFY(client.waitUntilConnected());
    QVERIFY(admin.relay.waitForClients(1));
    const QJsonObject answer = admin.json("POST " + target, 200, withBody(type, body));
    QCOMPARE(answer.value(QStringLiteral("channel")).toString(),
             isRoot ? QStringLiteral("/") : QStringLiteral("chat/42"));
    QCOMPARE(answer.value(QStringLiteral("offset")).toInt(), 1);
    QCOMPARE(answer.value(QStringLiteral("clients")).toInt(), 1);
    QVERIFY(!answer.value(QStringLiteral("epoch")).toString().isEmpty());
    QVERIFY(client.waitForMessages(1));
    QCOMPARE(client.received().front().payload, body);
    QCOMPARE(client.received().front().kind, isText ? MessageKind::Text : MessageKind::Binary);
}

void TestAdminApi::refusesToPublish_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    QTest::newRow("no UTF-8") << QByteArray("chat/publish") << QByteArray("\xff") << 400;
    QTest::newRow("at the limit") << QByteArray("chat/publish") << QByteArray(1000, 'x') << 200;
    QTest::newRow("too big") << QByteArray("chat/publish") << QByteArray(1001, 'x') << 413;
    QTest::newRow("pattern") << QByteArray("chat/*/publish") << QByteArray("x") << 404;
    QTest::newRow("bad name") << QByteArray("chat//publish") << QByteArray("x") << 404;
    QTest::newRow("the relay's own") << QByteArray("-/x/publish") << QByteArray("x") << 404;
    QTest::newRow("no name") << QByteArray("/publish") << QByteArray("x") << 404;
    QTest::newRow("no verb") << QByteArray("chat") << QByteArray("x") << 404;
    QTest::newRow("other verb") << QByteArray("chat/shout") << QByteArray("x") << 404;
}

void TestAdminApi::refusesToPublish()
{
    QFETCH(const QByteArray, target);
    QFETCH(const QByteArray, body);
    QFETCH(const int, status);
    HubOptions options = testOptions();
    options.limits.messageSize = 1000;
    AdminRelay admin(options);
    const QJsonObject answer =
        admin.json("POST /-/api/channels/" + target, status, withBody("text/plain", body));
    QCOMPARE(answer.contains(QStringLiteral("error")), status != 200);
    QVERIFY(!answer.isEmpty());
    QCOMPARE(admin.relay.hub().counters().messages, quint64(status == 200 ? 1 : 0));
}

/// What will not be taken is not held in memory, either: its length is enough to refuse it.
void TestAdminApi::tooLongMessageIsRefusedBeforeItIsRead()
{
    HubOptions options = testOptions();
    options.limits.messageSize = 1000;
    AdminRelay admin(options);
    HttpClient client(admin.server.port());
    client.send("POST /-/api/channels/chat/publish HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Length: 1001\r\n\r\n");
    const auto answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 413);
    QCOMPARE(QJsonDocument::fromJson(answer->body).object().value(QStringLiteral("error")),
             QJsonValue(QStringLiteral("too_big")));
    QVERIFY2(answer->body.contains("1000") && answer->body.contains("limits.message_size"),
             answer->body.constData());
}

/// What is kept is gone, and positions go on: nobody takes a new message for an old one.
void TestAdminApi::clearsAHistory()
{
    AdminRelay admin;
    const auto chat = ChannelName::fromPath("/chat").value();
    WebClients clients;
    QVERIFY(connectTo(clients, admin.relay, "/chat").waitUntilConnected());
    QVERIFY(admin.relay.waitForClients(1));
    for (int i = 0; i < 5; ++i) {
        QCOMPARE(admin.relay.hub().publish(chat, "hello", MessageKind::Text).status,
                 Hub::Published::Accepted);
    }
    QVERIFY(admin.relay.hub().historyBytes() > 0);
    QCOMPARE(admin.json("DELETE /-/api/channels/chat/history"),
             QJsonObject({{QStringLiteral("cleared"), QStringLiteral("chat")}}));
    // The channel itself is counted until the ledger comes to it.
    QVERIFY(admin.relay.hub().historyBytes() <= HistoryLedger::kChannelCost);
    const auto page = admin.get<Page<ChannelRow>>("/-/api/channels");
    QVERIFY(page && page->rows.size() == 1);
    QCOMPARE(page->rows[0].historyMessages, 0);
    QCOMPARE(page->rows[0].historyBytes, 0);
    QCOMPARE(page->rows[0].offset, 5);
    QCOMPARE(admin.relay.hub().publish(chat, "hello", MessageKind::Text).position.offset, 6U);
    QCOMPARE(
        admin.json("DELETE /-/api/channels/nobody/history", 404).value(QStringLiteral("error")),
        QJsonValue(QStringLiteral("no_such_channel")));
}

void TestAdminApi::disconnectsAClient()
{
    AdminRelay admin;
    const WebClients clients = admin.relay.connectClients(2);
    QCOMPARE(clients.size(), std::size_t{2});
    const auto page = admin.get<Page<ClientRow>>("/-/api/clients?sort=id");
    QVERIFY(page && page->rows.size() == 2);
    const QByteArray id = QByteArray::number(page->rows[0].id);
    QCOMPARE(admin.json("POST /-/api/clients/" + id + "/disconnect")
                 .value(QStringLiteral("disconnected"))
                 .toInteger(),
             page->rows[0].id);
    QVERIFY(admin.relay.waitForEvents(HubEvent::Kind::Disconnected, 1));
    const HubEvent event = admin.relay.events(HubEvent::Kind::Disconnected).front();
    QCOMPARE(static_cast<qint64>(toNumber(event.client)), page->rows[0].id);
    QCOMPARE(event.closeCode, 1008);
    QVERIFY(admin.relay.waitForClients(1));
    QCOMPARE(
        admin.json("POST /-/api/clients/" + id + "/disconnect", 404).value(QStringLiteral("error")),
        QJsonValue(QStringLiteral("no_such_client")));
}

void TestAdminApi::pathsThatMeanNothingAreNotFound_data()
{
    QTest::addColumn<QByteArray>("request");
    for (const char *line :
         {"POST /-/api/clients/x/disconnect", "POST /-/api/clients/-1/disconnect",
          "POST /-/api/clients/1/2/disconnect", "POST /-/api/clients/disconnect",
          "POST /-/api/clients/18446744073709551616/disconnect", "POST /-/api/clients/1",
          "POST /-/api/clients/+1/disconnect", "POST /-/api/clients/9223372036854775808/disconnect",
          "DELETE /-/api/channels/chat", "DELETE /-/api/channels/*/history",
          "DELETE /-/api/channels//history", "GET /-/api/nothing", "GET /-/api/clients/1"})
    {
        QTest::newRow(line) << QByteArray(line);
    }
}

void TestAdminApi::pathsThatMeanNothingAreNotFound()
{
    QFETCH(const QByteArray, request);
    AdminRelay admin;
    const auto answer = relay::request(admin.server.port(), request);
    QVERIFY(answer);
    // GET on a path that takes POST is told so.
    QCOMPARE(answer->status, request == "GET /-/api/clients/1" ? 405 : 404);
}

/// A script whose variable is empty does not clear the room that everybody is in.
void TestAdminApi::forgottenNameIsNotTheRoot()
{
    AdminRelay admin;
    QCOMPARE(admin.relay.hub().publish("kept", MessageKind::Text), Hub::Published::Accepted);
    const auto keptByRoot = [&] {
        const auto page = admin.get<Page<ChannelRow>>("/-/api/channels");
        return page && page->rows.size() == 1 ? page->rows[0].historyMessages : -1;
    };
    QVERIFY(!admin.json("DELETE /-/api/channels//history", 404).isEmpty());
    QCOMPARE(keptByRoot(), 1);
    QVERIFY(!admin.json("DELETE /-/api/channels/%2F/history").isEmpty());
    QCOMPARE(keptByRoot(), 0);
}

/// Everybody is sent away over the time, the balancer is told at once, and nobody new is let in.
void TestAdminApi::drains()
{
    AdminRelay admin;
    const WebClients clients = admin.relay.connectClients(20);
    QCOMPARE(clients.size(), std::size_t{20});
    for (const char *within : {"30s", "-1", "3601", "", "x"}) {
        QCOMPARE(admin.json(QByteArray("POST /-/api/drain?within=") + within, 400)
                     .value(QStringLiteral("error")),
                 QJsonValue(QStringLiteral("bad_parameter")));
    }
    QVERIFY(!admin.relay.hub().isDraining());
    bool isRequested = false;
    QObject::connect(&admin.api, &AdminApi::drainRequested, &admin.api,
                     [&] { isRequested = true; });

    const auto start = std::chrono::steady_clock::now();
    QCOMPARE(admin.json("POST /-/api/drain?within=1"),
             QJsonObject({{QStringLiteral("clients"), 20}, {QStringLiteral("within_seconds"), 1}}));
    QVERIFY(isRequested);
    const auto ready = request(admin.server.port(), "GET /-/readyz");
    QVERIFY(ready);
    QCOMPARE(ready->status, 503);
    QCOMPARE(ready->body, QByteArray("draining\n"));
    QTcpSocket late;
    late.connectToHost(QHostAddress(QHostAddress::LocalHost), admin.relay.port());
    QVERIFY(!late.waitForConnected());

    QVERIFY(admin.relay.waitForClients(0));
    QVERIFY(std::chrono::steady_clock::now() - start > 500ms);
    const std::vector<HubEvent> gone = admin.relay.events(HubEvent::Kind::Disconnected);
    QCOMPARE(gone.size(), std::size_t{20});
    for (const HubEvent &event : gone) {
        QCOMPARE(event.closeCode, 1001);
    }
    QCOMPARE(admin.get<Overview>("/-/api/overview")->state, QStringLiteral("draining"));
}

/// Who gave too long a time is not bound to it: what is answered is what happens.
void TestAdminApi::secondDrainReplacesTheFirst()
{
    AdminRelay admin;
    const WebClients clients = admin.relay.connectClients(4);
    QCOMPARE(clients.size(), std::size_t{4});
    QVERIFY(!admin.json("POST /-/api/drain?within=3600").isEmpty());
    QVERIFY(!admin.json("POST /-/api/drain?within=0").isEmpty());
    QVERIFY(admin.relay.waitForClients(0));
}

/// A relay that ends sends its clients away itself; it does not promise them another time.
void TestAdminApi::closingRelayDoesNotDrain()
{
    AdminRelay admin;
    admin.relay.hub().close(0ms);
    QCOMPARE(admin.json("POST /-/api/drain", 503).value(QStringLiteral("error")),
             QJsonValue(QStringLiteral("stopping")));
}

/// With a token in force nothing is changed without it, not even on loopback; what is refused has
/// not happened.
void TestAdminApi::changesNeedTheToken()
{
    OpsOptions options = anyPort();
    options.token = kToken;
    options.readWithoutToken = true;
    AdminRelay admin(testOptions(), options);
    const WebClients clients = admin.relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    const auto page = admin.get<Page<ClientRow>>("/-/api/clients");
    QVERIFY(page && page->rows.size() == 1);
    const QByteArray id = QByteArray::number(page->rows[0].id);
    for (const QByteArray &line :
         {QByteArray("POST /-/api/clients/" + id + "/disconnect"),
          QByteArray("POST /-/api/channels/chat/publish"),
          QByteArray("DELETE /-/api/channels/%2F/history"), QByteArray("POST /-/api/drain")})
    {
        for (const QByteArray &fields :
             {QByteArray(), QByteArray("Authorization: Bearer wrong\r\n\r\n")}) {
            const auto answer = request(admin.server.port(), line, fields);
            QVERIFY(answer);
            QCOMPARE(answer->status, 401);
            QVERIFY(answer->fields.value("www-authenticate").startsWith("Bearer "));
        }
    }
    QVERIFY(!admin.relay.hub().isDraining());
    QCOMPARE(admin.relay.hub().clientCount(), 1);
    QCOMPARE(admin.relay.hub().counters().messages, quint64{0});

    const QByteArray authorized = "Authorization: Bearer " + kToken + "\r\n\r\n";
    QVERIFY(!admin.json("POST /-/api/clients/" + id + "/disconnect", 200, authorized).isEmpty());
    QVERIFY(!admin.json("POST /-/api/drain?within=0", 200, authorized).isEmpty());
}

/// A page on the operator's screen, or a name that was made to point here, does not reach the relay
/// with his browser.
void TestAdminApi::foreignPagesMayNothing()
{
    AdminRelay admin;
    for (const char *target : {"GET /-/api/clients", "POST /-/api/drain", "GET /metrics"}) {
        QVERIFY(!admin.json(target, 403, "Origin: https://evil.example\r\n\r\n").isEmpty());
    }
    HttpClient rebound(admin.server.port());
    rebound.send("GET /-/api/clients HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    const auto answer = rebound.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 403);
    QVERIFY(!admin.relay.hub().isDraining());
}

/// Who does not wait for his answer costs nothing and hinders nobody.
void TestAdminApi::clientMayGoWhileItsAnswerIsPending()
{
    HubOptions options = testOptions(1);
    AdminRelay admin(options);
    const WebClients clients = admin.relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    WorkerHold hold(admin.relay.hub(), "hold");
    clients.front()->sendText("hold");
    QVERIFY(hold.waitUntilHeld());
    for (const char *target : {"GET /-/api/clients", "POST /-/api/clients/1/disconnect"}) {
        HttpClient impatient(admin.server.port());
        impatient.send(QByteArray(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        QVERIFY(waitFor([&] { return admin.server.connectionCount() == 1; }));
        impatient.socket().abort();
        QVERIFY(waitFor([&] { return admin.server.connectionCount() == 0; }));
    }
    hold.release();
    const auto page = admin.get<Page<ClientRow>>("/-/api/clients");
    QVERIFY(page);
}

/// Who asks while the relay closes is answered at once, one way or the other.
void TestAdminApi::closingHubAnswersOrSaysThatItCannot()
{
    for (int round = 0; round < 20; ++round) {
        AdminRelay admin;
        const WebClients clients = admin.relay.connectClients(4);
        QCOMPARE(clients.size(), std::size_t{4});
        HttpClient client(admin.server.port());
        client.send("GET /-/api/clients HTTP/1.1\r\nHost: localhost\r\n\r\n");
        for (int turn = 0; turn < round % 5; ++turn) {
            QCoreApplication::processEvents();
        }
        admin.relay.hub().close(0ms);
        QElapsedTimer time;
        time.start();
        const auto answer = client.answer();
        QVERIFY(answer);
        QVERIFY2(answer->status == 200 || answer->status == 503,
                 qPrintable(QString::number(answer->status)));
        QVERIFY(time.elapsed() < 5000); // half of what a request may take
    }
}

void TestAdminApi::closedHubSaysThatItCannot()
{
    AdminRelay admin;
    bool isClosed = false;
    QObject::connect(&admin.relay.hub(), &Hub::closed, &admin.api, [&] { isClosed = true; });
    admin.relay.hub().close(0ms);
    QVERIFY(waitFor([&] { return isClosed; }));
    for (const char *line : {"GET /-/api/clients", "POST /-/api/clients/1/disconnect",
                             "POST /-/api/channels/chat/publish"})
    {
        const auto answer = request(admin.server.port(), line);
        QVERIFY(answer);
        QCOMPARE(answer->status, 503);
    }
}

RELAY_TEST(TestAdminApi)
#include "tst_admin_api.moc"
