#include "wire/http_request_reader.h"

#include "http_reading.h"
#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

using namespace relay;
using Status = HttpRequestReader::Status;

namespace {

/// One request of each kind, all in one stream.
const QByteArray kStream =
    kGet
    + "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "\r\n" // as old clients send it behind a body
      "POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "4;name=\"a;\\\"b\" ; x\r\nrela\r\n"
      "00A\r\ny\r\n\r\n0\r\n\r\n\r\n"
      "000;last\r\nX-Trailer: 1\r\nX-Other: 2\r\n\r\n"
      "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
      "POST /empty HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n"
      "\r\n\r\n"
      "PUT /old HTTP/1.0\r\nContent-Length: 3\r\n\r\nend";

const QList<Taken> kStreamRequests = {
    {"/get", "", false, true},
    {"/length", "hello", true, true},
    {"/chunks", "relay\r\n\r\n0\r\n\r\n", true, true},
    {"/none", "", false, true},
    {"/empty", "", true, true},
    {"/old", "end", true, false},
};

} // namespace

/// Whatever way the network cuts them, the same bytes are the same requests; what two readers could
/// take for different requests is none.
class TestHttpRequestReader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // requests
    void streamIsTheSameHoweverItIsCut();
    void stepsWaitForTheOwner();
    void announcements_data();
    void announcements();
    void clientThatSentItsBodyIsNotToldToContinue();
    void restOfAnUpgradeIsTaken();
    void idleUntilARequestBegins();
    void movedReaderGoesOn();

    // what is refused
    void smuggling_data();
    void smuggling();
    void refusalIsTheLast();

    // limits
    void headOfTheLimitAndOneMore();
    void emptyLinesOfTheLimitAndOneMore();

    // cost, and hostile bytes
    void byteByByteCostsNoMoreThanItsBytes_data();
    void byteByByteCostsNoMoreThanItsBytes();
    void longPipelineIsNotCopiedForEachRequest();
    void mutatedStreamsAreTheSameHoweverTheyAreCut();
};

// The promise of the class, at every place where a read can end.
void TestHttpRequestReader::streamIsTheSameHoweverItIsCut()
{
    for (qsizetype at = 0; at <= kStream.size(); ++at) {
        const Reading reading = read({kStream.first(at), kStream.sliced(at)});
        QVERIFY2(reading.failure == 0, reading.problem.constData());
        QVERIFY2(reading.requests == kStreamRequests, qPrintable(QString::number(at)));
    }
    const Reading reading = read(oneByOne(kStream));
    QVERIFY2(reading.failure == 0, reading.problem.constData());
    QVERIFY(reading.requests == kStreamRequests);
}

// The owner may decide later, in another turn: nothing goes on without it.
void TestHttpRequestReader::stepsWaitForTheOwner()
{
    HttpRequestReader reader({});
    QCOMPARE(reader.next(), Status::NeedMore);
    reader.append(QByteArray(post("Content-Length: 2\r\n", "ab") + kGet));
    QCOMPARE(reader.next(), Status::HeadComplete);
    QCOMPARE(reader.next(), Status::HeadComplete);
    QCOMPARE(reader.request().target, "/x");
    reader.acceptBody(2);
    QCOMPARE(reader.next(), Status::Complete);
    QCOMPARE(reader.next(), Status::Complete);
    QCOMPARE(reader.request().target, "/x");
    QCOMPARE(reader.body(), "ab");
    reader.finish();
    QCOMPARE(reader.next(), Status::HeadComplete);
    QCOMPARE(reader.request().target, "/get");
    reader.acceptBody(0);
    QCOMPARE(reader.next(), Status::Complete);
    QVERIFY(reader.body().isEmpty());
}

void TestHttpRequestReader::announcements_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<bool>("hasBody");
    QTest::addColumn<bool>("expectsContinue");
    const auto row = [](const char *name, const QByteArray &head, bool body, bool waits) {
        QTest::newRow(name) << head << body << waits;
    };
    const QByteArray expect = "Expect: 100-Continue\r\n";
    row("neither", post({}), false, false);
    row("length", post("Content-Length: 5\r\n"), true, false);
    row("length 0", post("Content-Length: 0\r\n"), false, false);
    row("length 000", post("Content-Length: 000\r\n"), false, false);
    row("length 010", post("Content-Length: 010\r\n"), true, false);
    row("chunked", chunked({}), true, false);
    row("waits", post("Content-Length: 5\r\n" + expect), true, true);
    row("waits for chunks", post("Transfer-Encoding: chunked\r\n" + expect), true, true);
    row("waits for nothing", post(expect), false, false);
    row("1.0 does not wait", "POST / HTTP/1.0\r\nContent-Length: 5\r\n" + expect + "\r\n", true,
        false);
    row("expects else", post("Content-Length: 5\r\nExpect: x\r\n"), true, false);
}

