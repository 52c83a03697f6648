#include "wire/upgrade_request.h"

#include "support/test_main.h"

#include <QTest>

using namespace relay;

namespace {

const QByteArray kKey = "dGhlIHNhbXBsZSBub25jZQ=="; // the one of RFC 6455, section 1.3

/// The example of RFC 6455, section 1.2, as lines that a test may change.
QByteArray handshake()
{
    return "GET /chat HTTP/1.1\r\n"
           "Host: server.example.com\r\n"
           "Upgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Key: "
           + kKey
           + "\r\n"
             "Origin: http://example.com\r\n"
             "Sec-WebSocket-Version: 13\r\n"
             "User-Agent: test/1\r\n"
             "\r\n";
}

/// The handshake with one piece of its text replaced, which must be there.
QByteArray changed(const QByteArray &from, const QByteArray &to)
{
    QByteArray head = handshake();
    Q_ASSERT(head.contains(from));
    return head.replace(from, to);
}

std::variant<UpgradeRequest, RefusedUpgrade> judge(const QByteArray &head)
{
    const HttpRequestParse parsed = parseHttpRequest(head, HttpLimits{});
    if (parsed.status != HttpRequestParse::Status::Complete) {
        qFatal("not a request: %s", parsed.problem.constData());
    }
    return judgeUpgrade(parsed.request);
}

QByteArray fieldOf(const HttpResponse &response, const QByteArray &name)
{
    for (const HttpField &field : response.fields) {
        if (field.name == name) {
            return field.value;
        }
    }
    return {};
}

} // namespace

/// An opening handshake is accepted when it keeps every rule of RFC 6455, section 4.2.1, and
/// refused with what is missing.
class TestUpgradeRequest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // what is right
    void takesWhatTheRelayNeeds();
    void accepted_data();
    void accepted();
    void absoluteTargetNamesHostAndPath_data();
    void absoluteTargetNamesHostAndPath();
    void minimalHeadIsAHandshake();

    // what is wrong
    void refused_data();
    void refused();
    void methodNotAllowedNamesGet();
    void meansWebSocket_data();
    void meansWebSocket();
    void subprotocolsKeepTheirCase();
    void anAnswerHasNoCorsFields();
    void anotherVersionIsToldOurs();
};

void TestUpgradeRequest::takesWhatTheRelayNeeds()
{
    const auto verdict = judge(handshake());
    const auto *const upgrade = std::get_if<UpgradeRequest>(&verdict);
    QVERIFY(upgrade != nullptr);
    QCOMPARE(upgrade->target.path, "/chat");
    QCOMPARE(upgrade->target.host, "server.example.com");
    QCOMPARE(upgrade->origin, "http://example.com");
    QCOMPARE(upgrade->key, kKey);
}

void TestUpgradeRequest::accepted_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::newRow("no browser") << changed("Origin: http://example.com\r\n", {});
    QTest::newRow("no user agent") << changed("User-Agent: test/1\r\n", {});
    QTest::newRow("Upgrade in another case") << changed("Upgrade: websocket", "UPGRADE: WebSocket");
    QTest::newRow("Firefox's Connection")
        << changed("Connection: Upgrade", "Connection: keep-alive, Upgrade");
    QTest::newRow("several protocols") << changed("Upgrade: websocket", "Upgrade: h2c, websocket");
    QTest::newRow("several protocols, in another case, with blanks")
        << changed("Upgrade: websocket", "Upgrade: h2c ,\tWEBSOCKET");
    QTest::newRow("Upgrade in two fields")
        << changed("Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket");
    QTest::newRow("Connection of Java's h2c")
        << changed("Connection: Upgrade", "Connection: Upgrade, HTTP2-Settings");
    QTest::newRow("Connection in two fields, in another case")
        << changed("Connection: Upgrade", "Connection: keep-alive\r\nconnection: UPGRADE");
    QTest::newRow("key that ends in other bits") << changed(kKey, "dGhlIHNhbXBsZSBub25jZR==");
    QTest::newRow("an empty list of subprotocols")
        << changed("User-Agent: test/1", "Sec-WebSocket-Protocol: , ,");
    for (const char *list : {"permessage-deflate; client_max_window_bits", "a;b=1;c=\"d\", e",
                             "a , b;c", ",a,,b,", "a; b = \"c\\d\"", ""})
    {
        QTest::addRow("extensions: %s", list)
            << changed("User-Agent: test/1", QByteArray("Sec-WebSocket-Extensions: ") + list);
    }
    QTest::newRow("length of no body") << changed("User-Agent: test/1", "Content-Length: 0");
    QTest::newRow("subprotocols and extensions")
        << changed("User-Agent: test/1", "Sec-WebSocket-Protocol: a, b\r\n"
                                         "Sec-WebSocket-Extensions: permessage-deflate");
}

