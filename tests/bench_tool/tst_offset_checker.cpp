#include "head_line.h"
#include "offset_checker.h"
#include "support/test_main.h"

#include <QTest>

using relay::bench::OffsetChecker;
using relay::bench::StreamPosition;

namespace {

/// What a checker makes of a story: "b7" begin at 7, "g7" a gap to 7, "7" the message 7; a letter
/// behind it is another epoch.
OffsetChecker told(const QByteArray &story)
{
    OffsetChecker checker;
    for (QByteArray step : story.split(' ')) {
        const char kind = step.front();
        step.remove(0, kind == 'b' || kind == 'g' ? 1 : 0);
        StreamPosition position{.epoch = 1};
        if (step.endsWith('x')) {
            position.epoch = 2;
            step.chop(1);
        }
        position.offset = step.toULongLong();
        if (kind == 'b') {
            checker.begin(position);
        } else if (kind == 'g') {
            checker.tellGap(position);
        } else {
            checker.observe(position);
        }
    }
    return checker;
}

} // namespace

class TestOffsetChecker : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void judges_data();
    void judges();
    void readsPositions_data();
    void readsPositions();
    void readsHeadLines_data();
    void readsHeadLines();
};

void TestOffsetChecker::judges_data()
{
    QTest::addColumn<QByteArray>("story");
    QTest::addColumn<QList<int>>("wanted"); // holes, doubles, gaps told, offsets told, last offset
    const auto row = [](const char *name, const char *story, const QList<int> &wanted) {
        QTest::addRow("%s", name) << QByteArray(story) << wanted;
    };
    row("one after the other", "b0 1 2 3", {0, 0, 0, 0, 3});
    row("from the middle", "b41 42 43", {0, 0, 0, 0, 43});
    row("from the first message", "41 42", {0, 0, 0, 0, 42});
    row("resumed", "b0 1 2 b2 3", {0, 0, 0, 0, 3});
    row("one left out", "b0 1 3", {1, 0, 0, 0, 3});
    row("several left out", "b0 5", {4, 0, 0, 0, 5});
    row("one again", "b0 1 1 2", {0, 1, 0, 0, 2});
    row("resumed too early", "b0 1 2 3 b1 2 3 4", {0, 2, 0, 0, 4});
    row("resumed too late, in silence", "b0 1 b4 5", {3, 0, 0, 0, 5});
    row("resumed too late, and nothing came", "b0 1 b4", {3, 0, 0, 0, 4});
    row("resumed, and one left out", "b0 1 b1 3", {1, 0, 0, 0, 3});
    row("a gap that was told", "b0 1 g4 5", {0, 0, 1, 3, 5});
    row("two gaps", "b0 g4 5 g7 8", {0, 0, 2, 6, 8});
    row("a gap, and one more left out", "b0 1 g4 6", {1, 0, 1, 3, 6});
    row("a gap to where one is", "b0 1 g1 2", {0, 0, 1, 0, 2});
    row("a gap backwards repeats", "b0 1 2 g1 2 3", {0, 1, 1, 0, 3});
    row("another stream, told", "b0 1 2 g0x 1x", {0, 0, 1, -1, 1});
    row("another stream, told, and then a gap", "b0 1 g0x g5x 6x", {0, 0, 2, -1, 6});
    row("another stream, at a message", "b0 1 2 1x 2x", {1, 0, 0, 0, 2});
    row("another stream, at a resume", "b0 1 2 b0x 1x", {1, 0, 0, 0, 1});
}

// Each offset once, or it is said what was wrong; only a gap that was told excuses what is missing.
void TestOffsetChecker::judges()
{
    QFETCH(QByteArray, story);
    const OffsetChecker checker = told(story);
    const bool isUnknown = checker.offsetsTold() == OffsetChecker::kUnknown;
    const QList<int> got{static_cast<int>(checker.holes()), static_cast<int>(checker.doubles()),
                         static_cast<int>(checker.gapsTold()),
                         isUnknown ? -1 : static_cast<int>(checker.offsetsTold()),
                         static_cast<int>(checker.last()->offset)};
    QTEST(got, "wanted");
}

