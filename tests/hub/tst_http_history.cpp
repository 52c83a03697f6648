#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QDateTime>
#include <QTest>

using relay::ChannelPattern;
using relay::HubOptions;
using relay::test::HttpAnswer;
using relay::test::HttpPeer;
using relay::test::optionsKeeping;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;

namespace {

/// Publishes "1", "2", … and returns the epoch.
QByteArray publish(HttpPeer &peer, const QByteArray &path, int messages)
{
    QByteArray epoch;
    for (int i = 1; i <= messages; ++i) {
        const HttpAnswer answer =
            peer.ask(HttpPeer::post(path, QByteArray::number(i), {"Content-Type: text/plain"}));
        epoch = answer.json().value(QLatin1String("epoch")).toString().toLatin1();
    }
    return epoch;
}

/// The texts of a history, joined: "3 4 5".
QByteArray texts(const HttpAnswer &answer)
{
    QByteArrayList texts;
    const QJsonArray messages = answer.json().value(QLatin1String("messages")).toArray();
    for (const QJsonValue message : messages) {
        texts += message.toObject().value(QLatin1String("text")).toString().toUtf8();
    }
    return texts.join(' ');
}

QByteArray gapOf(const HttpAnswer &answer, const char *end)
{
    return answer.json()
        .value(QLatin1String("gap"))
        .toObject()
        .value(QLatin1String(end))
        .toString()
        .toUtf8();
}

} // namespace

class TestHttpHistory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sayWhatWasSent();
    void lastAndSince_data();
    void lastAndSince();
    void whatIsGoneIsToldAsAGap();
    void nobodyKnowsTheChannel();
    void aPatternShowsAllItsChannels();
    void acceptDecides_data();
    void acceptDecides();
    void badParameters_data();
    void badParameters();
    void thePageHasATagAndAPolicy_data();
    void thePageHasATagAndAPolicy();
    void thePageLinksToItsPartsRelatively_data();
    void thePageLinksToItsPartsRelatively();
    void otherMethodsAreToldWhichThereAre();
    void aChannelThatIsClosedToListeners();
};

// {"channel","epoch","offset","clients","messages"}: payloads as they were, text and bytes apart.
void TestHttpHistory::sayWhatWasSent()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    PacedClient member(relay.port());
    QVERIFY(member.upgrade({}, "/a%20b"));
    const QByteArray text("gr\xC3\xBC\xC3\x9F \"\\\n\0\x01 \xF0\x9F\x91\x8B", 17);
    const QByteArray bytes("\0\xFF\n", 3);
    QCOMPARE(peer.ask(HttpPeer::post("/a%20b", text, {"Content-Type: text/plain"})).status, 200);
    QCOMPARE(peer.ask(HttpPeer::post("/a%20b", bytes)).status, 200);
    const HttpAnswer answer = peer.ask(HttpPeer::get("/a%20b"));
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.value("cache-control"), QByteArray("no-store"));
    const QJsonObject json = answer.json();
    QCOMPARE(json.keys().join(QLatin1Char(' ')),
             QStringLiteral("channel clients epoch messages offset"));
    QCOMPARE(json.value(QLatin1String("channel")), QJsonValue(QStringLiteral("a b")));
    QCOMPARE(json.value(QLatin1String("clients")), QJsonValue(1));
    QCOMPARE(json.value(QLatin1String("offset")), QJsonValue(2));
    const QJsonArray messages = json.value(QLatin1String("messages")).toArray();
    QCOMPARE(messages.size(), 2);
    const QJsonObject first = messages[0].toObject();
    QCOMPARE(first.keys().join(QLatin1Char(' ')), QStringLiteral("offset text time"));
    QCOMPARE(first.value(QLatin1String("text")).toString().toUtf8(), text);
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    const qint64 time = first.value(QLatin1String("time")).toInteger();
    QVERIFY(time <= now && time > now - 120'000);
    const QJsonObject second = messages[1].toObject();
    QCOMPARE(second.keys().join(QLatin1Char(' ')), QStringLiteral("base64 offset time"));
    QCOMPARE(second.value(QLatin1String("base64")).toString().toUtf8(), bytes.toBase64());
}

