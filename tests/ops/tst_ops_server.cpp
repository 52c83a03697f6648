#include "ops/ops_server.h"

#include "http_client.h"
#include "some_options.h"
#include "support/test_main.h"
#include "support/wait_for.h"

#include <QTcpServer>
#include <QTest>

#include <chrono>
#include <deque>
#include <tuple>
#include <vector>

using namespace relay;

/// What the ops port answers, and where it listens, over real sockets.
class TestOpsServer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // What it answers
    void routeAnswers_data();
    void routeAnswers();
    void headHasTheFieldsOfGetAndNoBody_data();
    void headHasTheFieldsOfGetAndNoBody();
    void readyFollowsReadiness();
    void whatIsWrongIsTold();
    void metricsAreReadAnewForEachRequest();
    void indexNamesEveryRoute();
    void wrongMethodNamesTheRightOnes();

    // Too many connections
    void connectionLimitHolds();
    void idleConnectionsGiveWay();
    void answeredConnectionsGiveWayFirst();
    void healthAlwaysHasAPlace();
    void healthPlacesServeNothingElse();

    // Listening
    void portInUseIsSaidClearly();
    void badAddressIsSaidClearly_data();
    void badAddressIsSaidClearly();
    void publicAddressNeedsAToken();
    void disabledPortIsNotOpened();
};

void TestOpsServer::routeAnswers_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("contentType");
    QTest::addColumn<QByteArray>("bodyHolds");
    const QByteArray text = "text/plain; charset=utf-8";
    const QByteArray metrics = "text/plain; version=0.0.4; charset=utf-8";
    QTest::newRow("metrics") << QByteArray("/metrics") << 200 << metrics
                             << QByteArray("\nwebsocket_connected_clients 42\n");
    QTest::newRow("with a query") << QByteArray("/metrics?name[]=x") << 200 << metrics
                                  << QByteArray("websocket_connected_clients 42");
    QTest::newRow("absolute form") << QByteArray("http://localhost:9464/metrics") << 200 << metrics
                                   << QByteArray("websocket_connected_clients 42");
    QTest::newRow("absolute form without path")
        << QByteArray("HTTP://localhost") << 200 << text << QByteArray("/metrics");
    QTest::newRow("health") << QByteArray("/-/healthz") << 200 << text << QByteArray("alive\n");
    QTest::newRow("not ready") << QByteArray("/-/readyz") << 503 << text
                               << QByteArray("starting\n");
    QTest::newRow("index") << QByteArray("/") << 200 << text << QByteArray("/metrics");
    QTest::newRow("unknown") << QByteArray("/nothing") << 404 << text << QByteArray("GET /");
    QTest::newRow("below a path") << QByteArray("/metrics/") << 404 << text << QByteArray("GET /");
    QTest::newRow("other case") << QByteArray("/Metrics") << 404 << text << QByteArray("GET /");
}

/// Each route gives its status, type and text; what is no route gives 404 and says where to look.
void TestOpsServer::routeAnswers()
{
    QFETCH(const QByteArray, target);
    QFETCH(const QByteArray, contentType);
    QFETCH(const QByteArray, bodyHolds);
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());

    const std::optional<Answer> answer = request(server.port(), "GET " + target);
    QVERIFY(answer);
    QTEST(answer->status, "status");
    QCOMPARE(answer->fields.value("content-type"), contentType);
    QVERIFY2(answer->body.contains(bodyHolds), answer->body.constData());
}

void TestOpsServer::headHasTheFieldsOfGetAndNoBody_data()
{
    QTest::addColumn<QByteArray>("target");
    for (const char *target : {"/", "/metrics", "/-/healthz", "/-/readyz", "/nothing"}) {
        QTest::newRow(target) << QByteArray(target);
    }
}

/// HEAD tells what GET would, its length too, without the body: the connection goes on right behind
/// the head.
void TestOpsServer::headHasTheFieldsOfGetAndNoBody()
{
    QFETCH(const QByteArray, target);
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());

    HttpClient client(server.port());
    client.send("HEAD " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::optional<Answer> head = client.answer(true);
    client.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::optional<Answer> get = client.answer();
    QVERIFY(head && get);
    QCOMPARE(head->status, get->status);
    QCOMPARE(head->fields, get->fields);
    QVERIFY(!get->body.isEmpty());
}