void TestUpgradeRequest::accepted()
{
    QFETCH(const QByteArray, head);
    QVERIFY(std::holds_alternative<UpgradeRequest>(judge(head)));
}

void TestUpgradeRequest::absoluteTargetNamesHostAndPath_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("query");
    const auto row = [](const QByteArray &target, const QByteArray &host, const QByteArray &path,
                        const QByteArray &query) {
        QTest::newRow(target.constData()) << target << host << path << query;
    };
    row("http://a/chat", "a", "/chat", "");
    row("https://a:8443/chat?last=5", "a:8443", "/chat", "last=5");
    row("HTTP://a/chat", "a", "/chat", "");
    row("http://a", "a", "/", "");
    row("http://a?last=5", "a", "/", "last=5");
    row("http://[::1]:8443/", "[::1]:8443", "/", "");
}

// A proxy may pass on the whole URI; the channel and the check of the origin then go by it, not by
// the Host field.
void TestUpgradeRequest::absoluteTargetNamesHostAndPath()
{
    QFETCH(const QByteArray, target);
    QFETCH(const QByteArray, host);
    QFETCH(const QByteArray, path);
    QFETCH(const QByteArray, query);
    const QByteArray requestLine = "GET " + target + " ";
    const auto verdict = judge(changed("GET /chat ", requestLine));
    const auto *const upgrade = std::get_if<UpgradeRequest>(&verdict);
    QVERIFY(upgrade != nullptr);
    QCOMPARE(upgrade->target.host, host);
    QCOMPARE(upgrade->target.path, path);
    QCOMPARE(upgrade->target.query, query);
}

// QWebSocketServer is handed this in place of the client's own head, and splits its fields at ": ".
void TestUpgradeRequest::minimalHeadIsAHandshake()
{
    const QByteArray head = minimalUpgradeHead(kKey);
    const auto verdict = judge(head);
    const auto *const upgrade = std::get_if<UpgradeRequest>(&verdict);
    QVERIFY(upgrade != nullptr);
    QCOMPARE(upgrade->key, kKey);
    QCOMPARE(upgrade->target.path, "/");
    QVERIFY(head.endsWith("\r\n\r\n"));

    QList<QByteArray> lines = head.chopped(4).split('\n');
    lines.removeFirst();
    QCOMPARE(lines.size(), 5);
    for (const QByteArray &line : std::as_const(lines)) {
        const QByteArray field = line.trimmed();
        const qsizetype colon = field.indexOf(": ");
        QVERIFY2(colon > 0 && field.indexOf(':') == colon && field[colon + 2] != ' ',
                 field.constData());
    }
}