void TestOffsetChecker::readsPositions_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("isGood");
    QTest::addRow("good") << QByteArray("5f2c9a11c07b-17") << true;
    QTest::addRow("the first") << QByteArray("000000000001-0") << true;
    QTest::addRow("the last") << QByteArray("ffffffffffff-9007199254740991") << true;
    QTest::addRow("empty") << QByteArray() << false;
    QTest::addRow("no offset") << QByteArray("5f2c9a11c07b-") << false;
    QTest::addRow("no hyphen") << QByteArray("5f2c9a11c07b") << false;
    QTest::addRow("a short epoch") << QByteArray("5f2c9a11c07-17") << false;
    QTest::addRow("a long epoch") << QByteArray("5f2c9a11c07bb-17") << false;
    QTest::addRow("no hexadecimal epoch") << QByteArray("5f2c9a11c07g-17") << false;
    QTest::addRow("a sign") << QByteArray("5f2c9a11c07b--1") << false;
    QTest::addRow("more behind it") << QByteArray("5f2c9a11c07b-17 ") << false;
    QTest::addRow("past 64 bits") << QByteArray("5f2c9a11c07b-18446744073709551616") << false;
}

// What is read is written as it was.
void TestOffsetChecker::readsPositions()
{
    QFETCH(QByteArray, text);
    const auto position = relay::bench::parsePosition(text.toStdString());
    QTEST(position.has_value(), "isGood");
    if (position) {
        QCOMPARE(QByteArray::fromStdString(toText(*position)), text);
    }
}

void TestOffsetChecker::readsHeadLines_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("wanted"); // "message|greeting position [gap to]"
    const auto row = [](const char *name, const char *line, const char *wanted) {
        QTest::addRow("%s", name) << QByteArray(line) << QByteArray(wanted);
    };
    row("a message", R"({"epoch":"5f2c9a11c07b","offset":18,"time":1764000000000})",
        "message 5f2c9a11c07b-18");
    row("spaces", R"({ "offset": 18, "epoch": "5f2c9a11c07b" })", "message 5f2c9a11c07b-18");
    row("a greeting", R"({"channel":"chat/42","position":"5f2c9a11c07b-17","clients":3})",
        "greeting 5f2c9a11c07b-17");
    row("a greeting with a gap",
        R"({"channel":"c","position":"5f2c9a11c07b-17","clients":3,"gap":{"from":"00000000000a-3","to":"5f2c9a11c07b-17"}})",
        "greeting 5f2c9a11c07b-17 5f2c9a11c07b-17");
    row("a gap from nowhere",
        R"({"position":"5f2c9a11c07b-9","gap":{"from":null,"to":"5f2c9a11c07b-9"}})",
        "greeting 5f2c9a11c07b-9 5f2c9a11c07b-9");
    row("a channel that looks like keys",
        R"({"channel":"\"epoch\":\"aaaaaaaaaaaa\",\"offset\":1","position":"5f2c9a11c07b-17"})",
        "greeting 5f2c9a11c07b-17");
    row("a gap to nowhere", R"({"position":"5f2c9a11c07b-17","gap":{"from":null}})", "");
    row("no position", R"({"channel":"c","clients":3})", "");
    row("a position that is none", R"({"position":"17"})", "");
    row("no offset", R"({"epoch":"5f2c9a11c07b"})", "");
    row("an offset that is none", R"({"epoch":"5f2c9a11c07b","offset":"18"})", "");
    row("a string that does not end", R"({"position":"5f2c9a11c07b-17)", "");
    row("a payload", "000000000000", "");
    row("nothing", "", "");
}

void TestOffsetChecker::readsHeadLines()
{
    QFETCH(QByteArray, line);
    const auto head = relay::bench::parseHeadLine(line.toStdString());
    QByteArray got;
    if (head) {
        got = (head->isGreeting ? "greeting " : "message ")
              + QByteArray::fromStdString(toText(head->position));
        got += head->gapTo ? ' ' + QByteArray::fromStdString(toText(*head->gapTo)) : QByteArray();
    }
    QTEST(got, "wanted");
}

RELAY_TEST(TestOffsetChecker)
#include "tst_offset_checker.moc"