/// A balancer takes the relay out of service as soon as it stops, and in as soon as it serves.
void TestOpsServer::readyFollowsReadiness()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());

    using Readiness = OpsServer::Readiness;
    const std::vector<std::tuple<Readiness, int, QByteArray>> answers{
        {Readiness::Starting, 503, "starting\n"},
        {Readiness::Ready, 200, "ready\n"},
        {Readiness::Draining, 503, "draining\n"},
        {Readiness::Stopping, 503, "stopping\n"},
    };
    for (const auto &[readiness, status, body] : answers) {
        server.setReadiness(readiness);
        const std::optional<Answer> answer = request(server.port(), "GET /-/readyz");
        QVERIFY(answer);
        QCOMPARE(answer->status, status);
        QCOMPARE(answer->body, body);
    }
    const std::optional<Answer> answer = request(server.port(), "GET /-/healthz");
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
}

/// A relay that cannot serve says so on both health checks, and why; also while it drains.
void TestOpsServer::whatIsWrongIsTold()
{
    OpsServer server(anyPort(), someMetrics);
    QByteArray complaint;
    server.setHealthSource([&complaint] { return complaint; });
    server.setReadiness(OpsServer::Readiness::Ready);
    QVERIFY(server.listen());
    const auto check = [&](const QByteArray &target, int status, const QByteArray &body) {
        const std::optional<Answer> answer = request(server.port(), "GET " + target);
        QVERIFY(answer);
        QCOMPARE(answer->status, status);
        QCOMPARE(answer->body, body);
    };
    check("/-/healthz", 200, "alive\n");
    check("/-/readyz", 200, "ready\n");
    complaint = "worker 1 has not answered for 5 seconds";
    check("/-/healthz", 503, complaint + '\n');
    check("/-/readyz", 503, complaint + '\n');
    server.setReadiness(OpsServer::Readiness::Draining);
    check("/-/readyz", 503, complaint + '\n');
    complaint.clear();
    check("/-/healthz", 200, "alive\n");
    check("/-/readyz", 503, "draining\n");
}

/// Nothing is cached between scrapes, and nothing but a scrape asks for the numbers.
void TestOpsServer::metricsAreReadAnewForEachRequest()
{
    int calls = 0;
    OpsServer server(anyPort(), [&calls] {
        MetricsInput input = someMetrics();
        input.connectedClients = ++calls;
        return input;
    });
    QVERIFY(server.listen());
    QVERIFY(request(server.port(), "GET /-/healthz"));
    QVERIFY(request(server.port(), "POST /metrics"));
    QCOMPARE(calls, 0);
    for (const int scrape : {1, 2}) {
        const QByteArray line =
            "\nwebsocket_connected_clients " + QByteArray::number(scrape) + '\n';
        const std::optional<Answer> answer = request(server.port(), "GET /metrics");
        QVERIFY(answer);
        QVERIFY(answer->body.contains(line));
    }
}

/// Whoever opens the port in a browser sees what there is, routes of other parts too, and each of
/// them answers.
void TestOpsServer::indexNamesEveryRoute()
{
    OpsServer server(anyPort(), someMetrics);
    server.addRoute({"GET", "/other", "of another part",
                     answering([](const RoutedRequest &) { return plainResponse(200, "other"); })});
    QVERIFY(server.listen());
    const std::optional<Answer> index = request(server.port(), "GET /");
    QVERIFY(index);
    int routes = 0;
    for (const QByteArray &line : index->body.split('\n')) {
        if (line.startsWith("GET ")) {
            ++routes;
            const std::optional<Answer> answer =
                request(server.port(), line.simplified().split(' ').mid(0, 2).join(' '));
            QVERIFY(answer);
            QVERIFY2(answer->status != 404, line.constData());
        }
    }
    QCOMPARE(routes, 5);
    QVERIFY(index->body.contains("of another part"));
}

/// 405 says by Allow what would have been right (RFC 9110, section 15.5.6).
void TestOpsServer::wrongMethodNamesTheRightOnes()
{
    OpsServer server(anyPort(), someMetrics);
    server.addRoute(
        {"POST", "/both", "", answering([](const RoutedRequest &) { return HttpResponse(); })});
    server.addRoute(
        {"GET", "/both", "", answering([](const RoutedRequest &) { return HttpResponse(); })});
    QVERIFY(server.listen());
    for (const char *method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "FROB"}) {
        const std::optional<Answer> answer =
            request(server.port(), QByteArray(method) + " /metrics");
        QVERIFY(answer);
        QCOMPARE(answer->status, 405);
        QCOMPARE(answer->fields.value("allow"), QByteArray("GET, HEAD"));
    }
    const std::optional<Answer> answer = request(server.port(), "PUT /both");
    QVERIFY(answer);
    QCOMPARE(answer->fields.value("allow"), QByteArray("POST, GET, HEAD"));
}

