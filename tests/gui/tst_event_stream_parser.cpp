#include "wire/event_stream.h"

#include "gui/relay/event_stream_parser.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay;
using namespace relay::gui;

namespace {

QList<StreamEvent> feed(EventStreamParser &parser, const QByteArray &bytes)
{
    return parser.feed(bytes);
}

} // namespace

/// What the dashboard reads of the relay's streams.
class TestEventStreamParser : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWhatTheFormatSays_data();
    void readsWhatTheFormatSays();
    void everySplitGivesTheSame();
    void readsWhatTheRelayWrites();
    void anEventPastTheLimitIsLeftOutAndTheNextOneIsNot();
    void resetForgetsWhatIsUnfinished();
};

void TestEventStreamParser::readsWhatTheFormatSays_data()
{
    using Events = QList<StreamEvent>;
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<Events>("events");
    const auto row = [](const char *name, const QByteArray &bytes, const Events &events) {
        QTest::newRow(name) << bytes << events;
    };
    row("one", "data: a\n\n", {{"", "message", "a"}});
    row("type and id", "id: 7\nevent: x\ndata: a\n\n", {{"7", "x", "a"}});
    row("the type is of one event, the id stays", "id: 7\nevent: x\ndata: a\n\ndata: b\n\n",
        {{"7", "x", "a"}, {"7", "message", "b"}});
    row("lines are joined", "data: a\ndata\ndata: b\n\n", {{"", "message", "a\n\nb"}});
    row("only one space is the field's", "data:  a\n\n", {{"", "message", " a"}});
    row("no space at all", "data:a:b\n\n", {{"", "message", "a:b"}});
    row("line ends of all kinds", "data: a\r\ndata: b\rdata: c\n\r\n",
        {{"", "message", "a\nb\nc"}});
    row("comments and unknown fields say nothing", ": hello\nretry: 5\nodd: 1\ndata: a\n\n",
        {{"", "message", "a"}});
    row("without data there is no event", "event: x\nid: 3\n\ndata: a\n\n",
        {{"3", "message", "a"}});
    row("empty data is data", "data:\n\n", {{"", "message", ""}});
    row("a byte order mark precedes the first line",
        "\xef\xbb\xbf"
        "data: a\n\n",
        {{"", "message", "a"}});
    row("and no other",
        "\n\xef\xbb\xbf"
        "data: a\n\ndata: b\n\n",
        {{"", "message", "b"}});
    row("an id with a NUL is none", QByteArray("id: 1\nid: 2\0\ndata: a\n\n", 22),
        {{"1", "message", "a"}});
    row("unfinished", "data: a\n", {});
}

/// Promise: the parser and browsers understand the same.
void TestEventStreamParser::readsWhatTheFormatSays()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QList<StreamEvent>, events);
    QCOMPARE(EventStreamParser().feed(bytes), events);
}

/// Promise: where the network cuts the stream makes no difference.
void TestEventStreamParser::everySplitGivesTheSame()
{
    const QByteArray bytes =
        "id: 1\r\nevent: x\r\ndata: a\r\ndata: b\r\n\r\n\r\ndata: \xc3\xa9\n\n";
    const QList<StreamEvent> whole = EventStreamParser().feed(bytes);
    QCOMPARE(whole.size(), 2);
    for (qsizetype split = 0; split <= bytes.size(); ++split) {
        EventStreamParser parser;
        QList<StreamEvent> events = parser.feed(bytes.first(split));
        events += parser.feed(bytes.sliced(split));
        QCOMPARE(events, whole);
    }
    EventStreamParser parser;
    QList<StreamEvent> events;
    for (const char byte : bytes) {
        events += parser.feed(QByteArrayView(&byte, 1));
    }
    QCOMPARE(events, whole);
}

/// Promise: the relay's writer and this reader agree.
void TestEventStreamParser::readsWhatTheRelayWrites()
{
    EventStreamParser parser;
    const auto events =
        feed(parser, toEventPreamble("e-1", 2000) + eventHeartbeat()
                         + toEvent("e-2", "gap", "{\"a\":1}") + toEvent({}, {}, "x\r\ny"));
    QCOMPARE(events, (QList<StreamEvent>{{"e-2", "gap", "{\"a\":1}"}, {"e-2", "message", "x\ny"}}));
}

/// Promise: a stream without an end of line does not take all memory, and does not stop the show.
void TestEventStreamParser::anEventPastTheLimitIsLeftOutAndTheNextOneIsNot()
{
    const QByteArray fits(EventStreamParser::kMaxEventBytes - 6, 'a'); // "data: "
    EventStreamParser parser;
    QCOMPARE(feed(parser, "data: " + fits + "\n\n").size(), 1);
    QCOMPARE(parser.tooLong(), 0);
    QCOMPARE(feed(parser, "data: a" + fits + "\n\n").size(), 0);
    QCOMPARE(parser.tooLong(), 1);
    QCOMPARE(feed(parser, "data: b\n\n").size(), 1);
    // Many short lines are one long event, too.
    const QByteArray line = "data: " + QByteArray(1 << 20, 'a') + '\n';
    QCOMPARE(feed(parser, line + line + line + line + line + '\n').size(), 0);
    QCOMPARE(parser.tooLong(), 2);
}

/// Promise: what a lost connection left unfinished is not mixed with the next one's first event.
void TestEventStreamParser::resetForgetsWhatIsUnfinished()
{
    EventStreamParser parser;
    feed(parser, "id: 3\nevent: x\ndata: a");
    parser.reset();
    QCOMPARE(feed(parser, "data: b\n\n"), (QList<StreamEvent>{{"", "message", "b"}}));
}

RELAY_TEST(TestEventStreamParser)
#include "tst_event_stream_parser.moc"