void TestHttpHistory::lastAndSince_data()
{
    QTest::addColumn<QByteArray>("query"); // EPOCH stands for the epoch
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const char *query, const char *expected) {
        QTest::newRow(name) << QByteArray(query) << QByteArray(expected);
    };
    row("all", "", "1 2 3 4 5");
    row("last=0", "?last=0", "");
    row("last=2", "?last=2", "4 5");
    row("last as many as there are", "?last=5", "1 2 3 4 5");
    row("last more than there are", "?last=1000000", "1 2 3 4 5");
    row("since the beginning", "?since=EPOCH-0", "1 2 3 4 5");
    row("since the third", "?since=EPOCH-3", "4 5");
    row("since the last but one", "?since=EPOCH-4", "5");
    row("since the last", "?since=EPOCH-5", "");
    row("since counts more than last", "?since=EPOCH-3&last=1", "4 5");
    row("as the last event id", "?last_event_id=EPOCH-3", "4 5");
    row("the first of two", "?since=EPOCH-4&since=EPOCH-1", "5");
    row("what nobody knows", "?utm_source=x&last=1", "5");
}

// What is asked of the past is given, no more and no less, without a gap.
void TestHttpHistory::lastAndSince()
{
    QFETCH(QByteArray, query);
    QFETCH(QByteArray, expected);
    TestHub relay;
    HttpPeer peer(relay.port());
    const QByteArray epoch = publish(peer, "/a", 5);
    const HttpAnswer answer = peer.ask(HttpPeer::get("/a" + query.replace("EPOCH", epoch)));
    QCOMPARE(answer.status, 200);
    QCOMPARE(texts(answer), expected);
    QVERIFY(!answer.json().contains(QLatin1String("gap")));
}

// A position that the history does not reach, or that is of another epoch, or of the future, is told
// as a gap, and what there is follows.
void TestHttpHistory::whatIsGoneIsToldAsAGap()
{
    TestHub relay(optionsKeeping(3));
    HttpPeer peer(relay.port());
    const QByteArray epoch = publish(peer, "/a", 5); // 3 4 5 are kept
    const auto since = [&](const QByteArray &position) {
        return peer.ask(HttpPeer::get("/a?since=" + position));
    };
    QCOMPARE(gapOf(since(epoch + "-2"), "to"), QByteArray());
    QCOMPARE(texts(since(epoch + "-2")), QByteArray("3 4 5"));
    const QByteArrayList asked{epoch + "-1", epoch + "-0", epoch + "-6", "0123456789ab-4"};
    for (const QByteArray &position : asked) {
        const HttpAnswer answer = since(position);
        QCOMPARE(answer.status, 200);
        QCOMPARE(texts(answer), QByteArray("3 4 5"));
        QCOMPARE(gapOf(answer, "from"), position);
        QCOMPARE(gapOf(answer, "to"), epoch + "-2");
    }
}

// Asking does not make a channel; there is no epoch, and nothing.
void TestHttpHistory::nobodyKnowsTheChannel()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(HttpPeer::get("/nobody?last=5"));
    QCOMPARE(answer.status, 200);
    QVERIFY(answer.json().value(QLatin1String("epoch")).isNull());
    QCOMPARE(answer.json().value(QLatin1String("offset")), QJsonValue(0));
    QCOMPARE(answer.json().value(QLatin1String("clients")), QJsonValue(0));
    QCOMPARE(answer.json().value(QLatin1String("messages")), QJsonValue(QJsonArray()));
    QCOMPARE(relay.hub().channelCount(), 0);
}

// All that match, in the order in which they were accepted; the position is one for all.
void TestHttpHistory::aPatternShowsAllItsChannels()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    publish(peer, "/chat/1", 1);
    publish(peer, "/other", 1);
    publish(peer, "/chat/2", 2);
    const HttpAnswer all = peer.ask(HttpPeer::get("/chat/*"));
    QCOMPARE(texts(all), QByteArray("1 1 2"));
    const QJsonObject last =
        all.json().value(QLatin1String("messages")).toArray().last().toObject();
    QCOMPARE(last.value(QLatin1String("channel")), QJsonValue(QStringLiteral("chat/2")));
    QCOMPARE(last.value(QLatin1String("offset")), QJsonValue(2));
    const QByteArray position = all.json().value(QLatin1String("position")).toString().toUtf8();
    QCOMPARE(texts(peer.ask(HttpPeer::get("/chat/*?since=" + position))), QByteArray());
    publish(peer, "/chat/1", 1);
    const HttpAnswer more = peer.ask(HttpPeer::get("/chat/*?since=" + position));
    QCOMPARE(texts(more), QByteArray("1"));
    QVERIFY(!more.json().contains(QLatin1String("gap")));
    QCOMPARE(texts(peer.ask(HttpPeer::get("/**?last=2"))), QByteArray("2 1"));
}