/// As many connections as the limit says are served at once; one more is told 503, and its place is
/// free again afterwards.
void TestOpsServer::connectionLimitHolds()
{
    OpsOptions options = anyPort();
    options.limits.maxConnections = 3;
    OpsServer server(options, someMetrics);
    QVERIFY(server.listen());

    std::deque<HttpClient> clients;
    for (int i = 0; i < 3; ++i) {
        HttpClient &client = clients.emplace_back(server.port());
        client.send(kGetHealth);
        const std::optional<Answer> answer = client.answer();
        QVERIFY(answer);
        QCOMPARE(answer->status, 200);
    }
    HttpClient oneMore(server.port());
    oneMore.send(kGetIndex);
    const std::optional<Answer> refusal = oneMore.answer();
    QVERIFY(refusal);
    QCOMPARE(refusal->status, 503);
    QVERIFY(oneMore.endsSilently());

    for (HttpClient &client : clients) {
        client.send(kGetHealth);
        QVERIFY(client.answer());
    }
    clients.pop_front();
    QTRY_COMPARE(server.connectionCount(), 2);
    const std::optional<Answer> answer = request(server.port(), "GET /");
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
}

/// Connections that say nothing, or half a request, do not keep others out; those that wait for an answer stay.
void TestOpsServer::idleConnectionsGiveWay()
{
    OpsOptions options = anyPort();
    options.limits.maxConnections = 2;
    options.limits.requestTimeout = std::chrono::minutes(1);
    OpsServer server(options, someMetrics);
    ReplyPtr awaited;
    server.addRoute({"GET", "/slow", "",
                     [&](const RoutedRequest &, const ReplyPtr &reply) { awaited = reply; }});
    QVERIFY(server.listen());

    HttpClient busy(server.port());
    busy.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    QTRY_VERIFY(awaited != nullptr);
    HttpClient silent(server.port());
    silent.send("GET /-/hea");
    QTRY_COMPARE(server.connectionCount(), 2);
    // One that has only just come is not taken for idle; after a second it is.
    const auto indexStatus = [&] {
        const std::optional<Answer> answer = request(server.port(), "GET /");
        return answer ? answer->status : 0;
    };
    QCOMPARE(indexStatus(), 503);
    QVERIFY(test::waitFor([&] { return indexStatus() == 200; }));
    QVERIFY(silent.endsSilently());
    awaited->send(plainResponse(200, "at last"));
    const std::optional<Answer> answer = busy.answer();
    QVERIFY(answer);
    QCOMPARE(answer->body, QByteArray("at last\n"));
}

