#include "ops/http_connection.h"
#include "ops/ops_server.h"

#include "http_client.h"
#include "some_options.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay;

namespace {

constexpr qint64 kMaxBody = 100'000;

/// A port with a route that answers what it was sent.
class EchoServer : public OpsServer
{
public:
    explicit EchoServer(const OpsOptions &options)
        : OpsServer(options, someMetrics)
    {
        addRoute({"POST", "/echo", "", answering([](const RoutedRequest &request) {
                      HttpResponse response;
                      response.body = request.body;
                      return response;
                  }),
                  AccessKind::Change, kMaxBody});
    }
};

QByteArray postEcho(const QByteArray &lines, const QByteArray &body = {})
{
    return "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n" + body;
}

QByteArray withLength(const QByteArray &body)
{
    return postEcho("Content-Length: " + QByteArray::number(body.size()) + "\r\n", body);
}

} // namespace

/// Connections of all kinds to a server that reads requests and answers them, over real sockets.
class TestHttpConnection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // Requests
    void pipelinedRequestsAreAnsweredInOrder();
    void longPipelineIsAnsweredToTheEnd();
    void requestMayArriveByteByByte();
    void connectionIsKeptOrClosedAsAsked_data();
    void connectionIsKeptOrClosedAsAsked();
    void halfClosedClientIsAnswered();

    // Bodies
    void bodyReachesItsRoute_data();
    void bodyReachesItsRoute();
    void waitingClientIsToldToGoOn();
    void waitingClientIsNotAskedForARefusedBody_data();
    void waitingClientIsNotAskedForARefusedBody();
    void bodyLimitIsExact();

    // Hostile and broken clients
    void badRequestIsAnsweredAndClosed_data();
    void badRequestIsAnsweredAndClosed();
    void headLimitIsExact();
    void answerSurvivesABodyThatWasNotRead();
    void slowRequestTimesOut_data();
    void slowRequestTimesOut();
    void idleConnectionIsClosedSilently_data();
    void idleConnectionIsClosedSilently();
    void unreadAnswersDoNotPileUp();
    void vanishedClientsAreForgotten();

    // Answers that take their time
    void lateAnswerIsGiven();
    void answerThatNobodyGivesIs503();
    void tooLateAnswerIs503();
    void streamGoesOnUntilItsClientGoes();
    void deafListenerIsCutOff();
};

/// Requests that arrive in one piece are answered one after the other, each with its own answer.
void TestHttpConnection::pipelinedRequestsAreAnsweredInOrder()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send("GET /-/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                "GET /-/readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    for (const int status : {200, 404, 503}) {
        const std::optional<Answer> answer = client.answer();
        QVERIFY(answer);
        QCOMPARE(answer->status, status);
    }
    QVERIFY(client.endsSilently());
}

/// A pipeline that is longer than the read buffer does not come to a halt when the buffer was full.
void TestHttpConnection::longPipelineIsAnsweredToTheEnd()
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
void TestHttpConnection::requestMayArriveByteByByte()
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

void TestHttpConnection::connectionIsKeptOrClosedAsAsked_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<bool>("kept");
    const QByteArray line = "GET /-/healthz HTTP/1.";
    QTest::newRow("1.1") << line + "1\r\nHost: localhost\r\n\r\n" << true;
    QTest::newRow("1.1 close") << line + "1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                               << false;
    QTest::newRow("1.1 close in a list")
        << line + "1\r\nHost: localhost\r\nConnection: x, Close\r\n\r\n"
        << false;
    QTest::newRow("1.0") << line + "0\r\n\r\n" << false;
    QTest::newRow("1.0 keep-alive") << line + "0\r\nConnection: keep-alive\r\n\r\n" << true;
    QTest::newRow("empty body") << line + "1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
                                << true;
    QTest::newRow("404") << QByteArray("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n") << true;
    QTest::newRow("405") << QByteArray("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n") << true;
}

/// The connection serves another request when both sides agreed to that, and ends otherwise; the
/// answer says which.
void TestHttpConnection::connectionIsKeptOrClosedAsAsked()
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
void TestHttpConnection::halfClosedClientIsAnswered()
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

