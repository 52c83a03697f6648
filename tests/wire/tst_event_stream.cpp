#include "wire/event_stream.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <array>
#include <optional>

using namespace relay;

namespace {

struct Event
{
    QByteArray type;
    QByteArray data;
    QByteArray lastEventId;

    friend bool operator==(const Event &, const Event &) = default;
};

/// An EventSource's way to read a stream (WHATWG HTML, section 9.2.6), to the letter.
class Reader
{
public:
    void read(const QByteArray &stream)
    {
        QByteArray lines = stream;
        lines.replace("\r\n", "\n").replace('\r', '\n');
        QVERIFY(lines.endsWith('\n'));
        lines.chop(1);
        for (const QByteArray &line : lines.split('\n')) {
            takeLine(line);
        }
    }

    QList<Event> events;
    std::optional<int> reconnectionTime;
    QByteArray lastEventId;

private:
    void takeLine(const QByteArray &line)
    {
        if (line.isEmpty()) {
            dispatch();
            return;
        }
        if (line.startsWith(':')) {
            return;
        }
        const qsizetype colon = line.indexOf(':');
        QByteArray value = colon < 0 ? QByteArray() : line.sliced(colon + 1);
        if (value.startsWith(' ')) {
            value.remove(0, 1);
        }
        takeField(colon < 0 ? line : line.first(colon), value);
    }

    void takeField(const QByteArray &name, const QByteArray &value)
    {
        if (name == "event") {
            m_type = value;
        } else if (name == "data") {
            m_data += value + '\n';
        } else if (name == "id" && !value.contains('\0')) {
            m_id = value;
        } else if (name == "retry" && !value.isEmpty()
                   && std::all_of(value.begin(), value.end(),
                                  [](char c) { return c >= '0' && c <= '9'; }))
        {
            reconnectionTime = value.toInt();
        }
    }

    void dispatch()
    {
        lastEventId = m_id;
        if (!m_data.isEmpty()) {
            m_data.chop(1);
            events.append({m_type.isEmpty() ? QByteArray("message") : m_type, m_data, lastEventId});
        }
        m_type.clear();
        m_data.clear();
    }

    QByteArray m_type;
    QByteArray m_data;
    QByteArray m_id;
};

QByteArray withLineFeeds(QByteArray text)
{
    return text.replace("\r\n", "\n").replace('\r', '\n');
}

} // namespace

/// What EventSource reads is what was published, but for the kind of its line ends.
class TestEventStream : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bytes_data();
    void bytes();
    void randomDataRoundTrip();
    void allShortTextsOfLineEnds();
    void idsLast();
    void preamble_data();
    void preamble();
    void heartbeatsChangeNothing();
};

void TestEventStream::bytes_data()
{
    QTest::addColumn<QByteArray>("id");
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("data");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *what, const QByteArray &data, const QByteArray &expected) {
        QTest::newRow(what) << QByteArray() << QByteArray() << data << expected;
    };
    row("one line", "hello", "data: hello\n\n");
    row("empty", "", "data: \n\n");
    row("leading blank", " hello", "data:  hello\n\n");
    row("a colon", ":x", "data: :x\n\n");
    row("LF", "a\nb", "data: a\ndata: b\n\n");
    row("CR", "a\rb", "data: a\ndata: b\n\n");
    row("CR LF", "a\r\nb", "data: a\ndata: b\n\n");
    row("LF CR are two", "a\n\rb", "data: a\ndata: \ndata: b\n\n");
    row("two CR LF", "a\r\n\r\nb", "data: a\ndata: \ndata: b\n\n");
    row("CR CR LF are two", "a\r\r\nb", "data: a\ndata: \ndata: b\n\n");
    row("LF alone", "\n", "data: \ndata: \n\n");
    row("LF at the end", "a\n", "data: a\ndata: \n\n");
    row("CR at the end", "a\r", "data: a\ndata: \n\n");
    row("CR LF at the end", "a\r\n", "data: a\ndata: \n\n");
    row("LF at the front", "\na", "data: \ndata: a\n\n");
    row("looks like a field", "a\nid: 7\n\nevent: x",
        "data: a\ndata: id: 7\ndata: \ndata: event: x\n\n");
    row("U+2028 ends no line",
        "a\xE2\x80\xA8"
        "b",
        "data: a\xE2\x80\xA8"
        "b\n\n");
    QTest::newRow("id") << QByteArray("5f2c9a11c07b-17") << QByteArray() << QByteArray("x")
                        << QByteArray("id: 5f2c9a11c07b-17\ndata: x\n\n");
    QTest::newRow("type") << QByteArray() << QByteArray("gap") << QByteArray("x")
                          << QByteArray("event: gap\ndata: x\n\n");
    QTest::newRow("id and type, no data") << QByteArray("1") << QByteArray("binary") << QByteArray()
                                          << QByteArray("id: 1\nevent: binary\ndata: \n\n");
}

