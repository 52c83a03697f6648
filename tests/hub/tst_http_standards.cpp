#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QLocale>
#include <QTest>

using relay::ChannelPattern;
using relay::ChannelRule;
using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;

namespace {

const QByteArrayList kH2c{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                          "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"};
const QByteArray kAcceptPage = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
const QByteArray kAcceptStream = "Accept: text/event-stream";

/// The fields that two answers may differ in although they are the same.
relay::test::AnswerHead comparable(relay::test::AnswerHead head)
{
    head.fields.removeIf([](const auto &field) { return field.first == "date"; });
    return head;
}

} // namespace

/// What RFC 9110 and 9112 ask of any server, on the clients' port.
class TestHttpStandards : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void otherUpgradesAreIgnored_data();
    void otherUpgradesAreIgnored();
    void everyAnswerHasADate_data();
    void everyAnswerHasADate();
    void aConnectionTooManyIsToldSo();
    void headIsWhatGetWouldBe_data();
    void headIsWhatGetWouldBe();
    void headOfAStreamJoinsNothing();
    void anUpgradesAnswerSaysNothingOfCors();
    void aBrowserGetsErrorsAsPages_data();
    void aBrowserGetsErrorsAsPages();
    void optionsOfTheServer();
    void methodsAreNamed();
};

void TestHttpStandards::otherUpgradesAreIgnored_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    QTest::newRow("GET") << HttpPeer::get("/a", kH2c) << 200;
    QTest::newRow("HEAD") << HttpPeer::request("HEAD", "/a", kH2c) << 200;
    QTest::newRow("POST") << HttpPeer::post("/a", "x", kH2c) << 200;
    QTest::newRow("a batch") << HttpPeer::post(
        "/-/publish", "[]", QByteArrayList{"Content-Type: application/json"} + kH2c)
                             << 200;
    QTest::newRow("OPTIONS") << HttpPeer::request("OPTIONS", "/a", kH2c) << 204;
    QTest::newRow("DELETE") << HttpPeer::request("DELETE", "/a", kH2c) << 405;
    QTest::newRow("a page") << HttpPeer::get("/a", kH2c + QByteArrayList{kAcceptPage}) << 200;
    QTest::newRow("a stream") << HttpPeer::get("/a", kH2c + QByteArrayList{kAcceptStream}) << 200;
    QTest::newRow("WebSocket, in HTTP/1.0")
        << QByteArray("GET /a HTTP/1.0\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n\r\n")
        << 200;
}

// curl --http2 and Java's HttpClient ask for h2c by the way, and take an answer in HTTP/1.1 (RFC 9110, section 7.8).
void TestHttpStandards::otherUpgradesAreIgnored()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    TestHub relay;
    HttpPeer peer(relay.port());
    QVERIFY(peer.send(request));
    const HttpAnswer answer =
        peer.answer(request.startsWith("HEAD") ? HttpPeer::Body::None : HttpPeer::Body::Expected);
    QCOMPARE(answer.status, status);
    QVERIFY(!answer.has("upgrade"));
    for (const quint64 failures : relay.hub().counters().handshakeFailures) {
        QCOMPARE(failures, 0U);
    }
}

