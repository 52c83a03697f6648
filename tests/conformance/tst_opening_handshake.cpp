#include "conformance/hub_thread.h"
#include "support/raw_client.h"
#include "support/test_main.h"

#include <QCryptographicHash>
#include <QTest>

#include <algorithm>
#include <memory>

using namespace relay;
using namespace relay::test;

namespace {

const QByteArray kSampleKey = "dGhlIHNhbXBsZSBub25jZQ==";

QByteArray acceptFor(const QByteArray &key)
{
    const QByteArray joined = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    return QCryptographicHash::hash(joined, QCryptographicHash::Sha1).toBase64();
}

/// The sample request with one of its lines replaced; an empty replacement leaves the line out.
QByteArray changed(const QByteArray &line, const QByteArray &replacement)
{
    const QByteArray before = line + "\r\n";
    const QByteArray after = replacement.isEmpty() ? replacement : replacement + "\r\n";
    QByteArray request = RawClient::sampleRequest();
    Q_ASSERT(request.contains(before));
    return request.replace(before, after);
}

/// The sample request with further lines at its end.
QByteArray with(const QByteArray &lines)
{
    return RawClient::sampleRequest().chopped(2) + lines + "\r\n\r\n";
}

const QByteArray kRequestLine = "GET / HTTP/1.1";
const QByteArray kHost = "Host: localhost";
const QByteArray kUpgrade = "Upgrade: websocket";
const QByteArray kConnection = "Connection: Upgrade";
const QByteArray kKey = "Sec-WebSocket-Key: " + kSampleKey;
const QByteArray kVersion = "Sec-WebSocket-Version: 13";

} // namespace

/// The opening handshake (RFC 6455, section 4.2), over real sockets: what must be accepted is, with
/// the right proof and nothing that was not asked for; what must not be is refused with the status
/// that says why.
class TestOpeningHandshake : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_relay.reset(); }

    void accepted_data();
    void accepted();
    void refused_data();
    void refused();
    void provesThatItReadTheKey_data();
    void provesThatItReadTheKey();
    void grantsNothingThatIsNotImplemented_data();
    void grantsNothingThatIsNotImplemented();
    void grantsTheSubprotocolThatItKnows_data();
    void grantsTheSubprotocolThatItKnows();
    void otherRequests_data();
    void otherRequests();
    void framesBehindTheRequest_data();
    void framesBehindTheRequest();
    void violationBehindTheRequest();
    void closeBehindTheRequest();

private:
    std::unique_ptr<HubThread> m_relay;
};

void TestOpeningHandshake::initTestCase()
{
    HubOptions options;
    options.workers = 1;
    m_relay = std::make_unique<HubThread>(options);
    QVERIFY(m_relay->port() != 0);
}

void TestOpeningHandshake::accepted_data()
{
    QTest::addColumn<QByteArray>("request");
    const auto add = [](const char *name, const QByteArray &request) {
        QTest::newRow(name) << request;
    };
    add("4.2.1 the sample request", RawClient::sampleRequest());
    add("4.2.1 a path", changed(kRequestLine, "GET /chat/42 HTTP/1.1"));
    add("4.2.1 a path and a query", changed(kRequestLine, "GET /chat?a=b&c=%20 HTTP/1.1"));
    add("4.2.1 an absolute URI", changed(kRequestLine, "GET http://localhost/chat HTTP/1.1"));
    add("4.2.1 an absolute URI without a path",
        changed(kRequestLine, "GET http://localhost HTTP/1.1"));
    add("4.2.1 Upgrade in another case", changed(kUpgrade, "Upgrade: WebSocket"));
    add("4.2.1 Upgrade in upper case", changed(kUpgrade, "UPGRADE: WEBSOCKET"));
    add("4.2.1 Upgrade among others", changed(kUpgrade, "Upgrade: h2c, websocket"));
    add("4.2.1 Connection in another case", changed(kConnection, "Connection: upGRADE"));
    add("4.2.1 Connection with further tokens",
        changed(kConnection, "Connection: keep-alive, Upgrade"));
    add("4.2.1 Connection in two fields",
        changed(kConnection, "Connection: keep-alive\r\nConnection: Upgrade"));
    add("4.2.1 Connection without blanks", changed(kConnection, "Connection:keep-alive,Upgrade"));
    add("4.2.1 names of fields in lower case", RawClient::sampleRequest()
                                                   .replace("Sec-WebSocket-", "sec-websocket-")
                                                   .replace("Host", "host"));
    add("4.2.1 names of fields in upper case",
        RawClient::sampleRequest().replace("Sec-WebSocket-", "SEC-WEBSOCKET-"));
    add("4.2.1 blanks around the key", changed(kKey, "Sec-WebSocket-Key: \t " + kSampleKey + "  "));
    add("4.2.1 no blanks before values", RawClient::sampleRequest().replace(": ", ":"));
    add("4.2.1 unknown fields", with("X-Unknown: 1\r\nCookie: a=b"));
    add("4.2.1 the origin of its own host", with("Origin: http://localhost"));
}