void TestHttpConnection::bodyReachesItsRoute_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<QByteArray>("body");
    const QByteArray large(kMaxBody, 'x');
    QTest::newRow("length") << withLength("hello") << QByteArray("hello");
    QTest::newRow("longer than a read") << withLength(large) << large;
    QTest::newRow("chunked") << postEcho("Transfer-Encoding: chunked\r\n",
                                         "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n")
                             << QByteArray("hello");
    QTest::newRow("length 0") << withLength({}) << QByteArray();
    QTest::newRow("none") << postEcho({}) << QByteArray();
}

/// The route gets the body decoded, and the connection goes on right behind it.
void TestHttpConnection::bodyReachesItsRoute()
{
    QFETCH(const QByteArray, request);
    QFETCH(const QByteArray, body);
    EchoServer server(anyPort());
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(request + request + kGetHealth);
    for (const QByteArray &expected : {body, body, QByteArray("alive\n")}) {
        const std::optional<Answer> answer = client.answer();
        QVERIFY(answer);
        QCOMPARE(answer->status, 200);
        QCOMPARE(answer->body, expected);
        QCOMPARE(answer->fields.value("connection"), QByteArray("keep-alive"));
    }
}

/// `curl` waits a second with a long body unless it is told to go on.
void TestHttpConnection::waitingClientIsToldToGoOn()
{
    EchoServer server(anyPort());
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(postEcho("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    const std::optional<Answer> goOn = client.answer();
    QVERIFY(goOn);
    QCOMPARE(goOn->status, 100);
    client.send("hello");
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
    QCOMPARE(answer->body, QByteArray("hello"));
}

void TestHttpConnection::waitingClientIsNotAskedForARefusedBody_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    const QByteArray expect = "Expect: 100-continue\r\n";
    const QByteArray get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + expect;
    const QByteArray post = "POST /nothing HTTP/1.1\r\nHost: localhost\r\n" + expect;
    QTest::newRow("too long") << postEcho(expect + "Content-Length: 100001\r\n") << 413;
    QTest::newRow("route without bodies") << get + "Content-Length: 5\r\n\r\n" << 413;
    QTest::newRow("no route") << post + "Content-Length: 5\r\n\r\n" << 404;
    QTest::newRow("ambiguous") << postEcho(expect + "Content-Length: 5\r\nContent-Length: 6\r\n")
                               << 400;
}

/// What will not be read is not asked for: the first answer is the last.
void TestHttpConnection::waitingClientIsNotAskedForARefusedBody()
{
    QFETCH(const QByteArray, request);
    EchoServer server(anyPort());
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(request);
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QTEST(answer->status, "status");
    QVERIFY(client.endsSilently());
}

/// A body of exactly the route's limit is served, one byte more is 413.
void TestHttpConnection::bodyLimitIsExact()
{
    EchoServer server(anyPort());
    QVERIFY(server.listen());
    for (const qint64 more : {0, 1}) {
        HttpClient client(server.port());
        client.send(withLength(QByteArray(kMaxBody + more, 'x')));
        const std::optional<Answer> answer = client.answer();
        QVERIFY(answer);
        QCOMPARE(answer->status, more == 0 ? 200 : 413);
    }
}

void TestHttpConnection::badRequestIsAnsweredAndClosed_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const QByteArray line = "GET /metrics HTTP/1.1\r\n";
    QTest::newRow("no HTTP") << QByteArray("hello\r\n\r\n") << 400;
    QTest::newRow("TLS") << QByteArray("\x16\x03\x01\x00\xa5", 5) << 400;
    QTest::newRow("no host") << line + "\r\n" << 400;
    QTest::newRow("two hosts") << line + "Host: localhost\r\nHost: b\r\n\r\n" << 400;
    QTest::newRow("bad length") << line + "Host: localhost\r\nContent-Length: x\r\n\r\n" << 400;
    QTest::newRow("two lengths")
        << line + "Host: localhost\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"
        << 400;
    QTest::newRow("100 fields and a host")
        << line + "Host: localhost\r\n" + QByteArray("x: y\r\n").repeated(100) + "\r\n"
        << 431;
    QTest::newRow("endless target") << "GET /" + QByteArray(20'000, 'a') << 431;
    QTest::newRow("body") << line + "Host: localhost\r\nContent-Length: 1\r\n\r\nx" << 413;
    QTest::newRow("body to come") << line + "Host: localhost\r\nContent-Length: 99999999999\r\n\r\n"
                                  << 413;
    QTest::newRow("chunked")
        << line + "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        << 413;
    QTest::newRow("transfer coding")
        << postEcho("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n") << 501;
    QTest::newRow("length and chunks")
        << postEcho("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") << 400;
    QTest::newRow("broken chunk") << postEcho("Transfer-Encoding: chunked\r\n",
                                              "5\r\nhello!\r\n0\r\n\r\n")
                                  << 400;
    QTest::newRow("body to a path without POST")
        << QByteArray("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
        << 405;
}

/// What cannot be served is told, once, and the connection ends: what follows is never taken for a
/// request.
void TestHttpConnection::badRequestIsAnsweredAndClosed()
{
    QFETCH(const QByteArray, bytes);
    EchoServer server(anyPort());
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
void TestHttpConnection::headLimitIsExact()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    const QByteArray begin = "GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nX: ";
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
void TestHttpConnection::answerSurvivesABodyThatWasNotRead()
{
    OpsServer server(anyPort(), someMetrics);
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.socket().setReadBufferSize(1); // nothing is read before everything is written
    client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16000000\r\n\r\n"
                + QByteArray(16'000'000, 'x'));
    QTRY_COMPARE(client.socket().bytesToWrite(), 0);
    client.socket().setReadBufferSize(0);
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 413);
}

void TestHttpConnection::slowRequestTimesOut_data()
{
    QTest::addColumn<QByteArray>("begin");
    QTest::addColumn<QByteArray>("bodyHolds");
    QTest::newRow("head") << QByteArray("GET /metrics HTTP/1.1\r\nHost: ") << QByteArray("head");
    QTest::newRow("second head") << kGetHealth + "G" << QByteArray("head");
    QTest::newRow("body") << postEcho("Content-Length: 5\r\n", "hell") << QByteArray("body");
    QTest::newRow("no body") << postEcho("Content-Length: 5\r\n") << QByteArray("body");
    QTest::newRow("chunk") << postEcho("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n")
                           << QByteArray("body");
}

/// A request that never ends holds a connection no longer than the limit, and the client learns why.
void TestHttpConnection::slowRequestTimesOut()
{
    QFETCH(const QByteArray, begin);
    QFETCH(const QByteArray, bodyHolds);
    EchoServer server(impatient());
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send(begin);
    if (begin.startsWith(kGetHealth)) {
        QVERIFY(client.answer());
    }
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 408);
    QVERIFY2(answer->body.contains(bodyHolds), answer->body.constData());
    QVERIFY(client.endsSilently());
    QTRY_COMPARE(server.connectionCount(), 0);
}