void TestHttpStandards::everyAnswerHasADate_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    const auto row = [](const QByteArray &request, int status) {
        QTest::addRow("%d %s", status, request.left(request.indexOf('\r')).constData())
            << request << status;
    };
    row(PacedClient::upgradeRequest(), 101);
    row(HttpPeer::get("/a"), 200);
    row(HttpPeer::get("/b", {kAcceptStream}), 200);
    row(HttpPeer::get("/c", {kAcceptPage}), 200);
    row(HttpPeer::get("/-/page.js"), 200);
    row(HttpPeer::post("/a", "x"), 200);
    row(HttpPeer::request("OPTIONS", "/a"), 204);
    row(HttpPeer::get("/a//b"), 404);
    row(HttpPeer::request("DELETE", "/a"), 405);
    row("GET / HTTP/1.1\r\n\r\n", 400);
    row("\x16\x03\x01", 400);
    row(HttpPeer::get("/a", {"Origin: http://evil.test"}), 403);
    row(HttpPeer::get("/a", {"Sec-WebSocket-Version: 13"}), 426);
    row(HttpPeer::get("/a", {"X: " + QByteArray(20'000, 'x')}), 431);
}

// RFC 9110, section 6.6.1: caches and clients count an answer's age from it.
void TestHttpStandards::everyAnswerHasADate()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    TestHub relay;
    HttpPeer peer(relay.port());
    const QDateTime before =
        QDateTime::currentDateTimeUtc().addSecs(-2); // a whole second, of a coarse clock
    QVERIFY(peer.send(request));
    const HttpAnswer answer = peer.answer();
    QCOMPARE(answer.status, status);
    const QDateTime date =
        QLocale::c().toDateTime(QString::fromLatin1(answer.value("date")),
                                QStringLiteral("ddd, dd MMM yyyy hh:mm:ss 'GMT'"));
    QVERIFY2(date.isValid(), answer.value("date").constData());
    const QDateTime utc(date.date(), date.time(), Qt::UTC);
    QVERIFY(utc >= before && utc <= QDateTime::currentDateTimeUtc());
}

// Beyond limits.connections there are 64 places to be told so in good order. Those beyond them are told, too, and not just closed.
void TestHttpStandards::aConnectionTooManyIsToldSo()
{
    HubOptions options = testOptions();
    options.limits.connections = 1;
    TestHub relay(options);
    std::vector<std::unique_ptr<PacedClient>> silent;
    for (int i = 0; i < 1 + 64; ++i) {
        silent.push_back(std::make_unique<PacedClient>(relay.port()));
    }
    HttpPeer oneMore(relay.port());
    const HttpAnswer answer = oneMore.ask(HttpPeer::get("/a"));
    QCOMPARE(answer.status, 503);
    QVERIFY(answer.has("date"));
    QVERIFY(answer.body.contains("limits.connections"));
    QVERIFY(oneMore.waitForEnd());
    QVERIFY(relay.waitForCounters([](const relay::RelaySnapshot &counters) {
        return counters.handshakeFailures[static_cast<std::size_t>(
                   relay::HandshakeFailure::ConnectionLimit)]
               == 1;
    }));
}

void TestHttpStandards::headIsWhatGetWouldBe_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArrayList>("fields");
    QTest::addColumn<int>("status");
    const auto row = [](const char *name, const char *target, const QByteArrayList &fields,
                        int status) {
        QTest::newRow(name) << QByteArray(target) << fields << status;
    };
    row("history", "/a", {}, 200);
    row("a page", "/a", {kAcceptPage}, 200);
    row("an asset", "/-/page.js", {}, 200);
    row("a stream", "/a", {kAcceptStream}, 200);
    row("a stream of a pattern", "/**", {kAcceptStream}, 200);
    row("a stream for a page", "/a", {kAcceptStream, "Origin: http://localhost"}, 200);
    row("a stream that is forbidden", "/closed", {kAcceptStream}, 403);
    row("a stream that is full", "/full", {kAcceptStream},
        200); // it says when to come back, and ends
    row("no channel", "/a//b", {}, 404);
    row("no channel, for a browser", "/a//b", {kAcceptPage}, 404);
    row("a type that there is not", "/a", {"Accept: image/png"}, 406);
    row("a foreign page", "/a", {"Origin: http://evil.test"}, 403);
}

// RFC 9110, section 9.3.2: the same head, length and type included, and no body.
void TestHttpStandards::headIsWhatGetWouldBe()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArrayList, fields);
    QFETCH(int, status);
    HubOptions options = testOptions();
    ChannelRule closed{ChannelPattern::fromText("closed").value(), {}};
    closed.options.subscribe = false;
    ChannelRule small{ChannelPattern::fromText("full").value(), {}};
    small.options.maxClients = 1;
    options.channels = {closed, small};
    TestHub relay(options);
    PacedClient member(relay.port());
    QVERIFY(member.upgrade({}, "/full"));
    QVERIFY(relay.waitForClients(1));

    HttpPeer getter(relay.port());
    const HttpAnswer get = getter.ask(HttpPeer::get(target, fields));
    HttpPeer header(relay.port());
    QVERIFY(header.send(HttpPeer::request("HEAD", target, fields)));
    const HttpAnswer head = header.answer(HttpPeer::Body::None);
    QCOMPARE(get.status, status);
    QCOMPARE(head.status, status);
    QCOMPARE(comparable(head).fields, comparable(get).fields);
    if (head.value("connection") == "close") {
        QVERIFY(header.waitForEnd());
    }
    QVERIFY(header.connection().takeBytes().isEmpty());
}