void TestHttpHistory::acceptDecides_data()
{
    QTest::addColumn<QByteArrayList>("fields");
    QTest::addColumn<QByteArray>("type"); // empty: 406
    const auto row = [](const char *accept, const char *type) {
        QTest::newRow(accept) << QByteArrayList{QByteArray("Accept: ") + accept}
                              << QByteArray(type);
    };
    const char *json = "application/json";
    const char *page = "text/html; charset=utf-8";
    const char *stream = "text/event-stream";
    QTest::newRow("none") << QByteArrayList() << QByteArray(json);
    row("*/*", json); // curl
    row("application/json", json);
    row("application/*", json);
    row("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", page);
    row("text/event-stream", stream);
    row("Text/Event-Stream", stream);
    row("text/event-stream, */*;q=0.1", stream);
    row("application/json;q=0.5, text/html;q=0.6", page);
    row("text/html;q=0.5, application/json;q=0.5", page); // the first of equals
    row("text/html;q=0, */*", json);
    row("application/json;q=0, */*;q=0.5", stream);
    row("text/html;q=0", "");
    row("image/png", "");
    row("application/json;q=0", "");
    row("nonsense", "");
}

// What the client would rather have.
void TestHttpHistory::acceptDecides()
{
    QFETCH(QByteArrayList, fields);
    QFETCH(QByteArray, type);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer answer = peer.ask(HttpPeer::get("/a", fields));
    if (type.isEmpty()) {
        QCOMPARE(answer.status, 406);
        QCOMPARE(answer.error(), QByteArray("not_acceptable"));
    } else {
        QCOMPARE(answer.status, 200);
        QCOMPARE(answer.value("content-type"), type);
    }
}

void TestHttpHistory::badParameters_data()
{
    QTest::addColumn<QByteArray>("query");
    for (const char *query :
         {"last=-1", "last=x", "last=", "last=1.5", "last=1000001", "last=99999999999",
          "since=", "since=x", "since=5f2c9a11c07b", "since=5f2c9a11c07b-", "since=5f2c9a11c07b-01",
          "since=5f2c9a11c07b--1", "since=5F2C9A11C07B-1", "since=5f2c9a11c07b-99999999999999999",
          "echo=2", "echo=", "meta=x"})
    {
        QTest::newRow(query) << QByteArray(query);
    }
}

// A parameter that cannot be meant is refused, whatever the method, rather than guessed at.
void TestHttpHistory::badParameters()
{
    QFETCH(QByteArray, query);
    TestHub relay;
    HttpPeer peer(relay.port());
    const QByteArrayList requests{HttpPeer::get("/a?" + query),
                                  HttpPeer::get("/a?" + query, {"Accept: text/event-stream"}),
                                  HttpPeer::get("/*?" + query)};
    for (const QByteArray &request : requests) {
        const HttpAnswer answer = peer.ask(request);
        QCOMPARE(answer.status, 400);
        QCOMPARE(answer.error(), QByteArray("bad_parameter"));
    }
    QCOMPARE(peer.ask(PacedClient::upgradeRequest({}, "/a?" + query)).status, 400);
    QVERIFY(peer.waitForEnd());
}

void TestHttpHistory::thePageHasATagAndAPolicy_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("type");
    QTest::newRow("page") << QByteArray("/a/b") << QByteArray("text/html; charset=utf-8");
    QTest::newRow("pattern") << QByteArray("/a/*") << QByteArray("text/html; charset=utf-8");
    QTest::newRow("script") << QByteArray("/-/page.js")
                            << QByteArray("text/javascript; charset=utf-8");
    for (const char *module : {"/-/client.js", "/-/snippets.js"}) {
        QTest::newRow(module) << QByteArray(module)
                              << QByteArray("text/javascript; charset=utf-8");
    }
    QTest::newRow("style") << QByteArray("/-/page.css") << QByteArray("text/css; charset=utf-8");
    QTest::newRow("icon") << QByteArray("/-/icon.svg") << QByteArray("image/svg+xml");
}

