#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>

using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::offsetOf;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;

class TestHttpConnections : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void continueIsSaidFirst();
    void continueIsNotSaidToWhoIsRefused_data();
    void continueIsNotSaidToWhoIsRefused();
    void aConnectionServesManyRequests();
    void pipelinedRequestsAreAnsweredInOrder();
    void anUpgradeMayFollow_data();
    void anUpgradeMayFollow();
    void http10Ends();
    void closeIsHeeded();
    void aHalfClosedClientGetsItsAnswer_data();
    void aHalfClosedClientGetsItsAnswer();
    void everySplitOfARequest();
    void chunksOfOneByte();
    void garbageIsToldOnce_data();
    void garbageIsToldOnce();
};

// RFC 9110, section 10.1.1: who waits for 100 gets it, and then the answer.
void TestHttpConnections::continueIsSaidFirst()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    for (qint64 offset = 1; offset <= 2; ++offset) { // on one connection
        QCOMPARE(peer.ask(HttpPeer::postHead(5, {"Expect: 100-continue"})).status, 100);
        QVERIFY(peer.isSilent());
        QCOMPARE(offsetOf(peer.ask("hello")), offset);
    }
    // Who does not wait, is not told.
    QCOMPARE(offsetOf(peer.ask(HttpPeer::postHead(5, {"Expect: 100-continue"}) + "hello")), 3);
    QVERIFY(peer.isSilent());
}

void TestHttpConnections::continueIsNotSaidToWhoIsRefused_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    const QByteArrayList fields{"Content-Length: 1001", "Expect: 100-continue"};
    QTest::newRow("too big") << HttpPeer::postHead(1001, {"Expect: 100-continue"}) << 413;
    QTest::newRow("compressed") << HttpPeer::postHead(
        5, {"Expect: 100-continue", "Content-Encoding: br"})
                                << 415;
    QTest::newRow("no channel") << HttpPeer::request("POST", "/a//b", fields) << 404;
    QTest::newRow("no method") << HttpPeer::request("PUT", "/a", fields) << 405;
    QTest::newRow("a foreign page")
        << HttpPeer::postHead(5, {"Expect: 100-continue", "Origin: http://evil.test"}) << 403;
}

// A megabyte that will be thrown away need not be sent.
void TestHttpConnections::continueIsNotSaidToWhoIsRefused()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    HubOptions options = testOptions();
    options.limits.messageSize = 1000;
    TestHub relay(options);
    HttpPeer peer(relay.port());
    QCOMPARE(peer.ask(request).status, status);
    QVERIFY(peer.waitForEnd());
}

// Keep-alive, whatever the answers are.
void TestHttpConnections::aConnectionServesManyRequests()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QCOMPARE(offsetOf(peer.ask(HttpPeer::post("/a", "x"))), 1);
    QCOMPARE(peer.ask(HttpPeer::get("/a//b")).status, 404);
    QCOMPARE(peer.ask(HttpPeer::request("DELETE", "/a")).status, 405);
    QVERIFY(peer.send(HttpPeer::request("HEAD", "/a")));
    const HttpAnswer headOnly = peer.answer(HttpPeer::Body::None);
    QCOMPARE(headOnly.status, 200);
    QVERIFY(headOnly.value("content-length").toInt() > 0);
    QCOMPARE(headOnly.value("content-type"), QByteArray("application/json"));
    QCOMPARE(peer.ask(HttpPeer::request("OPTIONS", "/a")).status, 204);
    const HttpAnswer last = peer.ask("\r\n" + HttpPeer::get("/a")); // RFC 9112, section 2.2
    QCOMPARE(last.status, 200);
    QCOMPARE(last.value("connection"), QByteArray("keep-alive"));
    QCOMPARE(relay.answered(relay::HttpMethod::Head, 200), 1U);
    QCOMPARE(relay.answered(relay::HttpMethod::Options, 204), 1U);
    QCOMPARE(relay.answered(relay::HttpMethod::Other, 405), 1U);
}

// 200 requests in one write: 200 answers in their order, and each message published once.
void TestHttpConnections::pipelinedRequestsAreAnsweredInOrder()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QByteArray all;
    for (int i = 0; i < 200; ++i) {
        all += i % 10 == 9
                   ? HttpPeer::get("/a//b")
                   : HttpPeer::post("/a", QByteArray::number(i), {"Content-Type: text/plain"});
    }
    QVERIFY(peer.send(all));
    qint64 offset = 0;
    for (int i = 0; i < 200; ++i) {
        const HttpAnswer answer = peer.answer();
        QCOMPARE(answer.status, i % 10 == 9 ? 404 : 200);
        if (answer.status == 200) {
            QCOMPARE(offsetOf(answer), ++offset);
        }
    }
    const QJsonArray kept =
        peer.ask(HttpPeer::get("/a?last=1")).json().value(QLatin1String("messages")).toArray();
    QCOMPARE(kept.first().toObject().value(QLatin1String("text")),
             QJsonValue(QStringLiteral("198")));
    QVERIFY(peer.isSilent());
}

void TestHttpConnections::anUpgradeMayFollow_data()
{
    QTest::addColumn<bool>("isPipelined");
    QTest::newRow("after the answer") << false;
    QTest::newRow("in the same write") << true;
}