void TestHttpStandards::headOfAStreamJoinsNothing()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    QVERIFY(peer.send(HttpPeer::request("HEAD", "/a", {kAcceptStream})));
    const HttpAnswer answer = peer.answer(HttpPeer::Body::None);
    QCOMPARE(answer.value("content-type"), QByteArray("text/event-stream"));
    QVERIFY(peer.waitForEnd());
    QCOMPARE(relay.hub().counters().eventStreams, 0U);
    QCOMPARE(relay.hub().channelCount(), 0);
    QVERIFY(relay.events().empty());
}

// QWebSocketServer adds `Access-Control-Allow-Origin: *`, which would contradict the relay's check of the origin.
void TestHttpStandards::anUpgradesAnswerSaysNothingOfCors()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(PacedClient::upgradeRequest());
    QCOMPARE(answer.status, 101);
    for (const auto &[name, value] : answer.fields) {
        QVERIFY2(!name.startsWith("access-control-"), name.constData());
    }
    QCOMPARE(answer.value("sec-websocket-accept"), QByteArray("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

void TestHttpStandards::aBrowserGetsErrorsAsPages_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<QByteArray>("title");
    const auto row = [](const char *title, const QByteArray &request) {
        QTest::addRow("%s to %s", title, request.left(request.indexOf('\r')).constData())
            << request << QByteArray(title);
    };
    row("404 Not Found", "GET /a//b HTTP/1.1\r\nHost: localhost\r\n");
    row("404 Not Found", "GET /-/nothing HTTP/1.1\r\nHost: localhost\r\n");
    row("400 Bad Request", "GET /a?last=x HTTP/1.1\r\nHost: localhost\r\n");
    row("403 Forbidden", "GET /a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.test\r\n");
    row("403 Forbidden", "GET /a HTTP/1.1\r\nHost: evil.test\r\n");
    row("405 Method Not Allowed", "DELETE /a HTTP/1.1\r\nHost: localhost\r\n");
    row("411 Length Required", "POST /a HTTP/1.1\r\nHost: localhost\r\n");
}

// Somebody has typed a wrong address: a sentence to read, not JSON. Programs get JSON.
void TestHttpStandards::aBrowserGetsErrorsAsPages()
{
    QFETCH(QByteArray, request);
    QFETCH(QByteArray, title);
    TestHub relay;
    HttpPeer browser(relay.port());
    const HttpAnswer page = browser.ask(request + kAcceptPage + "\r\n\r\n");
    QCOMPARE(page.status, title.left(3).toInt());
    QCOMPARE(page.value("content-type"), QByteArray("text/html; charset=utf-8"));
    QVERIFY2(page.body.contains(QByteArray("<h1>" + title + "</h1>")), page.body.constData());
    HttpPeer program(relay.port());
    const HttpAnswer json = program.ask(request + "Accept: */*\r\n\r\n");
    QCOMPARE(json.status, page.status);
    QVERIFY2(!json.error().isEmpty(), json.body.constData());
    QVERIFY(json.body.endsWith("}\n"));
    const QString sentence = json.json().value(QLatin1String("message")).toString();
    QVERIFY2(page.body.contains(QByteArray("<p>" + sentence.toHtmlEscaped().toUtf8() + "</p>")),
             page.body.constData());
}

// RFC 9110, section 9.3.7.
void TestHttpStandards::optionsOfTheServer()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(HttpPeer::request("OPTIONS", "*"));
    QCOMPARE(answer.status, 204);
    QCOMPARE(answer.value("allow"), QByteArray("GET, HEAD, POST, OPTIONS"));
    QCOMPARE(peer.ask(HttpPeer::get("*")).status, 400);
}

// The sentence of a 405 names what Allow does.
void TestHttpStandards::methodsAreNamed()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(HttpPeer::request("PUT", "/a"));
    QCOMPARE(answer.status, 405);
    QCOMPARE(answer.value("allow"), QByteArray("GET, HEAD, POST, OPTIONS"));
    QVERIFY(answer.body.contains(answer.value("allow")));
}

RELAY_TEST(TestHttpStandards)
#include "tst_http_standards.moc"