/// A connection that has its answer, and whose peer does not end it, gives way to the next: however many refused requests
/// linger (a POST whose body is not read), all that follow are served.
void TestOpsServer::answeredConnectionsGiveWayFirst()
{
    OpsOptions options = anyPort();
    options.limits.maxConnections = 4;
    options.limits.requestTimeout = std::chrono::minutes(1);
    OpsServer server(options, someMetrics);
    QVERIFY(server.listen());

    std::deque<HttpClient> refused;
    for (int i = 0; i < 40; ++i) {
        HttpClient &client = refused.emplace_back(server.port());
        client.send("POST /-/api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
        const std::optional<Answer> refusal = client.answer();
        QVERIFY(refusal);
        QCOMPARE(refusal->status, 404);
        QVERIFY(server.connectionCount() <= 2 * options.limits.maxConnections);
        for (const char *target : {"GET /-/healthz", "GET /metrics"}) {
            const std::optional<Answer> answer = request(server.port(), target);
            QVERIFY(answer);
            QCOMPARE(answer->status, 200);
        }
    }
}

/// While all places are taken by connections that have only just come, or wait for answers, and more of them try to take the
/// rest, every health check is answered.
void TestOpsServer::healthAlwaysHasAPlace()
{
    OpsOptions options = anyPort();
    options.limits.maxConnections = 4;
    options.limits.requestTimeout = std::chrono::minutes(1);
    OpsServer server(options, someMetrics);
    std::vector<ReplyPtr> awaited;
    server.addRoute({"GET", "/slow", "", [&](const RoutedRequest &, const ReplyPtr &reply) {
                         awaited.push_back(reply);
                     }});
    QVERIFY(server.listen());
    std::deque<HttpClient> busy;
    for (std::size_t i = 0; i < 4; ++i) {
        busy.emplace_back(server.port()).send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
        QTRY_COMPARE(awaited.size(), i + 1);
    }
    std::deque<HttpClient> silent;
    for (int i = 0; i < 40; ++i) {
        silent.emplace_back(server.port());
        for (const char *target : {"GET /-/healthz", "HEAD /-/healthz"}) {
            const std::optional<Answer> health = request(server.port(), target);
            QVERIFY(health);
            QCOMPARE(health->status, 200);
        }
        QVERIFY(server.connectionCount() <= 2 * options.limits.maxConnections);
    }
    QCOMPARE(awaited.size(), 4U);
}

/// A connection in a place for health checks gets one answer, and ends: it cannot become one that is served in full.
void TestOpsServer::healthPlacesServeNothingElse()
{
    OpsOptions options = anyPort();
    options.limits.maxConnections = 1;
    OpsServer server(options, someMetrics);
    QVERIFY(server.listen());
    HttpClient served(server.port());
    QTRY_COMPARE(server.connectionCount(), 1);

    HttpClient health(server.port());
    health.send(kGetHealth + kGetIndex);
    const std::optional<Answer> answer = health.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
    QCOMPARE(answer->fields.value("connection"), QByteArray("close"));
    QVERIFY(health.endsSilently());

    HttpClient other(server.port());
    other.send(kGetIndex + kGetHealth);
    const std::optional<Answer> refusal = other.answer();
    QVERIFY(refusal);
    QCOMPARE(refusal->status, 503);
    QVERIFY(refusal->body.contains("metrics.connections"));
    QVERIFY(other.endsSilently());

    served.send(kGetIndex);
    QVERIFY(served.answer());
}

/// Two relays with one configuration: the second says what is wrong and what to do.
void TestOpsServer::portInUseIsSaidClearly()
{
    QTcpServer other;
    QVERIFY(other.listen(QHostAddress(QHostAddress::LocalHost)));
    OpsOptions options = anyPort();
    options.port = other.serverPort();
    OpsServer server(options, someMetrics);
    const Outcome outcome = server.listen();
    QVERIFY(!outcome);
    QCOMPARE(
        outcome.error().message,
        QStringLiteral("metrics.port %1 on 127.0.0.1: the address is in use: another relay may "
                       "be running; choose another metrics.port")
            .arg(other.serverPort()));
    QCOMPARE(server.port(), 0);
}

void TestOpsServer::badAddressIsSaidClearly_data()
{
    QTest::addColumn<QString>("address");
    QTest::addColumn<QString>("messageHolds");
    QTest::newRow("a name") << QStringLiteral("localhost") << QStringLiteral("not an IP address");
    QTest::newRow("empty") << QString() << QStringLiteral("not an IP address");
    QTest::newRow("not of this machine")
        << QStringLiteral("192.0.2.1") << QStringLiteral("no such address");
}

/// The text names the key, what it was, and what would be right.
void TestOpsServer::badAddressIsSaidClearly()
{
    QFETCH(const QString, address);
    QFETCH(const QString, messageHolds);
    OpsOptions options = anyPort();
    options.address = address;
    options.token = "a token of the relay";
    OpsServer server(options, someMetrics);
    const Outcome outcome = server.listen();
    QVERIFY(!outcome);
    const QString message = outcome.error().message;
    QVERIFY2(message.contains(messageHolds), qPrintable(message));
    QVERIFY2(message.contains(address), qPrintable(message));
    QVERIFY2(message.contains(QStringLiteral("metrics.address")), qPrintable(message));
}

/// No relay can be steered from elsewhere by who has no token: the port is not even opened.
void TestOpsServer::publicAddressNeedsAToken()
{
    for (const char *address : {"0.0.0.0", "::", "192.0.2.1"}) {
        OpsOptions options = anyPort();
        options.address = QString::fromLatin1(address);
        OpsServer server(options, someMetrics);
        const Outcome outcome = server.listen();
        QVERIFY(!outcome);
        QVERIFY2(outcome.error().message.contains(QStringLiteral("ops.token_file")),
                 qPrintable(outcome.error().message));
        QCOMPARE(server.port(), 0);
    }
}

/// `metrics.enabled: false` opens nothing.
void TestOpsServer::disabledPortIsNotOpened()
{
    OpsOptions options = anyPort();
    options.enabled = false;
    OpsServer server(options, someMetrics);
    QVERIFY(server.listen());
    QCOMPARE(server.port(), 0);
}

RELAY_TEST(TestOpsServer)
#include "tst_ops_server.moc"