void TestUpgradeRequest::refused_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<UpgradeRefusal>("reason");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("named"); ///< what the sentence must name
    const auto row = [](const char *name, const QByteArray &head, UpgradeRefusal reason, int status,
                        const char *named) {
        QTest::newRow(name) << head << reason << status << QByteArray(named);
    };
    const auto bad = [&row](const char *name, const QByteArray &head, const char *named) {
        row(name, head, UpgradeRefusal::BadRequest, 400, named);
    };
    const auto required = [&row](const char *name, const QByteArray &head, const char *named) {
        row(name, head, UpgradeRefusal::UpgradeRequired, 426, named);
    };
    const auto method = [&row](const char *name, const QByteArray &verb) {
        row(name, changed("GET", verb), UpgradeRefusal::MethodNotAllowed, 405, "GET");
    };
    const QByteArray keyLine = "Sec-WebSocket-Key: " + kKey + "\r\n";
    const QByteArray versionLine = "Sec-WebSocket-Version: 13\r\n";

    method("POST", "POST");
    method("HEAD", "HEAD");
    method("get in lower case", "get");

    required("no Upgrade", changed("Upgrade: websocket\r\n", {}), "WebSocket");
    required("another protocol", changed("Upgrade: websocket", "Upgrade: h2c"), "WebSocket");
    required("no version", changed(versionLine, {}), "13");
    required("version 8", changed("Version: 13", "Version: 8"), "13");
    required("a list of versions", changed("Version: 13", "Version: 13, 8"), "13");
    required("version 13.0", changed("Version: 13", "Version: 13.0"), "13");
    required("an empty version", changed("Version: 13", "Version:"), "13");
    required("a protocol that begins so", changed("Upgrade: websocket", "Upgrade: websockets"),
             "WebSocket");
    required("a version of the protocol", changed("Upgrade: websocket", "Upgrade: websocket/13"),
             "WebSocket");
    required("version 013", changed("Version: 13", "Version: 013"), "13");
    required("two versions", changed(versionLine, versionLine + versionLine), "13");

    bad("HTTP/1.0", changed("HTTP/1.1", "HTTP/1.0"), "HTTP/1.1");
    bad("no Connection", changed("Connection: Upgrade\r\n", {}), "Connection: upgrade");
    bad("Connection without upgrade", changed("Connection: Upgrade", "Connection: keep-alive"),
        "Connection: upgrade");
    bad("no key", changed(keyLine, {}), "Sec-WebSocket-Key");
    bad("two keys", changed(keyLine, keyLine + keyLine), "Sec-WebSocket-Key");
    bad("empty key", changed(kKey, {}), "Sec-WebSocket-Key");
    bad("key of 15 bytes", changed(kKey, QByteArray(15, 'a').toBase64()), "Sec-WebSocket-Key");
    bad("key of 17 bytes", changed(kKey, QByteArray(17, 'a').toBase64()), "Sec-WebSocket-Key");
    bad("key not base64", changed(kKey, "dGhlIHNhbXBsZSBub25j!Q=="), "Sec-WebSocket-Key");
    bad("key without padding", changed(kKey, "dGhlIHNhbXBsZSBub25jZQ"), "Sec-WebSocket-Key");
    bad("key with a blank", changed(kKey, "dGhlIHNhbXBs ZSBub25jZQ=="), "Sec-WebSocket-Key");
    bad("key in base64url", changed(kKey, "_-hlIHNhbXBsZSBub25jZQ=="), "Sec-WebSocket-Key");
    bad("key with its padding within", changed(kKey, "dGhlIHNhbXBs==SBub25jZQA"),
        "Sec-WebSocket-Key");
    bad("Connection that begins so", changed("Connection: Upgrade", "Connection: Upgrades"),
        "Connection: upgrade");
    for (const char *list : {"a b", "a, b c", "\"a\"", "a/b", "a;b", "(a)", "a, b\xFC"}) {
        QTest::addRow("subprotocols: %s", list)
            << changed("User-Agent: test/1", QByteArray("Sec-WebSocket-Protocol: ") + list)
            << UpgradeRefusal::BadRequest << 400 << QByteArray("Sec-WebSocket-Protocol");
    }
    for (const char *list : {"a b", ";a", "a;", "a;=b", "a;b=", "a;b=\"", "a;b=\"c d\"", "a;b=\"\"",
                             "a;b=\"c\"d", "\"a\"", "a=b", "a;b=\"c\\", "a;b==c"})
    {
        QTest::addRow("extensions: %s", list)
            << changed("User-Agent: test/1", QByteArray("Sec-WebSocket-Extensions: ") + list)
            << UpgradeRefusal::BadRequest << 400 << QByteArray("Sec-WebSocket-Extensions");
    }
    bad("a body", changed("User-Agent: test/1", "Content-Length: 5"), "body");
    bad("a chunked body", changed("User-Agent: test/1", "Transfer-Encoding: chunked"), "body");
    bad("target without a slash", changed("GET /chat", "GET chat"), "path");
    bad("target *", changed("GET /chat", "GET *"), "path");
    bad("target of another scheme", changed("GET /chat", "GET ftp://a/chat"), "path");
}

