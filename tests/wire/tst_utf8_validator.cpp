#include "wire/utf8_validator.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <array>

using namespace relay;

namespace {

/// RFC 3629 in the obvious way: decode each code point and look at it.
bool isUtf8(QByteArrayView text)
{
    static constexpr std::array<quint32, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
    const auto at = [text](qsizetype i) -> quint32 { return static_cast<quint8>(text[i]); };
    for (qsizetype i = 0; i < text.size();) {
        const quint32 lead = at(i);
        const int bytes = lead < 0x80       ? 1
                          : lead >> 5 == 6  ? 2
                          : lead >> 4 == 14 ? 3
                          : lead >> 3 == 30 ? 4
                                            : 0;
        if (bytes == 0 || i + bytes > text.size()) {
            return false;
        }
        quint32 codePoint = bytes == 1 ? lead : lead & (0x7FU >> bytes);
        for (int k = 1; k < bytes; ++k) {
            if (at(i + k) >> 6 != 2) {
                return false;
            }
            codePoint = codePoint << 6 | (at(i + k) & 0x3F);
        }
        if (codePoint < kSmallest[static_cast<std::size_t>(bytes)] || codePoint > 0x10FFFF
            || (codePoint >= 0xD800 && codePoint <= 0xDFFF))
        {
            return false;
        }
        i += bytes;
    }
    return true;
}

/// Whether the text can be the beginning of one that is UTF-8. Of all ways to finish a cut code
/// point, the lowest and the highest suffice: what a second byte may be is always a range that
/// begins at 80 or ends at BF.
bool canBecomeUtf8(const QByteArray &text)
{
    for (qsizetype more = 0; more <= 3; ++more) {
        if (isUtf8(QByteArray(text + QByteArray(more, '\x80')))
            || isUtf8(QByteArray(text + QByteArray(more, '\xBF'))))
        {
            return true;
        }
    }
    return false;
}

/// Whether the validator, fed in these pieces, says what the oracle says: false at the piece that
/// spoils the text.
bool agrees(const QByteArray &text, const QList<qsizetype> &cuts)
{
    Utf8Validator validator;
    qsizetype begin = 0;
    for (const qsizetype end : cuts + QList<qsizetype>{text.size()}) {
        const bool accepted = validator.feed(QByteArrayView(text).sliced(begin, end - begin));
        if (accepted != canBecomeUtf8(text.first(end))) {
            return false;
        }
        if (!accepted) {
            return true;
        }
        begin = end;
    }
    return validator.isComplete() == isUtf8(text);
}

QList<qsizetype> everyByte(const QByteArray &text)
{
    QList<qsizetype> cuts;
    for (qsizetype i = 1; i < text.size(); ++i) {
        cuts.append(i);
    }
    return cuts;
}

/// Mostly right text of all lengths of code points, with a few bytes changed, cut out or put in.
QByteArray randomText(QRandomGenerator &random)
{
    static constexpr std::array<char32_t, 12> kEdges{
        0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF, 'a'};
    QByteArray text;
    for (quint32 n = random.bounded(40U); n > 0; --n) {
        const char32_t codePoint = kEdges[random.bounded(quint32{kEdges.size()})];
        text += QString::fromUcs4(&codePoint, 1).toUtf8();
    }
    for (quint32 n = random.bounded(3U); n > 0 && !text.isEmpty(); --n) {
        const qsizetype at = random.bounded(static_cast<int>(text.size()));
        const char byte = static_cast<char>(random.bounded(256));
        switch (random.bounded(3)) {
        case 0:
            text[at] = byte;
            break;
        case 1:
            text.remove(at, 1);
            break;
        default:
            text.insert(at, byte);
        }
    }
    return text;
}

} // namespace

/// Text is UTF-8 or it is not, however it is cut; and what is not is refused at its first bad byte.
class TestUtf8Validator : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyShortSequence();
    void fourByteSequencesAtTheirEdges();
    void failsAtTheFirstBadByte_data();
    void failsAtTheFirstBadByte();
    void randomTextsInRandomPieces();
    void resetForgetsTheUnfinished();
};

