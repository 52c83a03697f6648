#include "base/position.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QSet>
#include <QTest>

using namespace relay;

namespace {

constexpr quint64 kLargestOffset = 9007199254740991U; // 2^53 - 1
constexpr quint64 kLargestEpoch = 0xFFFFFFFFFFFFU;

} // namespace

/// A client gives a position back as it got it; anything else is told from it, never guessed at.
class TestPosition : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textAndBack_data();
    void textAndBack();
    void refusedTexts_data();
    void refusedTexts();
    void randomPositions();
    void everyChangedByteIsAnotherPosition();
    void epochsDiffer();
};

void TestPosition::textAndBack_data()
{
    QTest::addColumn<quint64>("epoch");
    QTest::addColumn<quint64>("offset");
    QTest::addColumn<QByteArray>("text");
    const auto row = [](quint64 epoch, quint64 offset, const char *text) {
        QTest::newRow(text) << epoch << offset << QByteArray(text);
    };
    row(0x5f2c9a11c07b, 17, "5f2c9a11c07b-17");
    row(0x5f2c9a11c07b, 0, "5f2c9a11c07b-0");
    row(1, 1, "000000000001-1");
    row(0, 0, "000000000000-0");
    row(kLargestEpoch, kLargestOffset, "ffffffffffff-9007199254740991");
    row(0x0123456789ab, 10, "0123456789ab-10");
    row(0xcdef00000000, 9, "cdef00000000-9");
}

void TestPosition::textAndBack()
{
    QFETCH(const quint64, epoch);
    QFETCH(const quint64, offset);
    QFETCH(const QByteArray, text);
    const Position position{Epoch{epoch}, offset};
    QCOMPARE(position.toText(), text);
    QCOMPARE(toText(Epoch{epoch}), text.first(12));
    const std::optional<Position> back = Position::fromText(text);
    QVERIFY(back);
    QCOMPARE(*back, position);
}

void TestPosition::refusedTexts_data()
{
    QTest::addColumn<QByteArray>("text");
    const auto row = [](const char *what, const QByteArray &text) { QTest::newRow(what) << text; };
    row("nothing", "");
    row("epoch only", "5f2c9a11c07b");
    row("no offset", "5f2c9a11c07b-");
    row("offset only", "-17");
    row("a number", "17");
    row("epoch too short", "5f2c9a11c07-17");
    row("epoch too long", "05f2c9a11c07b-17");
    row("upper case", "5F2c9a11c07b-17");
    row("no hexadecimal digit", "5f2c9a11c07g-17");
    row("epoch with 0x", "0x2c9a11c07b-17");
    row("epoch with a sign", "+f2c9a11c07b-17");
    row("epoch with a blank", " f2c9a11c07b-17");
    row("another separator", "5f2c9a11c07b_17");
    row("two separators", "5f2c9a11c07b--17");
    row("plus", "5f2c9a11c07b-+17");
    row("minus", "5f2c9a11c07b--1");
    row("leading zero", "5f2c9a11c07b-017");
    row("two zeros", "5f2c9a11c07b-00");
    row("hexadecimal offset", "5f2c9a11c07b-1a");
    row("fraction", "5f2c9a11c07b-1.0");
    row("exponent", "5f2c9a11c07b-1e3");
    row("blank in front", " 5f2c9a11c07b-17");
    row("blank before the offset", "5f2c9a11c07b- 17");
    row("blank behind", "5f2c9a11c07b-17 ");
    row("line end behind", "5f2c9a11c07b-17\n");
    row("NUL behind", QByteArray("5f2c9a11c07b-17\0", 16));
    row("2^53", "5f2c9a11c07b-9007199254740992");
    row("2^64 - 1", "5f2c9a11c07b-18446744073709551615");
    row("2^64 + 1", "5f2c9a11c07b-18446744073709551617");
    row("a thousand digits", "5f2c9a11c07b-" + QByteArray(1000, '1'));
    row("two positions", "5f2c9a11c07b-17,5f2c9a11c07b-18");
    row("Arabic digits", "5f2c9a11c07b-\xD9\xA1");
}

// There is one way to write a position: positions can be compared, and cached, as texts.
void TestPosition::refusedTexts()
{
    QFETCH(const QByteArray, text);
    QVERIFY(!Position::fromText(text));
}

void TestPosition::randomPositions()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    for (int round = 0; round < 20000; ++round) {
        const Position position{Epoch{random.generate64() >> (16 + random.bounded(48))},
                                random.generate64() >> (11 + random.bounded(53))};
        const std::optional<Position> back = Position::fromText(position.toText());
        QVERIFY2(back && *back == position, position.toText().constData());
    }
}

// A text that is not quite a position is none, or another one: each byte counts.
void TestPosition::everyChangedByteIsAnotherPosition()
{
    const QByteArray text = "5f2c9a11c07b-170";
    for (qsizetype at = 0; at < text.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            QByteArray changed = text;
            changed[at] = static_cast<char>(byte);
            const std::optional<Position> position = Position::fromText(changed);
            QVERIFY2(!position || position->toText() == changed, changed.toHex().constData());
        }
    }
}

// A stream that begins anew is not taken for the one before; and 48 bits are all used.
void TestPosition::epochsDiffer()
{
    QSet<quint64> seen;
    quint64 set = 0;
    quint64 clear = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto epoch = static_cast<quint64>(newEpoch());
        QVERIFY(epoch != 0);
        QVERIFY(epoch <= kLargestEpoch);
        set |= epoch;
        clear |= ~epoch & kLargestEpoch;
        seen.insert(epoch);
    }
    QCOMPARE(seen.size(), 1000);
    QCOMPARE(set, kLargestEpoch);
    QCOMPARE(clear, kLargestEpoch);
}

RELAY_TEST(TestPosition)
#include "tst_position.moc"
