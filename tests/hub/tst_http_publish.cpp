#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QRegularExpression>
#include <QTest>

using relay::ChannelPattern;
using relay::ChannelRule;
using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::offsetOf;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;

namespace {

const QByteArray kText = "Content-Type: text/plain";
constexpr qint64 kLimit = 1000;

HubOptions optionsOfNews()
{
    relay::ChannelOptions news;
    news.publish = false;
    HubOptions options = testOptions();
    options.channels = {ChannelRule{ChannelPattern::fromText("news/**").value(), news}};
    return options;
}

} // namespace

class TestHttpPublish : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void kindOfBody_data();
    void kindOfBody();
    void refusedBody_data();
    void refusedBody();
    void aBodyWithoutATypeIsLookedAt_data();
    void aBodyWithoutATypeIsLookedAt();
    void badUtf8IsNeverPublished_data();
    void badUtf8IsNeverPublished();
    void aLengthIsRequired();
    void theLimitIsExact_data();
    void theLimitIsExact();
    void theAnswerSaysWhereItIsAndWhoGotIt();
    void offsetsHaveNoHoles();
    void names_data();
    void names();
    void aChannelThatOnlyListens();
};

void TestHttpPublish::kindOfBody_data()
{
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<bool>("isText");
    QTest::newRow("text") << QByteArray("text/plain") << true;
    QTest::newRow("other text, in capitals") << QByteArray("TEXT/Csv") << true;
    QTest::newRow("text in UTF-8") << QByteArray("text/html; charset=UTF-8") << true;
    QTest::newRow("text in quoted UTF-8") << QByteArray("text/plain;charset=\"utf-8\"") << true;
    QTest::newRow("text in ASCII") << QByteArray("text/plain; charset=us-ascii") << true;
    QTest::newRow("JSON") << QByteArray("application/json") << true;
    QTest::newRow("a form, as curl -d says")
        << QByteArray("application/x-www-form-urlencoded") << true;
    QTest::newRow("bytes") << QByteArray("application/octet-stream") << false;
    QTest::newRow("an image") << QByteArray("image/png") << false;
    QTest::newRow("JSON with a suffix") << QByteArray("application/cloudevents+json") << true;
    QTest::newRow("JSON in utf8") << QByteArray("application/json; charset=utf8") << true;
    QTest::newRow("like JSON") << QByteArray("application/jsonp") << false;
    QTest::newRow("like text") << QByteArray("texts/plain") << false;
    QTest::newRow("not said, and UTF-8") << QByteArray() << true;
}

// What the publisher says of the body decides whether listeners get text or bytes; the payload is
// theirs, byte for byte.
void TestHttpPublish::kindOfBody()
{
    QFETCH(QByteArray, type);
    QFETCH(bool, isText);
    TestHub relay;
    PacedClient listener(relay.port());
    QVERIFY(listener.upgrade({}, "/chat/42"));
    HttpPeer peer(relay.port());
    const QByteArray body = "gr\xC3\xBC\xC3\x9F dich\r\n{}\0 a=%20"
                            "b";
    const QByteArrayList fields =
        type.isEmpty() ? QByteArrayList() : QByteArrayList{"Content-Type: " + type};
    QCOMPARE(peer.ask(HttpPeer::post("/chat/42", body, fields)).status, 200);
    const auto frame = listener.nextFrame();
    QVERIFY(frame.has_value());
    QCOMPARE(frame->opcode, isText ? Op::Text : Op::Binary);
    QCOMPARE(frame->payload, body);
}

void TestHttpPublish::refusedBody_data()
{
    QTest::addColumn<QByteArrayList>("fields");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("error");
    const auto row = [](const char *name, const QByteArrayList &fields, int status,
                        const char *error) {
        QTest::newRow(name) << fields << status << QByteArray(error);
    };
    row("Latin-1", {"Content-Type: text/plain; charset=iso-8859-1"}, 415, "unsupported_charset");
    row("JSON in UTF-16", {"Content-Type: application/json; charset=utf-16"}, 415,
        "unsupported_charset");
    row("compressed", {kText, "Content-Encoding: gzip"}, 415, "unsupported_encoding");
    row("compressed twice", {kText, "Content-Encoding: identity, br"}, 415, "unsupported_encoding");
}

