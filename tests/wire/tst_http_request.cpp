#include "wire/http_request.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

using namespace relay;
using ParseStatus = HttpRequestParse::Status;

namespace {

const QByteArray kRequest = "GET /chat?last=5 HTTP/1.1\r\n"
                            "Host: example.org:8443\r\n"
                            "accept: text/html, text/plain\r\n"
                            "Accept:\t*/* \r\n"
                            "X-Empty:\r\n"
                            "X-Obs-Text: Gr\xFC\xDF e\r\n"
                            "\r\n";

HttpRequestParse parse(const QByteArray &bytes)
{
    return parseHttpRequest(bytes, HttpLimits{});
}

/// A request with these lines between the request line and the empty line.
QByteArray withFields(const QByteArray &lines)
{
    return "GET / HTTP/1.1\r\n" + lines + "\r\n";
}

} // namespace

/// A request's head is read as RFC 9112 has it; what two readers could read differently is refused.
class TestHttpRequest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // what is right
    void readsARequest();
    void needsEveryByte();
    void leavesWhatFollowsTheHead();
    void keepAlive_data();
    void keepAlive();
    void complete_data();
    void complete();
    void tokens_data();
    void tokens();

    // what is wrong
    void malformed_data();
    void malformed();
    void refusedAtTheFirstByte_data();
    void refusedAtTheFirstByte();

    // limits
    void headOfTheLimitAndOneMore();
    void headThatDoesNotEnd();
    void fieldsOfTheLimitAndOneMore();
    void mutatedRequestsNeverThrow();
};

void TestHttpRequest::readsARequest()
{
    const HttpRequestParse result = parse(kRequest);
    QCOMPARE(result.status, ParseStatus::Complete);
    QCOMPARE(result.headBytes, kRequest.size());
    const HttpRequest &request = result.request;
    QCOMPARE(request.method, "GET");
    QCOMPARE(request.target, "/chat?last=5");
    QCOMPARE(request.version, 11);
    QVERIFY(request.keepAlive);
    QCOMPARE(request.fields.size(), 5);
    QCOMPARE(request.fields.at(0).name, "Host");
    QCOMPARE(request.value("hOST"), "example.org:8443");
    QCOMPARE(request.fields.at(1).name, "accept"); // as the client wrote it
    QCOMPARE(request.value("Accept"), "text/html, text/plain");
    QCOMPARE(request.fields.at(2).value, "*/*"); // without the blanks around it
    QCOMPARE(request.count("ACCEPT"), 2);
    QCOMPARE(request.count("X-Empty"), 1);
    QVERIFY(request.value("X-Empty").isEmpty());
    QCOMPARE(request.value("X-Obs-Text"), "Gr\xFC\xDF e");
    QVERIFY(request.value("X-None").isNull());
    QCOMPARE(request.count("X-None"), 0);
}

// The caller calls again at each arrival: no prefix is complete, and none is refused.
void TestHttpRequest::needsEveryByte()
{
    for (qsizetype bytes = 0; bytes < kRequest.size(); ++bytes) {
        QVERIFY2(parse(kRequest.first(bytes)).status == ParseStatus::NeedMore,
                 qPrintable(QString::number(bytes)));
    }
    QCOMPARE(parse(kRequest).status, ParseStatus::Complete);
}

// A client may send its first frames, or a body, in one packet with the head.
void TestHttpRequest::leavesWhatFollowsTheHead()
{
    const QByteArray body = QByteArray::fromHex("818537fa213d7f9f4d5158") + "\r\n\r\n\n garbage";
    const HttpRequestParse result = parse(kRequest + body);
    QCOMPARE(result.status, ParseStatus::Complete);
    QCOMPARE(result.headBytes, kRequest.size());
}