// A client that does what the RFC allows gets in, and can talk.
void TestOpeningHandshake::accepted()
{
    QFETCH(QByteArray, request);
    for (const qsizetype pieceBytes : {0, 1, 7}) {
        RawClient client(m_relay->port());
        QVERIFY(client.send(request, pieceBytes));
        const AnswerHead answer = client.receiveHead();
        QCOMPARE(answer.status, 101);
        QCOMPARE(answer.value("upgrade").toLower(), "websocket");
        QCOMPARE(answer.value("connection").toLower(), "upgrade");
        QCOMPARE(answer.value("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        QVERIFY(client.sendFrame(Op::Text, "hello"));
        const Received echo = client.receiveFrame();
        QCOMPARE(echo.kind, Received::Kind::Frame);
        QCOMPARE(echo.frame.payload, "hello");
    }
}

void TestOpeningHandshake::refused_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    const auto add = [](const char *name, const QByteArray &request, int status) {
        QTest::newRow(name) << request << status;
    };
    add("4.2.1 POST", changed(kRequestLine, "POST / HTTP/1.1"), 405);
    add("4.2.1 HEAD", changed(kRequestLine, "HEAD / HTTP/1.1"), 405);
    add("4.2.1 HTTP/1.0", changed(kRequestLine, "GET / HTTP/1.0"), 400);
    add("4.2.1 no path", changed(kRequestLine, "GET chat HTTP/1.1"), 400);
    add("4.2.1 no Host", changed(kHost, {}), 400);
    add("4.2.1 two Hosts", changed(kHost, "Host: localhost\r\nHost: elsewhere"), 400);
    add("4.2.1 no Upgrade", changed(kUpgrade, {}), 426);
    add("4.2.1 Upgrade to something else", changed(kUpgrade, "Upgrade: h2c"), 426);
    add("4.2.1 Upgrade to a name that begins so", changed(kUpgrade, "Upgrade: websockets"), 426);
    add("4.2.1 no Connection", changed(kConnection, {}), 400);
    add("4.2.1 Connection without the token", changed(kConnection, "Connection: keep-alive"), 400);
    add("4.2.1 Connection with a token that ends so", changed(kConnection, "Connection: noupgrade"),
        400);
    add("4.2.1 no key", changed(kKey, {}), 400);
    add("4.2.1 an empty key", changed(kKey, "Sec-WebSocket-Key:"), 400);
    add("4.2.1 a key of 15 bytes", changed(kKey, "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1"), 400);
    add("4.2.1 a key of 17 bytes", changed(kKey, "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Njc="),
        400);
    add("4.2.1 a key that is not base64",
        changed(kKey, "Sec-WebSocket-Key: dGhl!HNhbXBsZSBub25jZQ=="), 400);
    add("4.2.1 a key without its padding",
        changed(kKey, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"), 400);
    add("4.2.1 two keys", changed(kKey, kKey + "\r\n" + kKey), 400);
    add("4.4 no version", changed(kVersion, {}), 426);
    add("4.4 version 8", changed(kVersion, "Sec-WebSocket-Version: 8"), 426);
    add("4.4 version 0", changed(kVersion, "Sec-WebSocket-Version: 0"), 426);
    add("4.4 version 14", changed(kVersion, "Sec-WebSocket-Version: 14"), 426);
    add("4.4 version 013", changed(kVersion, "Sec-WebSocket-Version: 013"), 426);
    add("4.4 a version that is no number", changed(kVersion, "Sec-WebSocket-Version: x"), 426);
    add("10.2 a foreign origin", with("Origin: https://evil.example"), 403);
    add("10.2 an opaque origin", with("Origin: null"), 403);
    add("10.2 two origins", with("Origin: http://localhost\r\nOrigin: https://evil.example"), 400);
    add("4.2.1 a body", with("Content-Length: 5"), 400);
    add("4.2.1 no HTTP at all", "\x16\x03\x01\x02\r\n\r\n", 400);
    add("4.2.1 a field without a colon", with("no colon"), 400);
    add("10.4 a head beyond 16 KiB", with("X-Long: " + QByteArray(17'000, 'x')), 431);
    add("10.4 101 fields", with(QByteArray("X-Many: 1\r\n").repeated(101).chopped(2)), 431);
}

// A refused client is told so, in HTTP; the connection ends behind the answer, without a reset.
void TestOpeningHandshake::refused()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    for (const qsizetype pieceBytes : {0, 1}) {
        RawClient client(m_relay->port());
        (void)client.send(request, pieceBytes); // may be cut short by the answer
        const AnswerHead answer = client.receiveHead();
        QCOMPARE(answer.status, status);
        QVERIFY(!answer.has("sec-websocket-accept"));
        if (status == 426) {
            QCOMPARE(answer.value("upgrade"), "websocket");
            QCOMPARE(answer.value("sec-websocket-version"), "13");
        }
        if (status == 405) {
            QVERIFY(answer.has("allow"));
        }
        QVERIFY(client.ends());
    }
}

void TestOpeningHandshake::provesThatItReadTheKey_data()
{
    QTest::addColumn<QByteArray>("key");
    QTest::newRow("4.2.2 all zero") << QByteArray(16, '\0').toBase64();
    QTest::newRow("4.2.2 all ones") << QByteArray(16, '\xFF').toBase64();
    QTest::newRow("4.2.2 a counter") << QByteArray("0123456789abcdef").toBase64();
    QTest::newRow("4.2.2 plus and slash") << QByteArray("+/+/+/+/+/+/+/+/+/+/+w==");
}

// The proof that a client checks is that of its own key, not a constant.
void TestOpeningHandshake::provesThatItReadTheKey()
{
    QFETCH(QByteArray, key);
    RawClient client(m_relay->port());
    QVERIFY(client.send(RawClient::sampleRequest().replace(kSampleKey, key)));
    const AnswerHead answer = client.receiveHead();
    QCOMPARE(answer.status, 101);
    QCOMPARE(answer.value("sec-websocket-accept"), acceptFor(key));
}

void TestOpeningHandshake::grantsNothingThatIsNotImplemented_data()
{
    QTest::addColumn<QByteArray>("offer");
    QTest::newRow("9.1 an unknown extension") << QByteArray("Sec-WebSocket-Extensions: x-unknown");
    QTest::newRow("9.1 two extensions with parameters")
        << QByteArray("Sec-WebSocket-Extensions: foo, bar; baz=2\r\nSec-WebSocket-Extensions: qux");
    QTest::newRow("4.2.2 a subprotocol") << QByteArray("Sec-WebSocket-Protocol: chat");
    QTest::newRow("4.2.2 subprotocols") << QByteArray("Sec-WebSocket-Protocol: chat, superchat");
}

// A client that is granted what it offered relies on it: an extension changes the frames, a
// subprotocol the messages.
void TestOpeningHandshake::grantsNothingThatIsNotImplemented()
{
    QFETCH(QByteArray, offer);
    RawClient client(m_relay->port());
    QVERIFY(client.send(with(offer)));
    const AnswerHead answer = client.receiveHead();
    QCOMPARE(answer.status, 101);
    QVERIFY(!answer.has("sec-websocket-extensions"));
    QVERIFY(!answer.has("sec-websocket-protocol"));

    QVERIFY(client.sendFrame(Op::Text, "as if compressed", {.rsv = 4}));
    QCOMPARE(client.receiveFrame().frame.closeCode(), 1002);
}

void TestOpeningHandshake::grantsTheSubprotocolThatItKnows_data()
{
    QTest::addColumn<QByteArray>("offer");
    QTest::newRow("4.2.2 alone") << QByteArray("Sec-WebSocket-Protocol: relay.meta");
    QTest::newRow("4.2.2 among others")
        << QByteArray("Sec-WebSocket-Protocol: chat, relay.meta,superchat");
    QTest::newRow("4.2.2 in a field of its own")
        << QByteArray("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: relay.meta");
}

// One of those that were offered is chosen, by its name, in one field; a browser closes otherwise.
void TestOpeningHandshake::grantsTheSubprotocolThatItKnows()
{
    QFETCH(QByteArray, offer);
    RawClient client(m_relay->port());
    QVERIFY(client.send(with(offer)));
    const AnswerHead answer = client.receiveHead();
    QCOMPARE(answer.status, 101);
    QCOMPARE(answer.value("sec-websocket-protocol"), "relay.meta");
    const auto isProtocol = [](const auto &field) {
        return field.first == "sec-websocket-protocol";
    };
    QCOMPARE(std::count_if(answer.fields.begin(), answer.fields.end(), isProtocol), 1);
    const Received welcome = client.receiveFrame();
    QCOMPARE(welcome.frame.opcode, Op::Text);
    QVERIFY2(welcome.frame.payload.startsWith("{\"channel\":\"/\","),
             welcome.toString().constData());
}

void TestOpeningHandshake::otherRequests_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("contentType");
    const auto add = [](const char *name, const char *line, int status, const char *contentType,
                        const char *more = "") {
        QTest::newRow(name) << QByteArray(line) + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n"
                            << status << QByteArray(contentType);
    };
    const char *json = "application/json";
    add("GET", "GET /", 200, json);
    add("GET of a browser", "GET /chat", 200, "text/html",
        "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n");
    add("HEAD", "HEAD /", 200, json);
    add("POST", "POST /", 200, json, "Content-Length: 0\r\n");
    add("PUT", "PUT /", 405, json);
    add("DELETE", "DELETE /chat", 405, json);
    add("an unknown method", "FROB /", 405, json);
    add("a name that is none", "GET /chat//42", 404, json);
    add("one of the relay's own", "GET /-/nothing", 404, json);
    add("a target that is none", "GET chat", 400, json);
    add("a parameter that is none", "GET /?last=-1", 400, json);
    add("an origin that may not", "GET /", 403, json, "Origin: https://evil.example\r\n");
}

// Who does not ask for a WebSocket is answered as HTTP says, in JSON also when it is refused; nothing
// speaks of upgrades.
void TestOpeningHandshake::otherRequests()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    QFETCH(QByteArray, contentType);
    for (const qsizetype pieceBytes : {0, 1}) {
        RawClient client(m_relay->port());
        QVERIFY(client.send(request, pieceBytes));
        const AnswerHead answer = client.receiveHead();
        QCOMPARE(answer.status, status);
        QVERIFY2(answer.value("content-type").startsWith(contentType),
                 answer.value("content-type").constData());
        QCOMPARE(answer.has("allow"), status == 405);
        QVERIFY(!answer.has("upgrade"));
    }
}

void TestOpeningHandshake::framesBehindTheRequest_data()
{
    QTest::addColumn<qsizetype>("pieceBytes");
    for (const qsizetype pieceBytes : {0, 1, 3, 100, 997}) {
        QTest::addRow("4.1 in writes of %lld", static_cast<long long>(pieceBytes)) << pieceBytes;
    }
}

// What comes right behind the request's head, in the same read or cut anywhere, is neither lost nor
// torn.
void TestOpeningHandshake::framesBehindTheRequest()
{
    QFETCH(qsizetype, pieceBytes);
    const QByteArray large = patterned(3000);
    const QByteArray frames = clientFrame(Op::Text, "first") + clientFrame(Op::Binary, large)
                              + clientFrame(Op::Text, "la", {.fin = false})
                              + clientFrame(Op::Continuation, "st");
    RawClient client(m_relay->port());
    QVERIFY(client.send(RawClient::sampleRequest() + frames, pieceBytes));
    QCOMPARE(client.receiveHead().status, 101);
    QCOMPARE(client.receiveFrame().frame.payload, "first");
    QCOMPARE(client.receiveFrame().frame.payload, large);
    QCOMPARE(client.receiveFrame().frame.payload, "last");
    QVERIFY(client.sendFrame(Op::Ping, "alive"));
    QCOMPARE(client.receiveFrame().frame.payload, "alive");
}

// The answer to the request comes first, then the close frame: a client that reads them in turn is
// not confused.
void TestOpeningHandshake::violationBehindTheRequest()
{
    RawClient client(m_relay->port());
    QVERIFY(client.open(clientFrame(Op::Text, "in the clear", {.mask = std::nullopt})));
    QCOMPARE(client.receiveFrame().frame.closeCode(), 1002);
    QCOMPARE(client.receiveFrame().kind, Received::Kind::Closed);
}

// A client may have nothing to say but goodbye.
void TestOpeningHandshake::closeBehindTheRequest()
{
    RawClient client(m_relay->port());
    QVERIFY(
        client.open(clientFrame(Op::Text, "hello") + clientFrame(Op::Close, closePayload(4000))));
    QCOMPARE(client.receiveFrame().frame.payload, "hello");
    QCOMPARE(client.receiveFrame().frame.closeCode(), 4000);
    QCOMPARE(client.receiveFrame().kind, Received::Kind::Closed);
}

RELAY_TEST(TestOpeningHandshake)
#include "tst_opening_handshake.moc"