// What the relay would have to change to pass it on is refused, before the body, and changes nothing.
void TestHttpPublish::refusedBody()
{
    QFETCH(QByteArrayList, fields);
    QFETCH(int, status);
    QFETCH(QByteArray, error);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(HttpPeer::post("/a", "hello", fields));
    QCOMPARE(answer.status, status);
    QCOMPARE(answer.error(), error);
    QVERIFY(peer.waitForEnd()); // the body was not read: nothing can follow it
    QCOMPARE(relay.hub().counters().messages, 0U);
    QCOMPARE(relay.hub().channelCount(), 0);
}

void TestHttpPublish::aBodyWithoutATypeIsLookedAt_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<bool>("isText");
    QTest::newRow("ASCII") << QByteArray("hi") << true;
    QTest::newRow("UTF-8") << QByteArray("gr\xC3\xBC\xC3\x9F") << true;
    QTest::newRow("nothing") << QByteArray("") << true;
    QTest::newRow("a NUL") << QByteArray("a\0b", 3) << true;
    QTest::newRow("half a code point") << QByteArray("gr\xC3") << false;
    QTest::newRow("Latin-1") << QByteArray("caf\xE9") << false;
    QTest::newRow("a picture") << QByteArray::fromHex("89504e470d0a1a0a") << false;
}

// requests.post(url, data="hi") and many other clients send no Content-Type: what can be text is published as text.
void TestHttpPublish::aBodyWithoutATypeIsLookedAt()
{
    QFETCH(QByteArray, body);
    QFETCH(bool, isText);
    TestHub relay;
    PacedClient listener(relay.port());
    QVERIFY(listener.upgrade({}, "/a"));
    for (const QByteArrayList &fields : {QByteArrayList(), QByteArrayList{"Content-Type:"}}) {
        HttpPeer peer(relay.port());
        QCOMPARE(peer.ask(HttpPeer::post("/a", body, fields)).status, 200);
        const auto frame = listener.nextFrame();
        QVERIFY(frame.has_value());
        QCOMPARE(frame->opcode, isText ? Op::Text : Op::Binary);
        QCOMPARE(frame->payload, body);
    }
}

void TestHttpPublish::badUtf8IsNeverPublished_data()
{
    QTest::addColumn<QByteArray>("body");
    const QByteArray sound = "\xF0\x9F\x91\x8B";
    for (qsizetype bytes = 1; bytes < sound.size(); ++bytes) {
        QTest::addRow("a code point cut after %lld bytes", bytes) << "hello " + sound.first(bytes);
    }
    QTest::newRow("a surrogate") << QByteArray("\xED\xA0\x80");
    QTest::newRow("too long a form") << QByteArray("\xC0\xAF");
    QTest::newRow("beyond Unicode") << QByteArray("\xF4\x90\x80\x80");
    QTest::newRow("Latin-1") << QByteArray("caf\xE9");
}

// A WebSocket client would have to close its connection at such a text frame (RFC 6455, section 8.1).
// The connection goes on: the body was read. The same bytes may be sent as bytes.
void TestHttpPublish::badUtf8IsNeverPublished()
{
    QFETCH(QByteArray, body);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(HttpPeer::post("/a", body, {kText}));
    QCOMPARE(answer.status, 400);
    QCOMPARE(answer.error(), QByteArray("not_utf8"));
    QCOMPARE(relay.hub().counters().messages, 0U);
    QCOMPARE(peer.ask(HttpPeer::post("/a", body)).status, 200);
}

