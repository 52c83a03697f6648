#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>

using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::TestHub;
using relay::test::testOptions;

namespace {

const QByteArray kAllowed = "https://app.example.com";

HubOptions optionsWithOrigin()
{
    HubOptions options = testOptions();
    options.origins = QStringList{QStringLiteral("https://*.example.com")};
    return options;
}

QByteArray from(const QByteArray &origin)
{
    return "Origin: " + origin;
}

} // namespace

class TestHttpOrigins : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aForeignPageIsRefused_data();
    void aForeignPageIsRefused();
    void anAllowedPageMayReadTheAnswer_data();
    void anAllowedPageMayReadTheAnswer();
    void aPageAsksFirst();
    void aStreamIsShownToItsPage();
    void aHostThatOnlyPointsHereIsRefused_data();
    void aHostThatOnlyPointsHereIsRefused();
};

void TestHttpOrigins::aForeignPageIsRefused_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<QByteArrayList>("fields");
    QTest::addColumn<int>("status");
    const QByteArray evil = from("http://evil.test");
    const auto row = [](const char *name, const QByteArray &method, const QByteArrayList &fields,
                        int status = 403) { QTest::newRow(name) << method << fields << status; };
    row("publishes", "POST /a", {evil, "Content-Length: 1"});
    row("publishes without a preflight", "POST /a",
        {evil, "Content-Length: 1", "Content-Type: text/plain"});
    row("publishes a batch", "POST /-/publish", {evil, "Content-Length: 1"});
    row("reads", "GET /a", {evil});
    row("listens", "GET /a", {evil, "Accept: text/event-stream"});
    row("asks first", "OPTIONS /a", {evil, "Access-Control-Request-Method: POST"});
    row("from a file", "POST /a", {from("null"), "Content-Length: 1"});
    row("of a like name", "POST /a", {from(kAllowed + ".evil.test"), "Content-Length: 1"});
    row("by http, not https", "POST /a", {from("http://app.example.com"), "Content-Length: 1"});
    row("of two origins", "POST /a", {from(kAllowed), evil, "Content-Length: 1"}, 400);
}

// Whatever a page of the web asks of a relay on its visitor's machine: nothing is published, and
// nothing it could read.
void TestHttpOrigins::aForeignPageIsRefused()
{
    QFETCH(QByteArray, request);
    QFETCH(QByteArrayList, fields);
    QFETCH(int, status);
    TestHub relay(optionsWithOrigin());
    HttpPeer peer(relay.port());
    const QByteArrayList parts = request.split(' ');
    const HttpAnswer answer =
        peer.ask(HttpPeer::request(parts[0], parts[1], fields)
                 + (fields.contains("Content-Length: 1") ? QByteArray("x") : QByteArray()));
    QCOMPARE(answer.status, status);
    QCOMPARE(answer.error(),
             status == 403 ? QByteArray("forbidden_origin") : QByteArray("bad_request"));
    QVERIFY(!answer.has("access-control-allow-origin"));
    QCOMPARE(relay.hub().counters().messages, 0U);
    QCOMPARE(relay.hub().clientCount(), 0);
}

void TestHttpOrigins::anAllowedPageMayReadTheAnswer_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    const QByteArrayList page{from(kAllowed)};
    QTest::newRow("published") << HttpPeer::post("/a", "x", page) << 200;
    QTest::newRow("not UTF-8") << HttpPeer::post("/a", "\xFF",
                                                 page + QByteArrayList{"Content-Type: text/plain"})
                               << 400;
    QTest::newRow("history") << HttpPeer::get("/a", page) << 200;
    QTest::newRow("no channel") << HttpPeer::get("/a//b", page) << 404;
    QTest::newRow("no such method") << HttpPeer::request("DELETE", "/a", page) << 405;
    QTest::newRow("of this host") << HttpPeer::get("/a", {from("http://localhost")}) << 200;
}

// server.origins: the browser shows the page its answer, also an error; caches keep them apart.
void TestHttpOrigins::anAllowedPageMayReadTheAnswer()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    TestHub relay(optionsWithOrigin());
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(request);
    QCOMPARE(answer.status, status);
    const QByteArray origin =
        request.contains(kAllowed) ? kAllowed : QByteArray("http://localhost");
    QCOMPARE(answer.value("access-control-allow-origin"), origin);
    QCOMPARE(answer.value("vary"), QByteArray("Origin"));
}

// Fetch, CORS preflight: a JSON body or an Idempotency-Key is asked for first.
void TestHttpOrigins::aPageAsksFirst()
{
    TestHub relay(optionsWithOrigin());
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(
        HttpPeer::request("OPTIONS", "/a",
                          {from(kAllowed), "Access-Control-Request-Method: POST",
                           "Access-Control-Request-Headers: content-type, idempotency-key"}));
    QCOMPARE(answer.status, 204);
    QCOMPARE(answer.value("access-control-allow-origin"), kAllowed);
    QVERIFY(answer.value("access-control-allow-methods").split(',').contains(" POST"));
    const QByteArray allowed = answer.value("access-control-allow-headers").toLower();
    for (const char *header : {"content-type", "idempotency-key", "last-event-id"}) {
        QVERIFY(allowed.contains(header));
    }
    QVERIFY(peer.isSilent());
}

// EventSource reads by the same rule (no cookies: no credentials are allowed).
void TestHttpOrigins::aStreamIsShownToItsPage()
{
    TestHub relay(optionsWithOrigin());
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.listen("/a", {from(kAllowed)});
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.value("access-control-allow-origin"), kAllowed);
    QVERIFY(!answer.has("access-control-allow-credentials"));
}

void TestHttpOrigins::aHostThatOnlyPointsHereIsRefused_data()
{
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<bool>("isRefused");
    QTest::newRow("another name") << QByteArray("evil.test:8443") << true;
    QTest::newRow("a name that begins like one of ours")
        << QByteArray("localhost.evil.test") << true;
    QTest::newRow("a number that is none") << QByteArray("127.0.0.1.evil.test") << true;
    QTest::newRow("localhost") << QByteArray("localhost:8443") << false;
    QTest::newRow("an address") << QByteArray("127.0.0.1:8443") << false;
    QTest::newRow("an IPv6 address") << QByteArray("[::1]:8443") << false;
    QTest::newRow("named in server.origins") << QByteArray("app.example.com") << false;
}

// DNS rebinding: a page whose own name was made to point to this machine reads without an Origin.
void TestHttpOrigins::aHostThatOnlyPointsHereIsRefused()
{
    QFETCH(QByteArray, host);
    QFETCH(bool, isRefused);
    TestHub relay(optionsWithOrigin());
    const QByteArrayList requests{"GET /a HTTP/1.1\r\n", "GET /-/page.js HTTP/1.1\r\n",
                                  "GET /a HTTP/1.1\r\nAccept: text/event-stream\r\n"};
    for (const QByteArray &request : requests) {
        HttpPeer peer(relay.port());
        const HttpAnswer answer = peer.ask(request + "Host: " + host + "\r\n\r\n");
        QCOMPARE(answer.status, isRefused ? 403 : 200);
    }
    HttpPeer absolute(relay.port()); // what counts is the target's own host
    const HttpAnswer answer =
        absolute.ask("GET http://" + host + "/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    QCOMPARE(answer.status, isRefused ? 403 : 200);
}

RELAY_TEST(TestHttpOrigins)
#include "tst_http_origins.moc"
