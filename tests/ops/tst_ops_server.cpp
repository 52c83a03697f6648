#include "ops/ops_server.h"

#include "http_client.h"

#include <QTcpServer>
#include <QTest>

#include <deque>

using namespace relay;
using namespace std::chrono_literals;

namespace {

const QByteArray kGetHealth = "GET /-/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

OpsOptions anyPort()
{
    OpsOptions options;
    options.port = 0;
    return options;
}

OpsOptions impatient()
{
    OpsOptions options = anyPort();
    options.limits.requestTimeout = 50ms;
    return options;
}

MetricsInput someMetrics()
{
    MetricsInput input;
    input.connectedClients = 42;
    input.protocolRuleLabels.fill("rule");
    return input;
}

} // namespace

/// The ops port over real sockets.
class TestOpsServer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // What it answers
    void routeAnswers_data();
    void routeAnswers();
    void headHasTheFieldsOfGetAndNoBody_data();
    void headHasTheFieldsOfGetAndNoBody();
    void readyFollowsSetReady();
    void metricsAreReadAnewForEachRequest();
    void indexNamesEveryRoute();
    void wrongMethodNamesTheRightOnes();

    // Connections
    void pipelinedRequestsAreAnsweredInOrder();
    void longPipelineIsAnsweredToTheEnd();
    void requestMayArriveByteByByte();
    void connectionIsKeptOrClosedAsAsked_data();
    void connectionIsKeptOrClosedAsAsked();
    void halfClosedClientIsAnswered();

    // Hostile and broken clients
    void badRequestIsAnsweredAndClosed_data();
    void badRequestIsAnsweredAndClosed();
    void headLimitIsExact();
    void answerSurvivesABodyThatWasNotRead();
    void slowHeadTimesOut();
    void idleConnectionIsClosedSilently_data();
    void idleConnectionIsClosedSilently();
    void unreadAnswersDoNotPileUp();
    void vanishedClientsAreForgotten();
    void connectionLimitHolds();
    void connectionsBeyondTwiceTheLimitAreClosed();

    // Listening
    void portInUseIsSaidClearly();
    void badAddressIsSaidClearly_data();
    void badAddressIsSaidClearly();
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
                               << QByteArray("stopping\n");
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
    client.send("HEAD " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::optional<Answer> head = client.answer(true);
    client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::optional<Answer> get = client.answer();
    QVERIFY(head && get);
    QCOMPARE(head->status, get->status);
    QCOMPARE(head->fields, get->fields);
    QVERIFY(!get->body.isEmpty());
}

/// A balancer takes the relay out of service as soon as it stops, and in as soon as it serves.
void TestOpsServer::readyFollowsSetReady()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());

    server.setReady(true);
    std::optional<Answer> answer = request(server.port(), "GET /-/readyz");
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
    QCOMPARE(answer->body, QByteArray("ready\n"));

    server.setReady(false);
    answer = request(server.port(), "GET /-/readyz");
    QVERIFY(answer);
    QCOMPARE(answer->status, 503);
    QCOMPARE(answer->body, QByteArray("stopping\n"));

    answer = request(server.port(), "GET /-/healthz");
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
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
                     [](const HttpRequest &) { return plainResponse(200, "other"); }});
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
    server.addRoute({"POST", "/both", "", [](const HttpRequest &) { return HttpResponse(); }});
    server.addRoute({"GET", "/both", "", [](const HttpRequest &) { return HttpResponse(); }});
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

/// Requests that arrive in one piece are answered one after the other, each with its own answer.
void TestOpsServer::pipelinedRequestsAreAnsweredInOrder()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send("GET /-/healthz HTTP/1.1\r\nHost: a\r\n\r\n"
                "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
                "GET /-/readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    for (const int status : {200, 404, 503}) {
        const std::optional<Answer> answer = client.answer();
        QVERIFY(answer);
        QCOMPARE(answer->status, status);
    }
    QVERIFY(client.endsSilently());
}

/// A pipeline that is longer than the read buffer does not come to a halt when the buffer was full.
void TestOpsServer::longPipelineIsAnsweredToTheEnd()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    constexpr int kRequests = 2000;
    QVERIFY(kRequests * kGetHealth.size() > 4 * HttpLimits().headBytes);
    HttpClient client(server.port());
    client.send(kGetHealth.repeated(kRequests));
    for (int i = 0; i < kRequests; ++i) {
        const std::optional<Answer> answer = client.answer();
        QVERIFY2(answer, qPrintable(QString::number(i)));
        QCOMPARE(answer->status, 200);
    }
}

