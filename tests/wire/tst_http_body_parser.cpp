#include "wire/http_body_parser.h"

#include "http_reading.h"
#include "support/test_main.h"

#include <QTest>

#include <limits>

using namespace relay;
using Status = HttpRequestReader::Status;

/// A body ends where every reader of it finds its end, and costs what was allowed. Read as a
/// connection does, by an HttpRequestReader.
class TestHttpBodyParser : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void brokenChunks_data();
    void brokenChunks();

    // limits
    void bodyOfTheLimitAndOneMore_data();
    void bodyOfTheLimitAndOneMore();
    void hugeLengthIsRefusedAtOnce_data();
    void hugeLengthIsRefusedAtOnce();
    void bodyIsNotAllocatedBeforeItArrives();
    void extensionsAndTrailersOfTheLimitAndOneMore_data();
    void extensionsAndTrailersOfTheLimitAndOneMore();
};

void TestHttpBodyParser::brokenChunks_data()
{
    QTest::addColumn<QByteArray>("body");
    const auto row = [](const char *name, const QByteArray &body) { QTest::newRow(name) << body; };
    const QByteArray end = "0\r\n\r\n";
    row("no size", "\r\n\r\n");
    row("blank before the size", " 5\r\nhello\r\n" + end);
    row("blank behind the size", "5 \r\nhello\r\n" + end);
    row("signed size", "+5\r\nhello\r\n" + end);
    row("0x", "0x5\r\nhello\r\n" + end);
    row("no digit", "g\r\nhello\r\n" + end);
    row("size past 64 bits", "10000000000000005\r\nhello\r\n" + end);
    row("bare LF behind the size", "5\nhello\r\n" + end);
    row("bare LF behind an extension", "5;x\nhello\r\n" + end);
    row("bare LF in a quoted extension", "5;x=\"\n\"\r\nhello\r\n" + end);
    row("line end in a quoted extension", "5;x=\"\r\n\"\r\nhello\r\n" + end);
    row("quote that does not end", "5;x=\"\r\nhello\r\n" + end);
    row("bare CR behind the size", "5\rhello\r\n" + end);
    row("extension without a name", "5;\r\nhello\r\n" + end);
    row("chunk longer than its size", "4\r\nhello\r\n" + end);
    row("chunk shorter than its size", "6\r\nhello\r\n" + end);
    row("bare LF behind a chunk", "5\r\nhello\n0\r\n\r\n");
    row("bare LF behind the last chunk", "0\n\r\n\r\n");
    row("bare LF behind a trailer", "0\r\nX: y\n\r\n\r\n");
    row("trailer without a colon", "0\r\nGET / HTTP/1.1\r\n\r\n");
    row("length as a trailer", "0\r\nContent-Length: 5\r\n\r\n");
    row("coding as a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n");
    row("quote over the last line", "0;x=\"\r\n\"\r\n\r\n");
}

// A proxy before the relay may find another end of such a body.
void TestHttpBodyParser::brokenChunks()
{
    QFETCH(const QByteArray, body);
    const QByteArray bytes = chunked(body) + kGet;
    for (const QList<QByteArray> &parts : {QList<QByteArray>{bytes}, oneByOne(bytes)}) {
        const Reading reading = read(parts);
        QCOMPARE(reading.failure, 400);
        QVERIFY(!reading.problem.isEmpty());
        QVERIFY(reading.requests.isEmpty());
    }
}

void TestHttpBodyParser::bodyOfTheLimitAndOneMore_data()
{
    QTest::addColumn<bool>("isChunked");
    QTest::addColumn<qsizetype>("bodyBytes");
    QTest::addColumn<int>("failure");
    for (const bool isChunked : {false, true}) {
        const char *kind = isChunked ? "chunked" : "length";
        QTest::addRow("%s, limit", kind) << isChunked << qsizetype{kMaxBody} << 0;
        QTest::addRow("%s, one more", kind) << isChunked << qsizetype{kMaxBody + 1} << 413;
    }
}

void TestHttpBodyParser::bodyOfTheLimitAndOneMore()
{
    QFETCH(const bool, isChunked);
    QFETCH(const qsizetype, bodyBytes);
    QFETCH(const int, failure);
    const QByteArray body(bodyBytes, 'x');
    // Counted over all chunks: 60 and what remains.
    const QByteArray chunks = "3c\r\n" + body.first(60) + "\r\n"
                              + QByteArray::number(bodyBytes - 60, 16) + "\r\n" + body.sliced(60)
                              + "\r\n0\r\n\r\n";
    const QByteArray bytes =
        isChunked ? chunked(chunks)
                  : post("Content-Length: " + QByteArray::number(bodyBytes) + "\r\n", body);
    for (const QList<QByteArray> &parts : {QList<QByteArray>{bytes}, oneByOne(bytes)}) {
        const Reading reading = read(parts);
        QCOMPARE(reading.failure, failure);
        QCOMPARE(reading.requests.size(), failure == 0 ? 1 : 0);
        if (failure == 0) {
            QCOMPARE(reading.requests.first().body, body);
        } else {
            QVERIFY2(reading.problem.contains("100 bytes"), reading.problem.constData());
        }
    }
}

