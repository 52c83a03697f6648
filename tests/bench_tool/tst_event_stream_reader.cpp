#include "chunked_body.h"
#include "event_stream_reader.h"
#include "handshake.h"
#include "support/test_main.h"

#include <QTest>

using relay::bench::ChunkedBody;
using relay::bench::EventStreamReader;

namespace {

QByteArray bytesOf(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

/// What the reader found in `pieces`, a line each: "type|id|length|data", or "id|…".
QByteArrayList eventsOf(const QByteArrayList &pieces)
{
    EventStreamReader reader;
    QByteArrayList events;
    for (QByteArray piece : pieces) {
        piece.detach(); // a buffer of its own: what the reader keeps must not lie in the last one
        std::span<const char> input(piece.constData(), static_cast<std::size_t>(piece.size()));
        while (true) {
            const auto event = reader.next(input);
            if (event == EventStreamReader::Event::NeedMore) {
                break;
            }
            const QByteArray id = bytesOf(reader.lastId());
            if (event == EventStreamReader::Event::Id) {
                events << "id|" + id;
                continue;
            }
            events << bytesOf(reader.type()) + '|' + id + '|'
                          + QByteArray::number(quint64{reader.dataBytes()}) + '|'
                          + bytesOf(reader.data());
        }
        if (!input.empty()) {
            return {"it stopped before the end"};
        }
    }
    return events;
}

/// What a chunked body holds, and how it ended.
QByteArray unwrapped(const QByteArrayList &pieces)
{
    ChunkedBody body;
    QByteArray text;
    for (QByteArray piece : pieces) {
        const std::span<char> inside =
            body.unwrap(std::span(piece.data(), static_cast<std::size_t>(piece.size())));
        text += QByteArray(inside.data(), static_cast<qsizetype>(inside.size()));
        if (body.isBroken()) {
            return "broken";
        }
    }
    return text + (body.isAtEnd() ? "|end" : "|");
}

QByteArrayList singleBytes(const QByteArray &bytes)
{
    QByteArrayList single;
    for (const char byte : bytes) {
        single << QByteArray(1, byte);
    }
    return single;
}

} // namespace

class TestEventStreamReader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsAtEverySplit_data();
    void readsAtEverySplit();
    void keepsNoMoreThanTheFront();
    void unwrapsChunksAtEverySplit_data();
    void unwrapsChunksAtEverySplit();
    void judgesAnswers_data();
    void judgesAnswers();
    void asksForAStream();
};

void TestEventStreamReader::readsAtEverySplit_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArrayList>("events");
    const auto row = [](const char *name, const char *bytes, const QByteArrayList &events) {
        QTest::addRow("%s", name) << QByteArray(bytes) << events;
    };
    row("an event", "id: e-1\ndata: abc\n\n", {"|e-1|3|abc"});
    row("two in a row", "data: a\n\ndata: b\n\n", {"||1|a", "||1|b"});
    row("CR LF", "id: 1\r\ndata: a\r\n\r\ndata: b\r\n\r\n", {"|1|1|a", "|1|1|b"});
    row("CR", "id: 1\rdata: a\r\rdata: b\r\r", {"|1|1|a", "|1|1|b"});
    row("mixed line ends", "data: a\r\ndata: b\rdata: c\n\r\n", {"||5|a\nb\nc"});
    row("several lines of data", "data: a\ndata\ndata:b\n\n", {"||4|a\n\nb"});
    row("one space only is taken off", "data:  a \n\n", {"||3| a "});
    row("empty data is an event", "data\n\n", {"||0|"});
    row("a type, for its event only", "event: gap\ndata: a\n\ndata: b\n\n", {"gap||1|a", "||1|b"});
    row("a type without data is none", "event: gap\n\ndata: b\n\n", {"||1|b"});
    row("an id without data, and it stays", "retry: 5\nid: 7\n\ndata: a\n\n", {"id|7", "|7|1|a"});
    row("an id with a colon", "id: a:b\ndata: c:d\n\n", {"|a:b|3|c:d"});
    row("comments and unknown fields", ":\n: beat\n\nfoo: bar\nfoo\n: x\ndata: a\n\n", {"||1|a"});
    row("no end, no event", "data: a\n", {});
    row("empty lines", "\n\n\r\n\rdata: a\n\n", {"||1|a"});
    row("a byte order mark",
        "\xEF\xBB\xBF"
        "data: a\n\ndata: b\n\n",
        {"||1|a", "||1|b"});
    row("a byte order mark in the middle",
        "data: a\n\xEF\xBB\xBF"
        "data: b\n\n",
        {"||1|a"});
}

// However the kernel cuts the stream, the same events are found in it: a CR LF across two reads is
// one line end.
void TestEventStreamReader::readsAtEverySplit()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QByteArrayList, events);
    QCOMPARE(eventsOf({bytes}), events);
    for (qsizetype split = 0; split <= bytes.size(); ++split) {
        QCOMPARE(eventsOf({bytes.left(split), bytes.mid(split)}), events);
    }
    QCOMPARE(eventsOf(singleBytes(bytes)), events);
}

