#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QLoggingCategory>
#include <QRegularExpression>
#include <QTest>

using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::PacedClient;
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
    void credentialsAreForNamedPages_data();
    void credentialsAreForNamedPages();
    void everyAnswerVariesByOrigin();
    void theLogNamesWhatWouldLetItIn_data();
    void theLogNamesWhatWouldLetItIn();
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
    QVERIFY(answer.value("vary").startsWith("Origin"));
}

void TestHttpOrigins::credentialsAreForNamedPages_data()
{
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QByteArray>("origin");
    QTest::addColumn<bool>("mayHaveThem");
    const auto row = [](const char *name, const char *pattern, const QByteArray &origin,
                        bool mayHaveThem) {
        QTest::newRow(name) << QString::fromLatin1(pattern) << origin << mayHaveThem;
    };
    row("named", "https://app.example.com", kAllowed, true);
    row("of a named domain", "https://*.example.com", kAllowed, true);
    row("on any port of a named host", "http://localhost:*", "http://localhost:5173", true);
    row("anyone", "*", kAllowed, false);
    row("anyone by https", "https://*", kAllowed, false);
    row("anyone on a port", "http://*:3000", "http://evil.test:3000", false);
    row("sandboxed pages", "null", "null", false);
}

// new EventSource(url, {withCredentials: true}) and fetch with credentials work for pages that the operator has named; with `*` any
// page could use its visitor's cookies (Fetch, section 3.2.5).
void TestHttpOrigins::credentialsAreForNamedPages()
{
    QFETCH(QString, pattern);
    QFETCH(QByteArray, origin);
    QFETCH(bool, mayHaveThem);
    HubOptions options = testOptions();
    options.origins = QStringList{pattern};
    TestHub relay(options);
    const QByteArrayList requests{
        HttpPeer::get("/a", {from(origin)}), HttpPeer::post("/a", "x", {from(origin)}),
        HttpPeer::get("/a//b", {from(origin)}),
        HttpPeer::get("/a", {from(origin), "Accept: text/event-stream"}),
        HttpPeer::request("OPTIONS", "/a", {from(origin), "Access-Control-Request-Method: POST"})};
    for (const QByteArray &request : requests) {
        HttpPeer peer(relay.port());
        const HttpAnswer answer = peer.ask(request);
        QCOMPARE(answer.value("access-control-allow-origin"), origin);
        QCOMPARE(answer.value("access-control-allow-credentials"),
                 mayHaveThem ? QByteArray("true") : QByteArray());
        QVERIFY(answer.value("vary").startsWith("Origin"));
    }
}

// A cache that has the answer to no page must not give it to one, nor the other way round.
void TestHttpOrigins::everyAnswerVariesByOrigin()
{
    TestHub relay(optionsWithOrigin());
    const QByteArrayList requests{
        HttpPeer::get("/a"), HttpPeer::get("/a//b"), HttpPeer::get("/a", {"Accept: text/html"}),
        HttpPeer::get("/a", {from("http://evil.test")}), HttpPeer::get("/-/page.js")};
    for (const QByteArray &request : requests) {
        HttpPeer peer(relay.port());
        const HttpAnswer answer = peer.ask(request);
        QVERIFY2(answer.value("vary").contains("Origin"), answer.value("vary"));
        QVERIFY(!answer.has("access-control-allow-origin"));
        QVERIFY(!answer.has("access-control-allow-credentials"));
    }
}

void TestHttpOrigins::theLogNamesWhatWouldLetItIn_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<QString>("line");
    const QString key = QStringLiteral("server.origins \\(environment: RELAY_SERVER_ORIGINS\\)");
    QTest::newRow("a page's request")
        << HttpPeer::get("/a", {from("http://localhost:3000")})
        << QStringLiteral("refused: origin \"http://localhost:3000\" is not in ") + key;
    QTest::newRow("a page's WebSocket")
        << PacedClient::upgradeRequest({from("http://localhost:3000")})
        << QStringLiteral("handshake failed: forbidden_origin 403: origin "
                          "\"http://localhost:3000\" is not in ")
               + key;
    QTest::newRow("a file") << HttpPeer::get("/a", {from("null")})
                            << QStringLiteral("refused: origin \"null\" is not in ") + key;
    QTest::newRow("a name that points here")
        << QByteArray("GET /a HTTP/1.1\r\nHost: evil.test\r\n\r\n")
        << QStringLiteral("refused: host \"evil.test\" is not localhost .* to ") + key;
    QTest::newRow("a long one") << HttpPeer::get("/a", {from("http://" + QByteArray(5000, 'x'))})
                                << QStringLiteral("refused: origin \"http://x{193}…\" is not in ")
                                       + key;
    QTest::newRow("TLS on a plain port")
        << QByteArray("\x16\x03\x01\x02\x00\x01", 6)
        << QStringLiteral("handshake failed: bad_request 400: this is TLS, and this port speaks "
                          "plain HTTP");
}

// The browser does not tell its page why it was refused, so the relay tells its operator: what was refused, and which setting is
// about it. What a stranger wrote is bounded.
void TestHttpOrigins::theLogNamesWhatWouldLetItIn()
{
    QFETCH(QByteArray, request);
    QFETCH(QString, line);
    TestHub relay(optionsWithOrigin());
    QLoggingCategory::setFilterRules(QString()); // which a TestHub leaves without info
    const QString expression = QStringLiteral("^client 1 127\\.0\\.0\\.1:\\d+ ") + line;
    QTest::ignoreMessage(QtInfoMsg, QRegularExpression(expression));
    HttpPeer peer(relay.port());
    QVERIFY(peer.ask(request).status >= 400);
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

// EventSource reads by the same rule.
void TestHttpOrigins::aStreamIsShownToItsPage()
{
    TestHub relay(optionsWithOrigin());
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.listen("/a", {from(kAllowed)});
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.value("access-control-allow-origin"), kAllowed);
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
    QTest::newRow("an IPv4 address written as IPv6") << QByteArray("[::ffff:127.0.0.1]") << false;
    QTest::newRow("a number that browsers read as one") << QByteArray("2130706433") << true;
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