// A connection that has published may become a WebSocket, with frames right behind its request.
void TestHttpConnections::anUpgradeMayFollow()
{
    QFETCH(bool, isPipelined);
    TestHub relay;
    HttpPeer peer(relay.port());
    const QByteArray publish = HttpPeer::post("/a", "1", {"Content-Type: text/plain"});
    const QByteArray upgrade = PacedClient::upgradeRequest({}, "/a?last=10")
                               + relay::test::clientFrame(relay::test::Op::Text, "2");
    if (isPipelined) {
        QVERIFY(peer.send(publish + upgrade));
        QCOMPARE(peer.answer().status, 200);
    } else {
        QCOMPARE(peer.ask(publish).status, 200);
        QVERIFY(peer.send(upgrade));
    }
    QCOMPARE(peer.answer().status, 101);
    QCOMPARE(peer.bytes(6), QByteArray("\x81\x01"
                                       "1"
                                       "\x81\x01"
                                       "2"));
}

// HTTP/1.0 ends with its answer.
void TestHttpConnections::http10Ends()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask("POST /a HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");
    QCOMPARE(offsetOf(answer), 1);
    QCOMPARE(answer.value("connection"), QByteArray("close"));
    QVERIFY(peer.waitForEnd());
}

// What follows a request that says close is not served.
void TestHttpConnections::closeIsHeeded()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QCOMPARE(offsetOf(peer.ask(HttpPeer::post("/a", "x", {"Connection: close"})
                               + HttpPeer::post("/a", "y"))),
             1);
    QVERIFY(peer.waitForEnd());
    QCOMPARE(relay.hub().counters().messages, 1U);
}

void TestHttpConnections::aHalfClosedClientGetsItsAnswer_data()
{
    QTest::addColumn<int>("requests");
    QTest::newRow("one") << 1;
    QTest::newRow("twenty") << 20;
    QTest::newRow("more than the relay keeps answers for") << 3000;
}

// `printf … | nc -N`: who has said all he had to say still listens.
void TestHttpConnections::aHalfClosedClientGetsItsAnswer()
{
    QFETCH(int, requests);
    TestHub relay;
    HttpPeer peer(relay.port(), 4096);
    QVERIFY(peer.send(HttpPeer::post("/a", "x").repeated(requests)));
    peer.connection().halfClose();
    for (int i = 1; i <= requests; ++i) {
        QCOMPARE(offsetOf(peer.answer()), i);
    }
    QVERIFY(peer.waitForEnd());
}

// A request may be cut anywhere, by any network.
void TestHttpConnections::everySplitOfARequest()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const QByteArray request = HttpPeer::post("/a", "hello");
    qint64 offset = 0;
    for (qsizetype cut = 1; cut < request.size(); ++cut) {
        const quint64 before = relay.hub().counters().receivedBytes;
        QVERIFY(peer.send(request.first(cut)));
        QVERIFY(relay.waitForCounters([&](const relay::RelaySnapshot &counters) {
            return counters.receivedBytes == before + static_cast<quint64>(cut);
        }));
        QCOMPARE(offsetOf(peer.ask(request.mid(cut))), ++offset);
    }
}

// One byte a chunk, and one byte a segment.
void TestHttpConnections::chunksOfOneByte()
{
    TestHub relay;
    PacedClient listener(relay.port());
    QVERIFY(listener.upgrade({}, "/a"));
    HttpPeer peer(relay.port());
    QByteArray request = HttpPeer::request("POST", "/a", {"Transfer-Encoding: chunked"});
    for (const char c : QByteArray("hello")) {
        request += QByteArray("1;x=y\r\n") + c + "\r\n";
    }
    request += "0\r\nTrailer: x\r\n\r\n";
    for (const char c : request) {
        QVERIFY(peer.send(QByteArray(1, c)));
    }
    QCOMPARE(offsetOf(peer.answer()), 1);
    QCOMPARE(listener.nextFrame()->payload, QByteArray("hello"));
    QCOMPARE(offsetOf(peer.ask(HttpPeer::post("/a", "x"))), 2);
}

void TestHttpConnections::garbageIsToldOnce_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    QTest::newRow("no HTTP") << QByteArray("\x16\x03\x01\x02\r\n\r\n") << 400;
    QTest::newRow("both lengths") << QByteArray(
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                                  << 400;
    QTest::newRow("a length that is none")
        << HttpPeer::postHead(0).replace("Length: 0", "Length: -1") << 400;
    QTest::newRow("a huge length")
        << HttpPeer::postHead(0).replace("Length: 0", "Length: 99999999999999999999") << 400;
    QTest::newRow("a bad chunk") << HttpPeer::request("POST", "/a", {"Transfer-Encoding: chunked"})
                                        + "x\r\n\r\n"
                                 << 400;
    QTest::newRow("an unknown coding")
        << HttpPeer::request("POST", "/a", {"Transfer-Encoding: gzip"}) + "0\r\n\r\n"
        << 501;
    QTest::newRow("a long head") << HttpPeer::get("/a", {"X: " + QByteArray(20'000, 'x')}) << 431;
    QTest::newRow("an asterisk") << HttpPeer::get("*") << 400;
    QTest::newRow("a target without a slash") << HttpPeer::get("a") << 400;
}

// One answer, and the end; nothing that follows the garbage is taken for a request.
void TestHttpConnections::garbageIsToldOnce()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    TestHub relay;
    HttpPeer peer(relay.port());
    QVERIFY(peer.send(HttpPeer::get("/b") + bytes
                      + HttpPeer::post("/a", "smuggled", {"Connection: close"})));
    QCOMPARE(peer.answer().status, 200);
    const HttpAnswer answer = peer.answer();
    QCOMPARE(answer.status, status);
    QVERIFY(!answer.error().isEmpty());
    if (bytes.contains("*") || bytes.startsWith("GET a")) {
        return; // well-formed: the connection may go on
    }
    QVERIFY(peer.waitForEnd());
    QCOMPARE(relay.hub().counters().messages, 0U);
}

RELAY_TEST(TestHttpConnections)
#include "tst_http_connections.moc"