/// A request is the same request however the network cuts it.
void TestOpsServer::requestMayArriveByteByByte()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    for (const char byte : kGetHealth) {
        QVERIFY(!client.socket().bytesAvailable());
        client.send(QByteArray(1, byte));
        QCoreApplication::processEvents();
    }
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
    QCOMPARE(answer->body, QByteArray("alive\n"));
}

void TestOpsServer::connectionIsKeptOrClosedAsAsked_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<bool>("kept");
    const QByteArray line = "GET /-/healthz HTTP/1.";
    QTest::newRow("1.1") << line + "1\r\nHost: a\r\n\r\n" << true;
    QTest::newRow("1.1 close") << line + "1\r\nHost: a\r\nConnection: close\r\n\r\n" << false;
    QTest::newRow("1.1 close in a list") << line + "1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"
                                         << false;
    QTest::newRow("1.0") << line + "0\r\n\r\n" << false;
    QTest::newRow("1.0 keep-alive") << line + "0\r\nConnection: keep-alive\r\n\r\n" << true;
    QTest::newRow("empty body") << line + "1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" << true;
    QTest::newRow("404") << QByteArray("GET /x HTTP/1.1\r\nHost: a\r\n\r\n") << true;
    QTest::newRow("405") << QByteArray("POST / HTTP/1.1\r\nHost: a\r\n\r\n") << true;
}

/// The connection serves another request when both sides agreed to that, and ends otherwise; the
/// answer says which.
void TestOpsServer::connectionIsKeptOrClosedAsAsked()
{
    QFETCH(const QByteArray, head);
    QFETCH(const bool, kept);
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(head);
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->fields.value("connection"), QByteArray(kept ? "keep-alive" : "close"));
    if (kept) {
        client.send(kGetHealth);
        QVERIFY(client.answer());
    } else {
        QVERIFY(client.endsSilently());
        QTRY_COMPARE(server.connectionCount(), 0);
    }
}

/// A client that says at once that it will send no more (as `nc -N`) still gets its answer.
void TestOpsServer::halfClosedClientIsAnswered()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(kGetHealth);
    client.finishSending();
    QVERIFY(client.answer());
    QVERIFY(client.endsSilently());
    QTRY_COMPARE(server.connectionCount(), 0);
}

void TestOpsServer::badRequestIsAnsweredAndClosed_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const QByteArray line = "GET /metrics HTTP/1.1\r\n";
    QTest::newRow("no HTTP") << QByteArray("hello\r\n\r\n") << 400;
    QTest::newRow("TLS") << QByteArray("\x16\x03\x01\x00\xa5", 5) << 400;
    QTest::newRow("no host") << line + "\r\n" << 400;
    QTest::newRow("two hosts") << line + "Host: a\r\nHost: b\r\n\r\n" << 400;
    QTest::newRow("bad length") << line + "Host: a\r\nContent-Length: x\r\n\r\n" << 400;
    QTest::newRow("two lengths")
        << line + "Host: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"
        << 400;
    QTest::newRow("100 fields and a host")
        << line + "Host: a\r\n" + QByteArray("x: y\r\n").repeated(100) + "\r\n"
        << 431;
    QTest::newRow("endless target") << "GET /" + QByteArray(20'000, 'a') << 431;
    QTest::newRow("body") << line + "Host: a\r\nContent-Length: 1\r\n\r\nx" << 413;
    QTest::newRow("body to come") << line + "Host: a\r\nContent-Length: 99999999999\r\n\r\n" << 413;
    QTest::newRow("chunked") << line + "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                             << 413;
    QTest::newRow("body to a path without POST")
        << QByteArray("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc") << 405;
}

/// What cannot be served is told, once, and the connection ends: what follows is never taken for a
/// request.
void TestOpsServer::badRequestIsAnsweredAndClosed()
{
    QFETCH(const QByteArray, bytes);
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(bytes + kGetHealth);
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QTEST(answer->status, "status");
    QCOMPARE(answer->fields.value("connection"), QByteArray("close"));
    QVERIFY(!answer->body.trimmed().isEmpty());
    QVERIFY(client.endsSilently());
}

/// A head of exactly the limit is served, one byte more is 431.
void TestOpsServer::headLimitIsExact()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    const QByteArray begin = "GET /-/healthz HTTP/1.1\r\nHost: a\r\nX: ";
    const qsizetype padding = HttpLimits().headBytes - begin.size() - 4;
    for (const qsizetype more : {0, 1}) {
        HttpClient client(server.port());
        client.send(begin + QByteArray(padding + more, 'x') + "\r\n\r\n");
        const std::optional<Answer> answer = client.answer();
        QVERIFY(answer);
        QCOMPARE(answer->status, more == 0 ? 200 : 431);
    }
}