// The head alone says what the owner has to decide on.
void TestHttpRequestReader::announcements()
{
    QFETCH(const QByteArray, head);
    HttpRequestReader reader({});
    reader.append(head);
    QCOMPARE(reader.next(), Status::HeadComplete);
    QTEST(reader.hasBody(), "hasBody");
    QTEST(reader.expectsContinue(), "expectsContinue");
    reader.acceptBody(kMaxBody);
    QTEST(reader.expectsContinue(), "expectsContinue");
}

// A 100 to a client that did not wait is of no use, and some take it for the answer; after it a
// body must be welcome.
void TestHttpRequestReader::clientThatSentItsBodyIsNotToldToContinue()
{
    const QByteArray head = post("Content-Length: 5\r\nExpect: 100-continue\r\n");
    HttpRequestReader atOnce({});
    atOnce.append(QByteArray(head + 'h'));
    QCOMPARE(atOnce.next(), Status::HeadComplete);
    QVERIFY(!atOnce.expectsContinue());

    HttpRequestReader later({});
    later.append(head);
    QCOMPARE(later.next(), Status::HeadComplete);
    later.acceptBody(kMaxBody);
    QCOMPARE(later.next(), Status::NeedMore);
    QVERIFY(later.expectsContinue());
    later.append(QByteArray("h"));
    QCOMPARE(later.next(), Status::NeedMore);
    QVERIFY(!later.expectsContinue());
    later.append(QByteArray("ello"));
    QCOMPARE(later.next(), Status::Complete);
    QVERIFY(!later.expectsContinue());

    HttpRequestReader tooLong({});
    tooLong.append(head);
    QCOMPARE(tooLong.next(), Status::HeadComplete);
    tooLong.acceptBody(4);
    QVERIFY(!tooLong.expectsContinue());
    QCOMPARE(tooLong.next(), Status::Failed);
}

// A client's first frames may come in one packet with its upgrade; they are no HTTP.
void TestHttpRequestReader::restOfAnUpgradeIsTaken()
{
    const QByteArray frames = QByteArray::fromHex("818537fa213d7f9f4d5158") + "\r\n\r\n";
    HttpRequestReader reader({});
    reader.append(QByteArray(kGet + kGet + frames));
    QCOMPARE(reader.next(), Status::HeadComplete);
    reader.acceptBody(0);
    QCOMPARE(reader.next(), Status::Complete);
    reader.finish();
    QCOMPARE(reader.next(), Status::HeadComplete);
    QCOMPARE(reader.takeRest(), frames);
    QCOMPARE(reader.request().target, "/get");
    reader.append(kGet);
    QCOMPARE(reader.next(), Status::NeedMore);
}

// What the idle time-out goes by: an empty line is no request, the first byte of one is.
void TestHttpRequestReader::idleUntilARequestBegins()
{
    HttpRequestReader reader({});
    QVERIFY(reader.isIdle());
    reader.append(QByteArray("\r\n"));
    QCOMPARE(reader.next(), Status::NeedMore);
    QVERIFY(reader.isIdle());
    for (const char byte : post("Content-Length: 1\r\n", "x")) {
        reader.append({&byte, 1});
        QVERIFY(!reader.isIdle());
        if (reader.next() == Status::HeadComplete) {
            reader.acceptBody(1);
        }
        QVERIFY(!reader.isIdle());
    }
    QCOMPARE(reader.next(), Status::Complete);
    reader.finish();
    QVERIFY(reader.isIdle());
}

// A reader goes from one owner to the next with what it holds.
void TestHttpRequestReader::movedReaderGoesOn()
{
    HttpRequestReader first({});
    first.append(kGet.first(10));
    QCOMPARE(first.next(), Status::NeedMore);
    HttpRequestReader second(std::move(first));
    second.append(kGet.sliced(10));
    QCOMPARE(second.next(), Status::HeadComplete);
    QCOMPARE(second.request().target, "/get");
}

