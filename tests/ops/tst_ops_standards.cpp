#include "ops/ops_server.h"

#include "http_client.h"
#include "some_options.h"
#include "support/test_main.h"

#include <QRegularExpression>
#include <QTest>

using namespace relay;

/// What RFC 9110 and 9112 ask of any server, on the ops port.
class TestOpsStandards : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void otherUpgradesAreIgnored_data();
    void otherUpgradesAreIgnored();
    void everyAnswerHasADate_data();
    void everyAnswerHasADate();
    void malformedHeadsAreRefused_data();
    void malformedHeadsAreRefused();
    void aBrowserGetsErrorsAsPages();
    void tlsIsToldInTheLog();
};

void TestOpsStandards::otherUpgradesAreIgnored_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    QTest::newRow("GET") << QByteArray("GET /-/healthz") << 200;
    QTest::newRow("HEAD") << QByteArray("HEAD /metrics") << 200;
    QTest::newRow("POST") << QByteArray("POST /metrics") << 405;
    QTest::newRow("nothing there") << QByteArray("GET /nothing") << 404;
}

/// `curl --http2` and Java's HttpClient ask for h2c by the way (RFC 9110, section 7.8).
void TestOpsStandards::otherUpgradesAreIgnored()
{
    QFETCH(const QByteArray, request);
    QFETCH(const int, status);
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    const std::optional<Answer> answer =
        relay::request(server.port(), request,
                       "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                       "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n");
    QVERIFY(answer);
    QCOMPARE(answer->status, status);
    QVERIFY(!answer->fields.contains("upgrade"));
}

void TestOpsStandards::everyAnswerHasADate_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    QTest::newRow("a route") << QByteArray("GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n") << 200;
    QTest::newRow("nothing there")
        << QByteArray("GET /x HTTP/1.1\r\nHost: a.localhost\r\n\r\n") << 404;
    QTest::newRow("a method") << QByteArray("PUT / HTTP/1.1\r\nHost: a.localhost\r\n\r\n") << 405;
    QTest::newRow("a foreign host")
        << QByteArray("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n") << 403;
    QTest::newRow("a malformed head") << QByteArray("GET / HTTP/1.1\r\n\r\n") << 400;
    QTest::newRow("not ready") << QByteArray("GET /-/readyz HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
                               << 503;
    QTest::newRow("a stream") << QByteArray("GET /stream HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
                              << 200;
}

/// RFC 9110, section 6.6.1.
void TestOpsStandards::everyAnswerHasADate()
{
    QFETCH(const QByteArray, request);
    QFETCH(const int, status);
    OpsServer server(anyPort(), someMetrics);
    server.addRoute({"GET", "/stream", "", [](const RoutedRequest &, const ReplyPtr &reply) {
                         reply->beginStream(HttpResponse());
                     }});
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(request);
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, status);
    QVERIFY2(answer->fields.value("date").endsWith(" GMT"),
             answer->fields.value("date").constData());
}

void TestOpsStandards::malformedHeadsAreRefused_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::newRow("a user in Host") << QByteArray("GET / HTTP/1.1\r\nHost: user@127.0.0.1\r\n");
    QTest::newRow("two Hosts") << QByteArray(
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n");
    QTest::newRow("a bad port") << QByteArray("GET / HTTP/1.1\r\nHost: localhost:x\r\n");
    QTest::newRow("bad IPv6") << QByteArray("GET / HTTP/1.1\r\nHost: [::1\r\n");
    QTest::newRow("two Origins") << QByteArray(
        "GET / HTTP/1.1\r\nHost: localhost\r\n"
        "Origin: http://localhost\r\nOrigin: http://a.test\r\n");
    QTest::newRow("half an escape") << QByteArray("GET /%4 HTTP/1.1\r\nHost: localhost\r\n");
    QTest::newRow("a fragment") << QByteArray("GET /metrics#x HTTP/1.1\r\nHost: localhost\r\n");
    QTest::newRow("an empty Host beside a host")
        << QByteArray("GET http://localhost/ HTTP/1.1\r\nHost:\r\n");
}

/// A head that breaks its grammar is refused here as on the clients' port (its tables are in tst_http_request).
void TestOpsStandards::malformedHeadsAreRefused()
{
    QFETCH(const QByteArray, head);
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(head + "\r\n");
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 400);
}

/// An operator who has typed a wrong address gets a sentence as a page; programs get theirs as before.
void TestOpsStandards::aBrowserGetsErrorsAsPages()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send("GET /nothing HTTP/1.1\r\nHost: localhost\r\nAccept: text/html,*/*;q=0.8\r\n\r\n");
    const std::optional<Answer> page = client.answer();
    client.send("GET /nothing HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
    const std::optional<Answer> text = client.answer();
    QVERIFY(page && text);
    QCOMPARE(page->status, 404);
    QCOMPARE(page->fields.value("content-type"), QByteArray("text/html; charset=utf-8"));
    QVERIFY(page->body.contains("<h1>404 Not Found</h1>"));
    QCOMPARE(text->status, 404);
    QCOMPARE(text->fields.value("content-type"), QByteArray("text/plain; charset=utf-8"));
    QVERIFY(page->body.contains(text->body.trimmed()));
}

/// https:// to this port ends in "wrong version number" in the client; the operator is told what it was.
void TestOpsStandards::tlsIsToldInTheLog()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    QTest::ignoreMessage(
        QtInfoMsg, QRegularExpression(QStringLiteral("^ops port: 127\\.0\\.0\\.1:\\d+ refused: 400 "
                                                     "this is TLS, and this port speaks")));
    HttpClient client(server.port());
    client.send(QByteArray("\x16\x03\x01\x02\x00\x01", 6));
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 400);
}

RELAY_TEST(TestOpsStandards)
#include "tst_ops_standards.moc"