// The page is sent once; nothing of another origin runs in it, and it in no other's.
void TestHttpHistory::thePageHasATagAndAPolicy()
{
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, type);
    TestHub relay;
    HttpPeer peer(relay.port());
    const QByteArray accept = "Accept: text/html,*/*;q=0.8";
    const HttpAnswer answer = peer.ask(HttpPeer::get(path, {accept}));
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.value("content-type"), type);
    QVERIFY(!answer.body.isEmpty());
    QCOMPARE(answer.value("x-content-type-options"), QByteArray("nosniff"));
    QCOMPARE(answer.value("content-security-policy"),
             QByteArray("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                        "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; "
                        "frame-ancestors 'none'"));
    const QByteArray tag = answer.value("etag");
    const QByteArrayList knownTags{tag, "\"other\", " + tag, "W/" + tag, "*"};
    for (const QByteArray &known : knownTags) {
        QVERIFY(peer.send(HttpPeer::get(path, {accept, "If-None-Match: " + known})));
        const HttpAnswer again = peer.answer(HttpPeer::Body::None);
        QCOMPARE(again.status, 304);
        QCOMPARE(again.value("etag"), tag);
    }
    QCOMPARE(peer.ask(HttpPeer::get(path, {accept, "If-None-Match: \"other\""})).status, 200);
}

void TestHttpHistory::thePageLinksToItsPartsRelatively_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("root");
    QTest::newRow("root") << QByteArray("/") << QByteArray("./");
    QTest::newRow("one segment") << QByteArray("/chat") << QByteArray("./");
    QTest::newRow("two segments") << QByteArray("/chat/42") << QByteArray("../");
    QTest::newRow("query") << QByteArray("/chat/42?last=1&x=/a/b") << QByteArray("../");
    QTest::newRow("whole URL") << QByteArray("http://127.0.0.1/a/b/c") << QByteArray("../../");
    QTest::newRow("encoded slash") << QByteArray("/chat%2F42") << QByteArray("./");
}

// A proxy may serve the relay under a path prefix that the relay does not know: no link of the page begins at the
// host's root. A browser that has the page of another depth is sent the right one.
void TestHttpHistory::thePageLinksToItsPartsRelatively()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, root);
    TestHub relay;
    HttpPeer peer(relay.port());
    const HttpAnswer page = peer.ask(HttpPeer::get(target, {"Accept: text/html"}));
    QCOMPARE(page.status, 200);
    QVERIFY(page.body.contains(QByteArray("src=\"" + root + "-/page.js\"")));
    QVERIFY(page.body.contains(QByteArray("href=\"" + root + "-/page.css\"")));
    for (const char *absolute : {"href=\"/", "src=\"/", "@root@"}) {
        QVERIFY2(!page.body.contains(absolute), absolute);
    }
    const QByteArray deeper =
        peer.ask(HttpPeer::get("/a/b/c/d", {"Accept: text/html"})).value("etag");
    QVERIFY(!deeper.isEmpty());
    QCOMPARE(
        peer.ask(HttpPeer::get(target, {"Accept: text/html", "If-None-Match: " + deeper})).status,
        200);
}

// 405 says what a channel takes.
void TestHttpHistory::otherMethodsAreToldWhichThereAre()
{
    TestHub relay;
    HttpPeer peer(relay.port());
    for (const QByteArray &method : {QByteArray("DELETE"), QByteArray("TRACE"), QByteArray("get")})
    {
        const HttpAnswer answer = peer.ask(HttpPeer::request(method, "/a"));
        QCOMPARE(answer.status, 405);
        QCOMPARE(answer.error(), QByteArray("method_not_allowed"));
        QCOMPARE(answer.value("allow"), QByteArray("GET, HEAD, POST, OPTIONS"));
    }
    QCOMPARE(peer.ask(HttpPeer::get("/-/publish")).status, 404);
}

// subscribe: false keeps the past from those who may not hear the present.
void TestHttpHistory::aChannelThatIsClosedToListeners()
{
    relay::ChannelOptions inbox;
    inbox.subscribe = false;
    HubOptions options = testOptions();
    options.channels = {relay::ChannelRule{ChannelPattern::fromText("inbox").value(), inbox}};
    TestHub relay(options);
    HttpPeer peer(relay.port());
    publish(peer, "/inbox", 1);
    for (const char *accept : {"Accept: application/json", "Accept: text/event-stream"}) {
        const HttpAnswer answer = peer.ask(HttpPeer::get("/inbox", {accept}));
        QCOMPARE(answer.status, 403);
        QCOMPARE(answer.error(), QByteArray("subscribe_forbidden"));
    }
    // Nor by a pattern.
    QCOMPARE(texts(peer.ask(HttpPeer::get("/*"))), QByteArray());
}

RELAY_TEST(TestHttpHistory)
#include "tst_http_history.moc"