void TestHttpRequest::keepAlive_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<int>("version");
    QTest::addColumn<bool>("keepAlive");
    const auto row = [](const char *name, const QByteArray &head, int version, bool keepAlive) {
        QTest::newRow(name) << head << version << keepAlive;
    };
    row("1.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 11, true);
    row("1.1 close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 11, false);
    row("1.0", "GET / HTTP/1.0\r\n\r\n", 10, false);
    row("1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 10, true);
}

void TestHttpRequest::keepAlive()
{
    QFETCH(const QByteArray, head);
    QFETCH(const int, version);
    QFETCH(const bool, keepAlive);
    const HttpRequestParse result = parse(head);
    QCOMPARE(result.status, ParseStatus::Complete);
    QCOMPARE(result.request.version, version);
    QCOMPARE(result.request.keepAlive, keepAlive);
}

void TestHttpRequest::complete_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::newRow("method of its own") << QByteArray("M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n");
    QTest::newRow("absolute form") << QByteArray("GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n");
    for (const char *host : {"a", "A.Example.", "a:80", "a:", "a:0", "a:65535", "a:0080",
                             "127.0.0.1:8443", "[::1]:8443", "[::ffff:127.0.0.1]",
                             "[1:2:3:4:5:6:7:8]", "256.1.1.1", "127.1", "a_b", "a%41", "a,b", "-"})
    {
        QTest::addRow("Host: %s", host) << withFields(QByteArray("Host: ") + host + "\r\n");
    }
    for (const char *target :
         {"/a%2Fb?c=%26", "/[a]{b}|^`", "/a?[x]={y}|^`", "/~a;b=c,d:e@f!$&'()*+",
          "http://[::1]:80/a", "HTTPS://a.example?b", "*", "/?a?b/c"})
    {
        QTest::addRow("target %s", target)
            << QByteArray("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    QTest::newRow("HTTP/1.0 without Host") << QByteArray("GET / HTTP/1.0\r\n\r\n");
    QTest::newRow("Host without a value") << withFields("Host:\r\n");
    QTest::newRow("body of any length")
        << QByteArray("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n");
    QTest::newRow("chunked body") << QByteArray(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
}

void TestHttpRequest::complete()
{
    QFETCH(const QByteArray, head);
    const HttpRequestParse result = parse(head);
    QVERIFY2(result.status == ParseStatus::Complete, result.problem.constData());
    QCOMPARE(result.headBytes, head.size());
}

void TestHttpRequest::tokens_data()
{
    QTest::addColumn<QByteArray>("fields");
    QTest::addColumn<bool>("found");
    QTest::newRow("alone") << QByteArray("X-List: token\r\n") << true;
    QTest::newRow("other case") << QByteArray("X-LIST: ToKen\r\n") << true;
    QTest::newRow("in a list") << QByteArray("X-List: keep-alive, Token\r\n") << true;
    QTest::newRow("blanks") << QByteArray("X-List: a ,\t token\t,b\r\n") << true;
    QTest::newRow("second field") << QByteArray("X-List: a\r\nX-List: token\r\n") << true;
    QTest::newRow("empty elements") << QByteArray("X-List: ,,token,\r\n") << true;
    QTest::newRow("part of a word") << QByteArray("X-List: tokens, xtoken\r\n") << false;
    QTest::newRow("two words") << QByteArray("X-List: token now\r\n") << false;
    QTest::newRow("another field") << QByteArray("X-Other: token\r\n") << false;
    QTest::newRow("no value") << QByteArray("X-List:\r\n") << false;
    QTest::newRow("no field") << QByteArray() << false;
}

void TestHttpRequest::tokens()
{
    QFETCH(const QByteArray, fields);
    QFETCH(const bool, found);
    const HttpRequestParse result = parse(withFields("Host: a\r\n" + fields));
    QCOMPARE(result.status, ParseStatus::Complete);
    QCOMPARE(result.request.hasToken("X-List", "token"), found);
}

void TestHttpRequest::malformed_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("problem"); ///< words that the answer must hold
    const auto row = [](const char *name, const QByteArray &head, const QByteArray &problem) {
        QTest::newRow(name) << head << problem;
    };
    const QByteArray host = "Host: a\r\n";
    row("no Host", withFields({}), "no Host");
    row("two Hosts", withFields(host + "host: b\r\n"), "more than one Host");
    row("two equal Hosts", withFields(host + host), "more than one Host");
    row("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        "more than one Host");
    row("two Origins", withFields(host + "Origin: http://a\r\norigin: http://b\r\n"),
        "more than one Origin");
    row("two Content-Types",
        withFields(host + "Content-Type: text/plain\r\ncontent-type: image/png\r\n"),
        "more than one Content-Type");
    row("folded field", withFields(host + "X: a\r\n b\r\n"), "folded");
    row("folded with a tab", withFields(host + "X: a\r\n\tb\r\n"), "folded");
    row("blank before the first field", withFields(" X: a\r\n" + host), "folded");
    row("bare LF", "GET / HTTP/1.1\nHost: a\n\n", "CR LF");
    row("bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "CR LF");
    row("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", "CR LF");
    row("bare CR", withFields(host + "X: a\rb\r\n"), "HTTP");
    row("NUL", withFields(host + QByteArray("X: a\0b\r\n", 8)), "HTTP");
    row("control character", withFields(host + "X: a\x01\r\n"), "HTTP");
    row("DEL", withFields(host + "X: a\x7F\r\n"), "HTTP");
    row("blank before the colon", withFields(host + "X : a\r\n"), "HTTP");
    row("no colon", withFields(host + "X\r\n"), "HTTP");
    row("no name", withFields(host + ": a\r\n"), "HTTP");
    row("name not a token", withFields(host + "X(y): a\r\n"), "HTTP");
    row("name beyond ASCII", withFields(host + "X\xFC: a\r\n"), "HTTP");
    row("method not a token", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", "");
    for (const char *bad : {"user@127.0.0.1",
                            "user:pass@a",
                            "a b",
                            "a,b c",
                            "a:80:80",
                            "a:http",
                            "a:-1",
                            "a:+80",
                            "a:65536",
                            "a:99999999999",
                            ":80",
                            ":",
                            "::1",
                            "[::1",
                            "[::1]x",
                            "[]",
                            "[127.0.0.1]",
                            "[::g]",
                            "[::1%25eth0]",
                            "a/b",
                            "a?b",
                            "a#b",
                            "http://a",
                            "a\\b",
                            "a\"b",
                            "a%",
                            "a%4",
                            "a%zz",
                            "a[b]",
                            "<a>",
                            "\xC3\xBC",
                            "a\tb"})
    {
        QTest::addRow("Host: %s", bad) << withFields(QByteArray("Host: ") + bad + "\r\n")
                                       << QByteArray("the Host header field");
        QTest::addRow("Host of HTTP/1.0: %s", bad)
            << QByteArray("GET / HTTP/1.0\r\nHost: ") + bad + "\r\n\r\n"
            << QByteArray("the Host header field");
    }
    for (const char *bad : {"/a#b", "/#", "/a\\b", "/a\"b", "/<a>", "/a>b"}) {
        QTest::addRow("target %s", bad) << QByteArray("GET ") + bad + " HTTP/1.1\r\nHost: a\r\n\r\n"
                                        << QByteArray("must be percent-encoded");
    }
    for (const char *bad : {"/%", "/a%4", "/a%zz", "/a%%20", "/a?b=5%", "/%u0041", "/?%G0"}) {
        QTest::addRow("target %s", bad) << QByteArray("GET ") + bad + " HTTP/1.1\r\nHost: a\r\n\r\n"
                                        << QByteArray("hexadecimal");
    }
    for (const char *bad : {"http:///a", "http://", "http://u@a/", "https://a:port/",
                            "http://[::1/", "http://a%/", "HTTP://:80/"})
    {
        QTest::addRow("target %s", bad) << QByteArray("GET ") + bad + " HTTP/1.1\r\nHost: a\r\n\r\n"
                                        << QByteArray();
    }
    row("empty Host beside a host in the target", "GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n",
        "Host header field is empty");
    row("bad Host beside a host in the target", "GET http://a/ HTTP/1.1\r\nHost: u@a\r\n\r\n",
        "the Host header field");
    row("target beyond ASCII", "GET /\xC3\xBC HTTP/1.1\r\nHost: a\r\n\r\n", "");
    row("DEL in the target", "GET /\x7F HTTP/1.1\r\nHost: a\r\n\r\n", "");
    row("blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP");
    row("two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP");
    row("no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP");
    row("no version (HTTP/0.9)", "GET /\r\nHost: a\r\n\r\n", "HTTP");
    row("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP");
    row("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "HTTP");
    row("http in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", "HTTP");
    row("an answer", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", "HTTP");
    row("two lengths", withFields(host + "Content-Length: 1\r\nContent-Length: 2\r\n"), "HTTP");
    row("length not a number", withFields(host + "Content-Length: +1\r\n"), "HTTP");
    row("length and chunked",
        withFields(host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), "HTTP");
    row("empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP");
}

void TestHttpRequest::malformed()
{
    QFETCH(const QByteArray, head);
    QFETCH(const QByteArray, problem);
    const HttpRequestParse result = parse(head);
    QCOMPARE(result.status, ParseStatus::Malformed);
    QVERIFY(!result.problem.isEmpty());
    QVERIFY2(result.problem.contains(problem), result.problem.constData());
}

void TestHttpRequest::refusedAtTheFirstByte_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("problem");
    QTest::newRow("TLS ClientHello") << QByteArray::fromHex("16") << QByteArray("this is TLS");
    QTest::newRow("WebSocket frame") << QByteArray::fromHex("81") << QByteArray("method");
    QTest::newRow("NUL") << QByteArray(1, '\0') << QByteArray("method");
    QTest::newRow("blank") << QByteArray(" ") << QByteArray("method");
    QTest::newRow("line feed") << QByteArray("\n") << QByteArray("method");
}

// Who speaks another protocol is told at once: it will never send the empty line that ends a head.
void TestHttpRequest::refusedAtTheFirstByte()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QByteArray, problem);
    const HttpRequestParse result = parse(bytes);
    QCOMPARE(result.status, ParseStatus::Malformed);
    QVERIFY2(result.problem.contains(problem), result.problem.constData());
}

// The limit itself is allowed, whatever follows the head.
void TestHttpRequest::headOfTheLimitAndOneMore()
{
    const HttpLimits limits{.headBytes = 200, .fields = 100};
    const QByteArray start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const QByteArray head = start + QByteArray(200 - start.size() - 4, 'x') + "\r\n\r\n";
    QCOMPARE(head.size(), 200);
    QCOMPARE(parseHttpRequest(head, limits).status, ParseStatus::Complete);
    QCOMPARE(parseHttpRequest(QByteArray(head + "body"), limits).status, ParseStatus::Complete);

    const QByteArray oneMore = start + 'x' + head.sliced(start.size());
    const HttpRequestParse result = parseHttpRequest(oneMore, limits);
    QCOMPARE(result.status, ParseStatus::TooLarge);
    QVERIFY2(result.problem.contains("200 bytes"), result.problem.constData());
}

// Refused when the limit is reached, not when the end is found.
void TestHttpRequest::headThatDoesNotEnd()
{
    const HttpLimits limits{.headBytes = 200, .fields = 100};
    const QByteArray bytes = "GET /" + QByteArray(500, 'x');
    QCOMPARE(parseHttpRequest(bytes.first(199), limits).status, ParseStatus::NeedMore);
    QCOMPARE(parseHttpRequest(bytes.first(200), limits).status, ParseStatus::TooLarge);
    QCOMPARE(parseHttpRequest(bytes, limits).status, ParseStatus::TooLarge);
}

void TestHttpRequest::fieldsOfTheLimitAndOneMore()
{
    const HttpLimits limits{};
    const QByteArray fields = "Host: a\r\n" + QByteArray("X: y\r\n").repeated(limits.fields - 1);
    QCOMPARE(parseHttpRequest(withFields(fields), limits).status, ParseStatus::Complete);

    const HttpRequestParse result = parseHttpRequest(withFields(fields + "X: y\r\n"), limits);
    QCOMPARE(result.status, ParseStatus::TooLarge);
    QVERIFY2(result.problem.contains("100 header fields"), result.problem.constData());
}

// Hostile bytes give an answer, never an exception, and never a head longer than what came.
void TestHttpRequest::mutatedRequestsNeverThrow()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    for (int round = 0; round < 20000; ++round) {
        QByteArray bytes = kRequest;
        for (quint32 n = random.bounded(1U, 6U); n > 0; --n) {
            const qsizetype at = random.bounded(static_cast<int>(bytes.size()));
            static const QByteArray interesting = QByteArray::fromHex("000a0d20093a2f7f80ff2c");
            bytes[at] = random.bounded(2) == 0
                            ? static_cast<char>(random.bounded(256))
                            : interesting[random.bounded(static_cast<int>(interesting.size()))];
        }
        const HttpRequestParse result = parse(bytes);
        QVERIFY(result.headBytes <= bytes.size());
        if (result.status == ParseStatus::Complete) {
            QVERIFY(bytes.first(result.headBytes).endsWith("\r\n\r\n"));
            QCOMPARE(result.request.count("Host"), 1);
        } else if (result.status != ParseStatus::NeedMore) {
            QVERIFY(!result.problem.isEmpty());
        }
    }
}

RELAY_TEST(TestHttpRequest)
#include "tst_http_request.moc"