/// A client that sends a large body first and reads afterwards finds the refusal: closing over
/// unread bytes would reset the connection and take the answer with it.
void TestOpsServer::answerSurvivesABodyThatWasNotRead()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.socket().setReadBufferSize(1); // nothing is read before everything is written
    client.send("GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 16000000\r\n\r\n"
                + QByteArray(16'000'000, 'x'));
    QTRY_COMPARE(client.socket().bytesToWrite(), 0);
    client.socket().setReadBufferSize(0);
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 413);
}

/// A head that never ends holds a connection no longer than the limit, and the client learns why.
void TestOpsServer::slowHeadTimesOut()
{
    OpsServer server(impatient(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send("GET /metrics HTTP/1.1\r\nHost: ");
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 408);
    QVERIFY(client.endsSilently());
    QTRY_COMPARE(server.connectionCount(), 0);
}

void TestOpsServer::idleConnectionIsClosedSilently_data()
{
    QTest::addColumn<int>("requestsBefore");
    QTest::newRow("never a byte") << 0;
    QTest::newRow("after a request") << 1;
    QTest::newRow("after three") << 3;
}

/// A connection that is not used ends without an answer that nobody asked for.
void TestOpsServer::idleConnectionIsClosedSilently()
{
    QFETCH(const int, requestsBefore);
    OpsServer server(impatient(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(kGetHealth.repeated(requestsBefore));
    for (int i = 0; i < requestsBefore; ++i) {
        QVERIFY(client.answer());
    }
    QVERIFY(client.endsSilently());
    QTRY_COMPARE(server.connectionCount(), 0);
}

/// A client that asks on and on and reads nothing costs one answer at a time, and is dropped after
/// the limit: what was answered is what fits into the kernel's buffers and one answer, not what was
/// asked for.
void TestOpsServer::unreadAnswersDoNotPileUp()
{
    constexpr int kRequests = 2000;
    constexpr int kAnswerBytes = 1 << 20;
    int answered = 0;
    OpsServer server(impatient(), someMetrics);
    server.addRoute({"GET", "/big", "", [&answered](const HttpRequest &) {
                         ++answered;
                         return plainResponse(200, QByteArray(kAnswerBytes, 'x'));
                     }});
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.socket().setReadBufferSize(1);
    client.send(QByteArray("GET /big HTTP/1.1\r\nHost: a\r\n\r\n").repeated(kRequests));
    QTRY_COMPARE(server.connectionCount(), 1);
    QTRY_COMPARE_WITH_TIMEOUT(server.connectionCount(), 0, 10'000);
    QVERIFY(answered > 0);
    QVERIFY2(answered < 64, qPrintable(QString::number(answered)));
}

/// Connections that are reset in any state are not counted any more, and do not fill the limit.
void TestOpsServer::vanishedClientsAreForgotten()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    for (const QByteArray &sent :
         {QByteArray(), QByteArray("GET /met"), kGetHealth, kGetHealth.repeated(500)})
    {
        HttpClient client(server.port());
        client.send(sent);
        QTRY_COMPARE(server.connectionCount(), 1);
        client.socket().abort();
        QTRY_COMPARE(server.connectionCount(), 0);
    }
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
    oneMore.send(kGetHealth);
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
    const std::optional<Answer> answer = request(server.port(), "GET /-/healthz");
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
}

/// Refusals have a limit of their own: connections that do not read theirs do not pile up either.
void TestOpsServer::connectionsBeyondTwiceTheLimitAreClosed()
{
    OpsOptions options = anyPort();
    options.limits.maxConnections = 1;
    OpsServer server(options, someMetrics);
    QVERIFY(server.listen());

    HttpClient served(server.port());
    QTRY_COMPARE(server.connectionCount(), 1);
    HttpClient refused(server.port());
    refused.socket().setReadBufferSize(1); // it does not see its refusal end
    QTRY_COMPARE(server.connectionCount(), 2);
    HttpClient closed(server.port());
    QVERIFY(closed.endsSilently());

    refused.socket().setReadBufferSize(0);
    const std::optional<Answer> refusal = refused.answer();
    QVERIFY(refusal);
    QCOMPARE(refusal->status, 503);
    served.send(kGetHealth);
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
    OpsServer server(options, someMetrics);
    const Outcome outcome = server.listen();
    QVERIFY(!outcome);
    const QString message = outcome.error().message;
    QVERIFY2(message.contains(messageHolds), qPrintable(message));
    QVERIFY2(message.contains(address), qPrintable(message));
    QVERIFY2(message.contains(QStringLiteral("metrics.address")), qPrintable(message));
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

QTEST_GUILESS_MAIN(TestOpsServer)
#include "tst_ops_server.moc"