// Without a length nobody could tell a whole message from one that was cut off.
void TestHttpPublish::aLengthIsRequired()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    for (const QByteArray &target : {QByteArray("/a"), QByteArray("/-/publish")}) {
        const HttpAnswer answer = peer.ask(HttpPeer::request("POST", target, {kText}));
        QCOMPARE(answer.status, 411);
        QCOMPARE(answer.error(), QByteArray("length_required"));
    }
    QCOMPARE(offsetOf(peer.ask(HttpPeer::post("/a", {}, {kText}))), 1); // 0 is a length
}

void TestHttpPublish::theLimitIsExact_data()
{
    QTest::addColumn<qint64>("bytes");
    QTest::addColumn<bool>("isChunked");
    QTest::addColumn<int>("status");
    for (const bool isChunked : {false, true}) {
        const char *how = isChunked ? "in chunks" : "with its length";
        QTest::addRow("one less, %s", how) << kLimit - 1 << isChunked << 200;
        QTest::addRow("the limit, %s", how) << kLimit << isChunked << 200;
        QTest::addRow("one past, %s", how) << kLimit + 1 << isChunked << 413;
    }
}

// limits.message_size is the longest message, however it comes.
void TestHttpPublish::theLimitIsExact()
{
    QFETCH(qint64, bytes);
    QFETCH(bool, isChunked);
    QFETCH(int, status);
    HubOptions options = testOptions();
    options.limits.messageSize = kLimit;
    TestHub relay(options);
    PacedClient listener(relay.port());
    QVERIFY(listener.upgrade({}, "/a"));
    const QByteArray body = relay::test::patterned(bytes);
    QByteArray request = HttpPeer::post("/a", body);
    if (isChunked) {
        request = HttpPeer::request("POST", "/a", {"Transfer-Encoding: chunked"});
        for (qsizetype at = 0; at < body.size(); at += 100) {
            const QByteArray piece = body.mid(at, 100);
            request += QByteArray::number(piece.size(), 16) + "\r\n" + piece + "\r\n";
        }
        request += "0\r\n\r\n";
    }
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(request);
    QCOMPARE(answer.status, status);
    if (status == 200) {
        const auto frame = listener.nextFrame();
        QVERIFY(frame.has_value());
        QCOMPARE(frame->payload, body);
    } else {
        QCOMPARE(answer.error(), QByteArray("too_big"));
        QVERIFY(peer.waitForEnd());
        QCOMPARE(relay.hub().counters().messages, 0U);
    }
}

// The answer: {"channel","epoch","offset","clients"}, and nothing else. All kinds of listeners count.
void TestHttpPublish::theAnswerSaysWhereItIsAndWhoGotIt()
{
    TestHub relay(testOptions(2));
    PacedClient member(relay.port());
    QVERIFY(member.upgrade({}, "/chat/42"));
    PacedClient elsewhere(relay.port());
    QVERIFY(elsewhere.upgrade({}, "/chat/43"));
    HttpPeer stream(relay.port());
    QCOMPARE(stream.listen("/chat/42").status, 200);
    HttpPeer patternStream(relay.port());
    QCOMPARE(patternStream.listen("/chat/*").status, 200);
    PacedClient pattern(relay.port());
    QVERIFY(pattern.upgrade({}, "/**"));
    QVERIFY(relay.waitForClients(5));

    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(HttpPeer::post("/chat/42", "hello", {kText}));
    QCOMPARE(answer.status, 200);
    const QJsonObject json = answer.json();
    QCOMPARE(json.keys(), QStringList({QStringLiteral("channel"), QStringLiteral("clients"),
                                       QStringLiteral("epoch"), QStringLiteral("offset")}));
    QCOMPARE(json.value(QLatin1String("channel")), QJsonValue(QStringLiteral("chat/42")));
    QCOMPARE(json.value(QLatin1String("clients")), QJsonValue(4));
    QCOMPARE(offsetOf(answer), 1);
    static const QRegularExpression kEpoch(QStringLiteral("\\A[0-9a-f]{12}\\z"));
    QVERIFY(kEpoch.match(json.value(QLatin1String("epoch")).toString()).hasMatch());
    QCOMPARE(peer.ask(HttpPeer::post("/nobody/here", "x")).json().value(QLatin1String("clients")),
             QJsonValue(1)); // the listener of "**"
}