void TestHttpRequestReader::smuggling_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const auto row = [](const char *name, const QByteArray &bytes, int status) {
        QTest::newRow(name) << bytes << status;
    };
    const QByteArray coding = "Transfer-Encoding: chunked\r\n";
    const QByteArray length = "Content-Length: 5\r\n";
    const QByteArray end = "0\r\n\r\n";
    row("coding, length", post(coding + length, end), 400);
    row("length, coding", post(length + coding, end), 400);
    row("unknown coding, length", post("Transfer-Encoding: gzip\r\n" + length, end), 400);
    row("length, unknown coding", post(length + "Transfer-Encoding: x\r\n", end), 400);
    row("two lengths", post(length + "Content-Length: 6\r\n", "hello!"), 400);
    row("the same length twice", post(length + length, "hello"), 400);
    row("list of lengths", post("Content-Length: 5, 5\r\n", "hello"), 400);
    row("signed length", post("Content-Length: +5\r\n", "hello"), 400);
    row("negative length", post("Content-Length: -5\r\n", "hello"), 400);
    row("hexadecimal length", post("Content-Length: 0x5\r\n", "hello"), 400);
    row("empty length", post("Content-Length:\r\n", "hello"), 400);
    row("length with a blank", post("Content-Length: 5 0\r\n", "hello"), 400);
    row("length past 64 bits", post("Content-Length: 18446744073709551616\r\n"), 400);
    row("blank before the colon", post("Content-Length : 5\r\n", "hello"), 400);
    row("folded coding", post("Transfer-Encoding:\r\n chunked\r\n", end), 400);

    row("gzip", post("Transfer-Encoding: gzip\r\n", end), 501);
    row("gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", end), 501);
    row("chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n", end), 501);
    row("chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", end), 501);
    row("xchunked", post("Transfer-Encoding: xchunked\r\n", end), 501);
    row("quoted", post("Transfer-Encoding: \"chunked\"\r\n", end), 501);
    row("identity", post("Transfer-Encoding: identity\r\n"), 501);
    row("no coding", post("Transfer-Encoding:\r\n"), 501);
    row("chunked, twice", post(coding + coding, end), 400);
    row("gzip and chunked in two fields", post("Transfer-Encoding: gzip\r\n" + coding, end), 501);
    row("vertical tab",
        post("Transfer-Encoding: \x0b"
             "chunked\r\n",
             end),
        400);
    row("HTTP/1.0", "POST / HTTP/1.0\r\n" + coding + "\r\n" + end, 400);

    row("no request", "\x16\x03\x01", 400);
    row("LF before a request", "\n" + kGet, 400);
    row("CR before a request", "\r" + kGet, 400);
}

// A proxy before the relay may find another end of the same body: the next client's request would
// begin at a place that an attacker chose.
void TestHttpRequestReader::smuggling()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const int, status);
    for (const QList<QByteArray> &parts : {QList<QByteArray>{bytes + kGet}, oneByOne(bytes + kGet)})
    {
        const Reading reading = read(parts);
        QCOMPARE(reading.failure, status);
        QVERIFY(!reading.problem.isEmpty());
        QVERIFY(reading.requests.isEmpty());
    }
}

// What follows a refused request is never taken for one.
void TestHttpRequestReader::refusalIsTheLast()
{
    HttpRequestReader reader({});
    reader.append(chunked("x"));
    Reading reading;
    drain(reader, reading);
    reader.append(QByteArray(QByteArray("\r\n") + kGet));
    drain(reader, reading);
    QCOMPARE(reading.failure, 400);
    reader.append(kGet);
    QCOMPARE(reader.next(), Status::Failed);
    QVERIFY(!reader.isIdle());
}