// Each rule alone, broken, gets its status, and a sentence that names what to mend.
void TestUpgradeRequest::refused()
{
    QFETCH(const QByteArray, head);
    QFETCH(const UpgradeRefusal, reason);
    QFETCH(const int, status);
    QFETCH(const QByteArray, named);
    const auto verdict = judge(head);
    const auto *const refusal = std::get_if<RefusedUpgrade>(&verdict);
    QVERIFY(refusal != nullptr);
    QCOMPARE(refusal->reason, reason);
    QCOMPARE(refusal->response.status, status);
    QVERIFY2(refusal->response.body.contains(named), refusal->response.body.constData());
    QVERIFY(!refusal->response.keepAlive);
}

void TestUpgradeRequest::methodNotAllowedNamesGet()
{
    const auto refusal = std::get<RefusedUpgrade>(judge(changed("GET", "DELETE")));
    QCOMPARE(fieldOf(refusal.response, "Allow"), "GET");
}

void TestUpgradeRequest::meansWebSocket_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<bool>("isMeant");
    const auto row = [](const char *name, const QByteArray &lines, bool isMeant,
                        const QByteArray &first = "GET /a HTTP/1.1\r\n") {
        QTest::newRow(name) << first + "Host: a\r\n" + lines + "\r\n" << isMeant;
    };
    const QByteArray h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                           "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n";
    row("nothing", {}, false);
    row("curl --http2", h2c, false);
    row("curl --http2 -d", h2c, false, "POST /a HTTP/1.1\r\n");
    row("another protocol", "Connection: Upgrade\r\nUpgrade: TLS/1.0, IRC/6.9\r\n", false);
    row("an empty field", "Upgrade:\r\n", false);
    row("a name that begins so", "Upgrade: websocket2\r\n", false);
    row("a handshake", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true);
    row("one of several", "Connection: Upgrade\r\nUpgrade: h2c, WebSocket\r\n", true);
    row("without Connection", "Upgrade: websocket\r\n", true);
    row("by HTTP/1.0, in which it means nothing", "Upgrade: websocket\r\n", false,
        "GET /a HTTP/1.0\r\n");
    row("without Upgrade, which a proxy has swallowed", "Sec-WebSocket-Version: 13\r\n", true);
    row("of which only the key is left", "Sec-WebSocket-Key: x\r\n", true);
}

// RFC 9110, section 7.8: a server ignores what it does not want to upgrade to. What does mean a WebSocket is judged as one, so that
// its sender hears what is wrong.
void TestUpgradeRequest::meansWebSocket()
{
    QFETCH(const QByteArray, head);
    const HttpRequestParse parsed = parseHttpRequest(head, HttpLimits{});
    QCOMPARE(parsed.status, HttpRequestParse::Status::Complete);
    QTEST(relay::meansWebSocket(parsed.request), "isMeant");
}

// RFC 6455, section 4.2.2: the server names one that the client has named, letter for letter, or the client must fail.
void TestUpgradeRequest::subprotocolsKeepTheirCase()
{
    const auto upgrade = std::get<UpgradeRequest>(
        judge(changed("User-Agent: test/1", "Sec-WebSocket-Protocol: Relay.Meta , a\r\n"
                                            "sec-websocket-protocol: ,b")));
    QCOMPARE(upgrade.subprotocols, QByteArrayList({"Relay.Meta", "a", "b"}));
}

// What QWebSocketServer says of CORS would contradict the relay's own check of the origin.
void TestUpgradeRequest::anAnswerHasNoCorsFields()
{
    const QByteArray answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                              "Access-Control-Allow-Credentials: false\r\n"
                              "access-control-allow-origin: *\r\n"
                              "X-Access-Control-Own: 1\r\nDate: x\r\n\r\n";
    QCOMPARE(withoutCorsFields(answer), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                        "X-Access-Control-Own: 1\r\nDate: x\r\n\r\n");
    QCOMPARE(withoutCorsFields("Access"), QByteArray("Access"));
    QCOMPARE(withoutCorsFields({}), QByteArray());
}

void TestUpgradeRequest::anotherVersionIsToldOurs()
{
    const auto refusal = std::get<RefusedUpgrade>(judge(changed("Version: 13", "Version: 14")));
    QCOMPARE(fieldOf(refusal.response, "Sec-WebSocket-Version"), "13");
    QCOMPARE(fieldOf(refusal.response, "Upgrade"), "websocket");
}

RELAY_TEST(TestUpgradeRequest)
#include "tst_upgrade_request.moc"