void TestHttpBodyParser::hugeLengthIsRefusedAtOnce_data()
{
    QTest::addColumn<QByteArray>("bytes");
    for (const char *length :
         {"9223372036854775807", "9223372036854775808", "18446744073709551615"}) {
        QTest::newRow(length) << post("Content-Length: " + QByteArray(length) + "\r\n");
    }
    QTest::newRow("chunk") << chunked("7fffffffffffffff\r\n");
    QTest::newRow("chunk of 64 bits") << chunked("ffffffffffffffff\r\n");
    QTest::newRow("second chunk") << chunked("1\r\nx\r\nffffffffffffffff\r\n");
}

// Before a byte of it is there, and without a wrap-around.
void TestHttpBodyParser::hugeLengthIsRefusedAtOnce()
{
    QFETCH(const QByteArray, bytes);
    QCOMPARE(read({bytes}).failure, 413);
}

// Ten thousand connections that announce a long body and send nothing of it cost nothing.
void TestHttpBodyParser::bodyIsNotAllocatedBeforeItArrives()
{
    for (const QByteArray &bytes :
         {post("Content-Length: 9223372036854775807\r\n", "x"), chunked("7fffffffffffffff\r\nx")})
    {
        HttpRequestReader reader({});
        reader.append(bytes);
        QCOMPARE(reader.next(), Status::HeadComplete);
        reader.acceptBody(std::numeric_limits<qint64>::max());
        QCOMPARE(reader.next(), Status::NeedMore);
        QCOMPARE(reader.body(), "x");
        QVERIFY(reader.body().capacity() < 1024);
    }
}

void TestHttpBodyParser::extensionsAndTrailersOfTheLimitAndOneMore_data()
{
    QTest::addColumn<QByteArray>("begin");
    QTest::addColumn<QByteArray>("end");
    QTest::addColumn<qsizetype>("largest"); ///< that fits between them
    const auto row = [](const char *name, const QByteArray &begin, const QByteArray &end,
                        qsizetype largest) { QTest::newRow(name) << begin << end << largest; };
    // Each chunk head has 20 bytes that do not count.
    constexpr qsizetype kRoom = 300 + 20;
    row("extension", "1;x=", "\r\nx\r\n0\r\n\r\n", kRoom - 6);
    row("extension of the last chunk", "0;x=", "\r\n\r\n", kRoom - 8);
    row("trailer", "0\r\nX: ", "\r\n\r\n", kRoom - 10);
    row("leading zeros", "0", "1\r\nx\r\n0\r\n\r\n", kRoom - 4);
    const QByteArray used = "1;x=" + QByteArray(114, 'x') + "\r\nx"; // 100 that count
    row("two extensions", used + "\r\n1;x=", "\r\nx\r\n0\r\n\r\n", kRoom - 100 - 8);
    row("extension and trailer", used + "\r\n0\r\nX: ", "\r\n\r\n", kRoom - 100 - 12);
}

// What is left out is counted all the same: a client cannot send for ever without a byte of a body.
void TestHttpBodyParser::extensionsAndTrailersOfTheLimitAndOneMore()
{
    QFETCH(const QByteArray, begin);
    QFETCH(const QByteArray, end);
    QFETCH(const qsizetype, largest);
    const HttpLimits limits{.headBytes = 300, .fields = 10};
    for (const bool isWhole : {true, false}) {
        const auto reading = [&](qsizetype padding) {
            const QByteArray bytes = chunked(begin + QByteArray(padding, '0') + end);
            return read(isWhole ? QList<QByteArray>{bytes} : oneByOne(bytes), limits);
        };
        QCOMPARE(reading(largest).requests.size(), 1);
        const Reading refused = reading(largest + 1);
        QCOMPARE(refused.failure, 431);
        QVERIFY2(refused.problem.contains("300 bytes"), refused.problem.constData());
    }
    // Refused before its end is there, too.
    QCOMPARE(read({chunked(begin + QByteArray(largest + 20, '0'))}, limits).failure, 431);
}

RELAY_TEST(TestHttpBodyParser)
#include "tst_http_body_parser.moc"