// All of one, two and three bytes. An ASCII byte at the front leaves a shorter sequence: those are
// left out of three.
void TestUtf8Validator::everyShortSequence()
{
    for (int a = 0; a < 256; ++a) {
        QByteArray text(1, static_cast<char>(a));
        QVERIFY2(agrees(text, {}), text.toHex().constData());
        for (int b = 0; b < 256; ++b) {
            text = QByteArray(1, static_cast<char>(a)) + static_cast<char>(b);
            QVERIFY2(agrees(text, {}) && agrees(text, {1}), text.toHex().constData());
        }
    }
    for (int i = 0x800000; i < 0x1000000; ++i) {
        const std::array<char, 3> bytes{static_cast<char>(i >> 16), static_cast<char>(i >> 8),
                                        static_cast<char>(i)};
        const QByteArrayView text(bytes);
        Utf8Validator whole;
        const bool accepted = whole.feed(text) && whole.isComplete();
        Utf8Validator pieces;
        const bool acceptedByByte = pieces.feed(text.first(1)) && pieces.feed(text.sliced(1, 1))
                                    && pieces.feed(text.last(1)) && pieces.isComplete();
        const bool expected = isUtf8(text);
        if (accepted != expected || acceptedByByte != expected) {
            QFAIL(text.toByteArray().toHex().constData());
        }
    }
}

void TestUtf8Validator::fourByteSequencesAtTheirEdges()
{
    const QByteArray edges = QByteArray::fromHex("7f80bfc0");
    for (int lead = 0xEF; lead <= 0xFF; ++lead) {
        for (int second = 0; second < 256; ++second) {
            for (const char third : edges) {
                for (const char fourth : edges) {
                    const QByteArray text = QByteArray(1, static_cast<char>(lead))
                                            + static_cast<char>(second) + third + fourth;
                    QVERIFY2(agrees(text, {}) && agrees(text, {1, 2, 3}) && agrees(text, {2}),
                             text.toHex().constData());
                }
            }
        }
    }
}

void TestUtf8Validator::failsAtTheFirstBadByte_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("badByte");
    QTest::newRow("tail at the front") << QByteArray("80") << 1;
    QTest::newRow("overlong, two bytes") << QByteArray("c0") << 1;
    QTest::newRow("overlong, three bytes") << QByteArray("e09f") << 2;
    QTest::newRow("overlong, four bytes") << QByteArray("f08f") << 2;
    QTest::newRow("surrogate") << QByteArray("eda0") << 2;
    QTest::newRow("above U+10FFFF") << QByteArray("f490") << 2;
    QTest::newRow("lead of more than four") << QByteArray("f5") << 1;
    QTest::newRow("third byte is none") << QByteArray("e28228") << 3;
    QTest::newRow("fourth byte is none") << QByteArray("f09f9828") << 4;
    QTest::newRow("after a long valid text") << QByteArray("cebae1bdb9cf83cebcceb5f490") << 13;
}

// A text that is spoilt is refused at once, not when the message ends: the relay must not wait for
// the rest.
void TestUtf8Validator::failsAtTheFirstBadByte()
{
    QFETCH(QByteArray, text);
    QFETCH(const int, badByte);
    text = QByteArray::fromHex(text);
    Utf8Validator validator;
    for (int i = 1; i < badByte; ++i) {
        QVERIFY(validator.feed(QByteArrayView(text).sliced(i - 1, 1)));
    }
    QVERIFY(!validator.feed(QByteArrayView(text).sliced(badByte - 1, 1)));
}

void TestUtf8Validator::randomTextsInRandomPieces()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    for (int round = 0; round < 20000; ++round) {
        const QByteArray text = randomText(random);
        QList<qsizetype> cuts;
        for (qsizetype at = random.bounded(8); at < text.size(); at += random.bounded(12)) {
            cuts.append(at);
        }
        QVERIFY2(agrees(text, {}) && agrees(text, cuts) && agrees(text, everyByte(text)),
                 text.toHex().constData());
    }
}

void TestUtf8Validator::resetForgetsTheUnfinished()
{
    Utf8Validator validator;
    QVERIFY(validator.feed("\xE2\x82"));
    QVERIFY(!validator.isComplete());
    validator.reset();
    QVERIFY(validator.isComplete());
    QVERIFY(validator.feed("a"));
}

RELAY_TEST(TestUtf8Validator)
#include "tst_utf8_validator.moc"