void TestHttpRequestReader::headOfTheLimitAndOneMore()
{
    const HttpLimits limits{.headBytes = 200, .fields = 2};
    const QByteArray start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const QByteArray head = start + QByteArray(200 - start.size() - 4, 'x') + "\r\n\r\n";
    const QByteArray more = start + 'x' + head.sliced(start.size());
    const QByteArray field = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nX: y\r\n\r\n";
    for (const bool isWhole : {true, false}) {
        const auto parts = [isWhole](const QByteArray &bytes) {
            return isWhole ? QList<QByteArray>{bytes} : oneByOne(bytes);
        };
        QCOMPARE(read(parts(head), limits).requests.size(), 1);
        QCOMPARE(read(parts(more), limits).failure, 431);
        QCOMPARE(read(parts(field), limits).failure, 431);
        // Empty lines before it do not count.
        QCOMPARE(read(parts("\r\n\r\n" + head), limits).requests.size(), 1);
    }
}

void TestHttpRequestReader::emptyLinesOfTheLimitAndOneMore()
{
    for (const QByteArray &before : {QByteArray(), kGet}) {
        const qsizetype earlier = before.isEmpty() ? 0 : 1;
        for (const qsizetype lines : {1, 2, 3}) {
            const QByteArray bytes = before + QByteArray("\r\n").repeated(lines) + kGet;
            for (const QList<QByteArray> &parts : {QList<QByteArray>{bytes}, oneByOne(bytes)}) {
                const Reading reading = read(parts);
                QCOMPARE(reading.failure, lines <= 2 ? 0 : 400);
                QCOMPARE(reading.requests.size(), earlier + (lines <= 2 ? 1 : 0));
            }
        }
    }
}

void TestHttpRequestReader::byteByByteCostsNoMoreThanItsBytes_data()
{
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<QByteArray>("repeated");
    QTest::newRow("body") << post("Content-Length: 1000000\r\n") << QByteArray("x");
    QTest::newRow("one chunk") << chunked("f4240\r\n") << QByteArray("x");
    QTest::newRow("many chunks") << chunked({}) << QByteArray("1\r\nx\r\n");
}

// A megabyte, a byte at a time: were what came before it looked at again with each byte, that would
// be half a terabyte.
void TestHttpRequestReader::byteByByteCostsNoMoreThanItsBytes()
{
    QFETCH(const QByteArray, before);
    QFETCH(const QByteArray, repeated);
    constexpr qsizetype kBytes = 1'000'000;
    HttpRequestReader reader({});
    Reading reading;
    reader.append(before);
    drain(reader, reading, kBytes);
    for (qsizetype sent = 0; sent < kBytes; ++sent) {
        reader.append({&repeated.constData()[sent % repeated.size()], 1});
        drain(reader, reading, kBytes);
        QCOMPARE(reading.failure, 0);
    }
}

// A megabyte of requests that came at once is worked off without being moved for each of them.
void TestHttpRequestReader::longPipelineIsNotCopiedForEachRequest()
{
    constexpr qsizetype kRequests = 100'000;
    const Reading reading = read({kGet.repeated(kRequests)});
    QCOMPARE(reading.failure, 0);
    QCOMPARE(reading.requests.size(), kRequests);
}

// Hostile bytes give an answer, never an exception or an assertion, and the same answer for every
// cut: the way over bytes one at a time is the check for the way over all at once.
void TestHttpRequestReader::mutatedStreamsAreTheSameHoweverTheyAreCut()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    const QByteArray interesting = QByteArray::fromHex("000a0d0d0a20093a3b22303166802c");
    int whole = 0;
    for (int round = 0; round < 3000; ++round) {
        QByteArray bytes = kStream;
        for (quint32 n = random.bounded(1U, 4U); n > 0; --n) {
            const qsizetype at = random.bounded(static_cast<int>(bytes.size()));
            const char byte =
                random.bounded(4) == 0
                    ? static_cast<char>(random.bounded(256))
                    : interesting[random.bounded(static_cast<int>(interesting.size()))];
            switch (random.bounded(3)) {
            case 0:
                bytes[at] = byte;
                break;
            case 1:
                bytes.insert(at, byte);
                break;
            default:
                bytes.remove(at, 1);
            }
        }
        const Reading atOnce = read({bytes});
        const Reading slowly = read(oneByOne(bytes));
        QVERIFY2(atOnce.requests == slowly.requests, bytes.toPercentEncoding().constData());
        QVERIFY2(atOnce.failure == slowly.failure, bytes.toPercentEncoding().constData());
        whole += atOnce.failure == 0 ? 1 : 0;
    }
    QVERIFY(whole > 0); // some changes do no harm: not everything was refused at once
}

RELAY_TEST(TestHttpRequestReader)
#include "tst_http_request_reader.moc"