void TestHttpConnection::idleConnectionIsClosedSilently_data()
{
    QTest::addColumn<int>("requestsBefore");
    QTest::newRow("never a byte") << 0;
    QTest::newRow("after a request") << 1;
    QTest::newRow("after three") << 3;
}

/// A connection that is not used ends without an answer that nobody asked for.
void TestHttpConnection::idleConnectionIsClosedSilently()
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
void TestHttpConnection::unreadAnswersDoNotPileUp()
{
    constexpr int kRequests = 2000;
    constexpr int kAnswerBytes = 1 << 20;
    int answered = 0;
    OpsServer server(impatient(), someMetrics);
    server.addRoute({"GET", "/big", "", answering([&answered](const RoutedRequest &) {
                         ++answered;
                         return plainResponse(200, QByteArray(kAnswerBytes, 'x'));
                     })});
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.socket().setReadBufferSize(1);
    client.send(QByteArray("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n").repeated(kRequests));
    QTRY_COMPARE(server.connectionCount(), 1);
    QTRY_COMPARE_WITH_TIMEOUT(server.connectionCount(), 0, 10'000);
    QVERIFY(answered > 0);
    QVERIFY2(answered < 64, qPrintable(QString::number(answered)));
}

/// Connections that are reset in any state are not counted any more, and do not fill the limit.
void TestHttpConnection::vanishedClientsAreForgotten()
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

/// A handler may answer later; what came behind the request waits, and is served then.
void TestHttpConnection::lateAnswerIsGiven()
{
    OpsServer server(anyPort(), someMetrics);
    std::vector<ReplyPtr> pending;
    server.addRoute({"GET", "/late", "", [&](const RoutedRequest &, const ReplyPtr &reply) {
                         pending.push_back(reply);
                     }});
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send("GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n" + kGetHealth);
    QTRY_COMPARE(pending.size(), std::size_t{1});
    pending.front()->send(plainResponse(200, "late"));
    pending.front()->send(plainResponse(200, "twice")); // is nothing
    for (const char *body : {"late\n", "alive\n"}) {
        const std::optional<Answer> answer = client.answer();
        QVERIFY(answer);
        QCOMPARE(answer->body, QByteArray(body));
    }
}

/// A handler that lets go of its reply leaves nobody waiting; the connection goes on.
void TestHttpConnection::answerThatNobodyGivesIs503()
{
    OpsServer server(anyPort(), someMetrics);
    server.addRoute({"GET", "/never", "", [](const RoutedRequest &, const ReplyPtr &) {}});
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send("GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n" + kGetHealth);
    for (const int status : {503, 200}) {
        const std::optional<Answer> answer = client.answer();
        QVERIFY(answer);
        QCOMPARE(answer->status, status);
    }
}

/// Nobody waits for longer than a request may take; what is answered after that is dropped.
void TestHttpConnection::tooLateAnswerIs503()
{
    OpsServer server(impatient(), someMetrics);
    ReplyPtr pending;
    server.addRoute({"GET", "/late", "",
                     [&](const RoutedRequest &, const ReplyPtr &reply) { pending = reply; }});
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send("GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::optional<Answer> answer = client.answer();
    QVERIFY(answer);
    QCOMPARE(answer->status, 503);
    pending->send(plainResponse(200, "late"));
    QVERIFY(client.endsSilently());
    QTRY_COMPARE(server.connectionCount(), 0);
    pending->send(plainResponse(200, "later"));
}

/// No deadline ends a stream, and its writer learns when nobody listens.
void TestHttpConnection::streamGoesOnUntilItsClientGoes()
{
    OpsServer server(impatient(), someMetrics);
    ReplyPtr stream;
    server.addRoute({"GET", "/stream", "", [&](const RoutedRequest &, const ReplyPtr &reply) {
                         stream = reply;
                         reply->beginStream(HttpResponse());
                     }});
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    QTRY_VERIFY(stream != nullptr);
    QElapsedTimer time;
    time.start();
    QByteArray received;
    qsizetype written = 0;
    while (time.elapsed() < 200) { // four times what a request may take
        QVERIFY(stream->write("x"));
        ++written;
        QTRY_VERIFY((received += client.takeReceived()).count('x') >= written);
    }
    client.socket().abort();
    QTRY_COMPARE(server.connectionCount(), 0);
    QVERIFY(!stream->write("x"));
}

/// A listener that does not read costs no more than the backlog, and is cut off then; what it was
/// told is what the kernel and the backlog hold.
void TestHttpConnection::deafListenerIsCutOff()
{
    OpsServer server(anyPort(), someMetrics);
    ReplyPtr stream;
    server.addRoute({"GET", "/stream", "", [&](const RoutedRequest &, const ReplyPtr &reply) {
                         stream = reply;
                         reply->beginStream(HttpResponse());
                     }});
    QVERIFY(server.listen());
    HttpClient client(server.port());
    client.socket().setReadBufferSize(1);
    client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    QTRY_VERIFY(stream != nullptr);
    const QByteArray event(65'536, 'x');
    constexpr int kMost = 1000; // 64 MB: far more than any kernel holds
    int taken = 0;
    while (taken < kMost && stream->write(event)) {
        ++taken;
        QCoreApplication::processEvents();
    }
    QVERIFY(taken >= HttpConnection::kMaxStreamBacklogBytes / event.size());
    QVERIFY2(taken < kMost, qPrintable(QString::number(taken)));
    QTRY_COMPARE(server.connectionCount(), 0);
}

RELAY_TEST(TestHttpConnection)
#include "tst_http_connection.moc"