// 1, 2, 3 …, whoever publishes, and however: refused ones take no number.
void TestHttpPublish::offsetsHaveNoHoles()
{
    TestHub relay(testOptions(2));
    HttpPeer one(relay.port());
    HttpPeer other(relay.port());
    PacedClient webSocket(relay.port());
    QVERIFY(webSocket.upgrade({}, "/a"));
    for (qint64 offset = 1; offset <= 30; offset += 3) {
        QCOMPARE(offsetOf(one.ask(HttpPeer::post("/a", "x", {kText}))), offset);
        QCOMPARE(one.ask(HttpPeer::post("/a", "\xFF", {kText})).status, 400);
        QVERIFY(webSocket.sendText("x"));
        QVERIFY(webSocket.nextFrame() && webSocket.nextFrame()); // the one above, and its own
        QCOMPARE(offsetOf(other.ask(HttpPeer::post("/a", "x"))), offset + 2);
        QVERIFY(webSocket.nextFrame());
    }
}

void TestHttpPublish::names_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("name"); // null: there is no such channel
    const auto row = [](const char *what, const QByteArray &target, const QByteArray &name) {
        QTest::newRow(what) << target << name;
    };
    row("the root", "/", "/");
    row("percent-encoded", "/caf%C3%A9/%20x", "caf\xC3\xA9/ x");
    row("an encoded slash parts segments", "/a%2Fb", "a/b");
    row("an absolute target", "http://localhost/a?x=1", "a");
    row("a star within a segment", "/a*b", "a*b");
    row("255 bytes", '/' + QByteArray(255, 'x'), QByteArray(255, 'x'));
    row("a dash alone", "/-", "-");
    row("256 bytes", '/' + QByteArray(256, 'x'), {});
    row("reserved", "/-/anything", {});
    row("reserved, encoded", "/%2D%2Fanything", {});
    row("behind the batch", "/-/publish/x", {});
    row("an asset", "/-/page.js", {});
    row("an empty segment", "/a//b", {});
    row("two slashes", "//", {});
    row("a slash at the end", "/a/", {});
    row("up", "/a/../b", {});
    row("up, encoded", "/a/%2e%2E/b", {});
    row("a NUL", "/a%00", {});
    row("a line feed", "/a%0Ab", {});
    row("not UTF-8", "/%FF", {});
    row("a pattern", "/a/*", {});
    row("everything", "/**", {});
    row("a pattern, encoded", "/%2A", {});
}

// A name that is none is not published to, and leaves nothing behind.
void TestHttpPublish::names()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, name);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(HttpPeer::post(target, "x"));
    if (name.isNull()) {
        QCOMPARE(answer.status, 404);
        QCOMPARE(answer.error(), QByteArray("no_such_channel"));
        QCOMPARE(relay.hub().channelCount(), 0);
        QCOMPARE(relay.hub().counters().messages, 0U);
    } else {
        QCOMPARE(answer.status, 200);
        QCOMPARE(answer.json().value(QLatin1String("channel")).toString().toUtf8(), name);
    }
}

// publish: false. Who may not publish need not send the body to learn it.
void TestHttpPublish::aChannelThatOnlyListens()
{
    TestHub relay(optionsOfNews());
    HttpPeer peer(relay.port());
    const QByteArray request =
        HttpPeer::request("POST", "/news/today", {"Content-Length: 5", "Expect: 100-continue"});
    const HttpAnswer answer = peer.ask(request);
    QCOMPARE(answer.status, 403);
    QCOMPARE(answer.error(), QByteArray("publish_forbidden"));
    const auto name = relay::ChannelName::fromText("news/today").value();
    QCOMPARE(relay.hub().publish(name, "x", relay::MessageKind::Text).position.offset, 1U);
}

RELAY_TEST(TestHttpPublish)
#include "tst_http_publish.moc"