// A long line costs no memory, and its length is right all the same.
void TestEventStreamReader::keepsNoMoreThanTheFront()
{
    constexpr auto kKept = static_cast<qsizetype>(EventStreamReader::kKeptBytes);
    for (const qsizetype size : {kKept - 7, kKept - 6, kKept - 5, kKept, kKept + 1, 5 * kKept}) {
        const QByteArray data(size, 'x');
        const QByteArray bytes = "data: " + data + "\ndata: y\n\n";
        for (const qsizetype split : {qsizetype{0}, qsizetype{3}, kKept - 1, kKept, kKept + 1}) {
            EventStreamReader reader;
            for (const QByteArray &piece : {bytes.left(split), bytes.mid(split)}) {
                std::span<const char> input(piece.constData(),
                                            static_cast<std::size_t>(piece.size()));
                const auto event = reader.next(input);
                QCOMPARE(event == EventStreamReader::Event::Message,
                         piece.size() > 0 && piece.endsWith("\n\n"));
            }
            QCOMPARE(static_cast<qsizetype>(reader.dataBytes()), size + 2);
            const auto kept = static_cast<qsizetype>(reader.data().size());
            QVERIFY(kept <= kKept && kept >= std::min(size, kKept - 6));
            QCOMPARE(bytesOf(reader.data()), QByteArray(data + "\ny").left(kept));
        }
    }
}

void TestEventStreamReader::unwrapsChunksAtEverySplit_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("text");
    QTest::addRow("one") << QByteArray("3\r\nabc\r\n") << QByteArray("abc|");
    QTest::addRow("several, in any case")
        << QByteArray("A\r\n0123456789\r\n1;x=\"y\"\r\nZ\r\nb \r\n0123456789a\r\n")
        << QByteArray("0123456789Z0123456789a|");
    QTest::addRow("line ends inside") << QByteArray("4\r\n\r\n\r\n\r\n") << QByteArray("\r\n\r\n|");
    QTest::addRow("the end, and more")
        << QByteArray("1\r\nx\r\n0\r\n\r\nmore") << QByteArray("x|end");
    QTest::addRow("no size") << QByteArray("\r\nabc") << QByteArray("broken");
    QTest::addRow("no digit") << QByteArray("g\r\nabc") << QByteArray("broken");
    QTest::addRow("more than its size") << QByteArray("1\r\nabc\r\n") << QByteArray("broken");
    QTest::addRow("a size past 64 bits")
        << QByteArray("10000000000000000\r\nabc") << QByteArray("broken");
}

void TestEventStreamReader::unwrapsChunksAtEverySplit()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QByteArray, text);
    QCOMPARE(unwrapped({bytes}), text);
    for (qsizetype split = 0; split <= bytes.size(); ++split) {
        QCOMPARE(unwrapped({bytes.left(split), bytes.mid(split)}), text);
    }
    QCOMPARE(unwrapped(singleBytes(bytes)), text);
}

void TestEventStreamReader::judgesAnswers_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("refusal");
    const QByteArray ok = "HTTP/1.1 200 OK\r\n";
    QTest::addRow("good") << ok + "content-type: Text/Event-Stream;charset=utf-8" << QByteArray();
    QTest::addRow("404") << QByteArray("HTTP/1.1 404 Not Found\r\nContent-Type: text/event-stream")
                         << QByteArray("404 Not Found");
    QTest::addRow("a page") << ok + "Content-Type: text/html" << QByteArray("'text/html'");
    QTest::addRow("no type") << ok + "X: y" << QByteArray("no event stream");
    QTest::addRow("not HTTP") << QByteArray("SSH-2.0") << QByteArray("HTTP");
}

// Only an event stream counts as a connection; what else came is named.
void TestEventStreamReader::judgesAnswers()
{
    QFETCH(QByteArray, head);
    QFETCH(QByteArray, refusal);
    const auto got = relay::bench::eventStreamRefusal(head.toStdString());
    QCOMPARE(got.has_value(), !refusal.isEmpty());
    QVERIFY2(QByteArray::fromStdString(got.value_or("")).contains(refusal), got->c_str());
    QVERIFY(!relay::bench::isChunked(head.toStdString()));
    QVERIFY(relay::bench::isChunked(head.toStdString() + "\r\ntransfer-encoding: Chunked"));
}

void TestEventStreamReader::asksForAStream()
{
    relay::bench::Url url;
    url.target = "/chat?x=1";
    const auto fresh =
        QByteArray::fromStdString(relay::bench::eventStreamRequest(url, std::nullopt));
    QVERIFY(fresh.startsWith("GET /chat?x=1 HTTP/1.1\r\nHost: 127.0.0.1:8443\r\n"));
    QVERIFY(fresh.contains("\r\nAccept: text/event-stream\r\n") && fresh.endsWith("\r\n\r\n"));
    QVERIFY(!fresh.contains("Last-Event-ID"));
    const auto again = QByteArray::fromStdString(relay::bench::eventStreamRequest(
        url, relay::bench::StreamPosition{.epoch = 0xA, .offset = 3}));
    QVERIFY(again.contains("\r\nLast-Event-ID: 00000000000a-3\r\n"));
}

RELAY_TEST(TestEventStreamReader)
#include "tst_event_stream_reader.moc"