// The bytes, and what a reader makes of them: exactly one event. Nobody's data ends it early.
void TestEventStream::bytes()
{
    QFETCH(const QByteArray, id);
    QFETCH(const QByteArray, type);
    QFETCH(const QByteArray, data);
    QFETCH(const QByteArray, expected);
    const QByteArray written = toEvent(id, type, data);
    QCOMPARE(written, expected);
    Reader reader;
    reader.read(written);
    const Event event{type.isEmpty() ? QByteArray("message") : type, withLineFeeds(data), id};
    QVERIFY(reader.events == QList{event});
}

void TestEventStream::randomDataRoundTrip()
{
    static const std::array<QByteArray, 14> kPieces{
        "\r",     "\n",    "\r\n",     "\r",       "\n",   " ",        ":",
        "data: ", "id: 9", "event: e", "retry: 1", "text", "\xC3\xA9", QByteArray(1, '\0')};
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    QByteArray stream;
    QList<Event> expected;
    for (int round = 0; round < 5000; ++round) {
        QByteArray data;
        for (quint32 n = random.bounded(12U); n > 0; --n) {
            data += kPieces[random.bounded(quint32{kPieces.size()})];
        }
        const QByteArray id = QByteArray::number(round + 1);
        const QByteArray type = random.bounded(2) == 0 ? QByteArray() : QByteArray("binary");
        stream += toEvent(id, type, data);
        expected.append({type.isEmpty() ? QByteArray("message") : type, withLineFeeds(data), id});
    }
    Reader reader;
    reader.read(stream);
    QCOMPARE(reader.events.size(), expected.size());
    for (qsizetype i = 0; i < expected.size(); ++i) {
        QVERIFY2(reader.events[i] == expected[i], expected[i].data.toHex().constData());
    }
    QVERIFY(!reader.reconnectionTime);
}

// Of CR, LF and a letter, every text of up to six: N line ends are N + 1 lines.
void TestEventStream::allShortTextsOfLineEnds()
{
    QList<QByteArray> texts{QByteArray()};
    for (qsizetype i = 0; i < texts.size(); ++i) {
        const QByteArray text = texts[i];
        const QByteArray written = toEvent({}, {}, text);
        QCOMPARE(written.count("data: "), withLineFeeds(text).count('\n') + 1);
        Reader reader;
        reader.read(written);
        QCOMPARE(reader.events.size(), 1);
        QCOMPARE(reader.events[0].data, withLineFeeds(text));
        if (text.size() < 6) {
            texts << text + '\r' << text + '\n' << text + 'a';
        }
    }
    QCOMPARE(texts.size(), 1 + 3 + 9 + 27 + 81 + 243 + 729);
}

// An event without an id does not move where its reader resumes.
void TestEventStream::idsLast()
{
    Reader reader;
    reader.read(toEvent("e-1", {}, "a") + toEvent({}, "gap", "b"));
    QCOMPARE(reader.events.size(), 2);
    QCOMPARE(reader.events[1].lastEventId, "e-1");
}

void TestEventStream::preamble_data()
{
    QTest::addColumn<QByteArray>("id");
    QTest::addColumn<QByteArray>("expected");
    QTest::newRow("with an id") << QByteArray("e-7") << QByteArray("retry: 3000\nid: e-7\n\n");
    QTest::newRow("without") << QByteArray() << QByteArray("retry: 3000\n\n");
}

// A reader that has got no event yet resumes from where it began; nothing is shown for it.
void TestEventStream::preamble()
{
    QFETCH(const QByteArray, id);
    QFETCH(const QByteArray, expected);
    QCOMPARE(toEventPreamble(id, 3000), expected);
    Reader reader;
    reader.read(expected);
    QVERIFY(reader.events.isEmpty());
    QCOMPARE(reader.lastEventId, id);
    QCOMPARE(reader.reconnectionTime.value_or(0), 3000);
}

void TestEventStream::heartbeatsChangeNothing()
{
    const QByteArray first = toEvent("1", {}, "a");
    const QByteArray second = toEvent("2", "gap", "b");
    Reader plain;
    plain.read(toEventPreamble("0", 1) + first + second);
    Reader beaten;
    beaten.read(eventHeartbeat() + toEventPreamble("0", 1) + eventHeartbeat() + eventHeartbeat()
                + first + eventHeartbeat() + second + eventHeartbeat());
    QVERIFY(beaten.events == plain.events);
    QCOMPARE(beaten.lastEventId, plain.lastEventId);
}

RELAY_TEST(TestEventStream)
#include "tst_event_stream.moc"
