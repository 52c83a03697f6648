#include "wire/frame_parser.h"

#include "client_frames.h"
#include "support/test_main.h"

#include <QList>
#include <QTest>

#include <optional>

using namespace relay;
using namespace relay::test;

namespace {

struct ParsedFrame
{
    Opcode opcode;
    bool fin;
    QByteArray payload;

    bool operator==(const ParsedFrame &) const = default;
};

/// Feeds a parser and keeps the frames that were whole, unmasked the obvious way.
class Recorder
{
public:
    void feed(const QByteArray &bytes)
    {
        std::span<const char> input = asSpan(bytes);
        while (!broken) {
            switch (m_parser.next(input)) {
            case FrameParser::Event::NeedMore:
                QVERIFY(input.empty());
                return;
            case FrameParser::Event::Violation:
                broken = m_parser.violation();
                break;
            case FrameParser::Event::Head:
                m_masked.clear();
                recordIfDone();
                break;
            case FrameParser::Event::Payload:
                QVERIFY(!m_parser.chunk().empty());
                QCOMPARE(m_parser.chunkOffset(), static_cast<quint64>(m_masked.size()));
                m_masked.append(m_parser.chunk().data(),
                                static_cast<qsizetype>(m_parser.chunk().size()));
                recordIfDone();
                break;
            }
        }
    }

    [[nodiscard]] bool isBetweenFrames() const { return m_parser.isBetweenFrames(); }
    [[nodiscard]] const FrameHead &head() const { return m_parser.head(); }

    QList<ParsedFrame> frames;
    std::optional<Violation> broken;

private:
    void recordIfDone()
    {
        const FrameHead &head = m_parser.head();
        QCOMPARE(m_parser.frameDone(), static_cast<quint64>(m_masked.size()) == head.payloadBytes);
        if (m_parser.frameDone()) {
            frames.append({head.opcode, head.fin, masked(m_masked, head.mask)});
        }
    }

    FrameParser m_parser;
    QByteArray m_masked;
};

QByteArray fromHex(const char *hex)
{
    return QByteArray::fromHex(hex);
}

} // namespace

/// A client's bytes, however the network cuts them, are the frames that it sent, or the first rule
/// that it broke.
class TestFrameParser : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // what is right
    void everyLength_data();
    void everyLength();
    void everySplit();
    void anEmptyPayloadIsDoneAtItsHead();
    void nextConsumesOneEvent();
    void hugeLengthsAreOnlyReported_data();
    void hugeLengthsAreOnlyReported();

    // what is wrong
    void violationAtItsByte_data();
    void violationAtItsByte();
    void everyFirstByte();
    void everySecondByte();
};

void TestFrameParser::everyLength_data()
{
    QTest::addColumn<qsizetype>("payloadBytes");
    for (const qsizetype bytes : {0, 1, 2, 125, 126, 127, 128, 65534, 65535, 65536, 65537}) {
        QTest::addRow("%lld", static_cast<long long>(bytes)) << bytes;
    }
}

// Each length encoding begins and ends where it should; whole, byte by byte, and in reads that cut
// the head.
void TestFrameParser::everyLength()
{
    QFETCH(const qsizetype, payloadBytes);
    const QByteArray payload = patterned(payloadBytes);
    const QByteArray stream = clientFrame(Opcode::Binary, payload);
    const QList<ParsedFrame> expected{{Opcode::Binary, true, payload}};

    Recorder whole;
    whole.feed(stream);
    QVERIFY(whole.frames == expected);
    QVERIFY(whole.isBetweenFrames());

    Recorder byByte;
    for (const char byte : stream) {
        QVERIFY(byByte.frames.isEmpty());
        byByte.feed(QByteArray(1, byte));
    }
    QVERIFY(byByte.frames == expected);

    for (qsizetype cut = 0; cut <= std::min<qsizetype>(stream.size(), 20); ++cut) {
        Recorder halves;
        halves.feed(stream.first(cut));
        halves.feed(stream.sliced(cut));
        QVERIFY(halves.frames == expected);
    }
}

// Frames of every kind in one stream; no cut into two reads changes what is found.
void TestFrameParser::everySplit()
{
    const QList<ParsedFrame> expected{{Opcode::Text, false, "one"},
                                      {Opcode::Ping, true, "?"},
                                      {Opcode::Continuation, false, ""},
                                      {Opcode::Continuation, true, patterned(200)},
                                      {Opcode::Pong, true, ""},
                                      {Opcode::Binary, true, patterned(125)},
                                      {Opcode::Close, true, closePayload(1000, "bye")}};
    QByteArray stream;
    for (const ParsedFrame &frame : expected) {
        stream += clientFrame(frame.opcode, frame.payload, frame.fin);
    }
    for (qsizetype cut = 0; cut <= stream.size(); ++cut) {
        Recorder recorder;
        recorder.feed(stream.first(cut));
        recorder.feed(stream.sliced(cut));
        QVERIFY2(recorder.frames == expected, qPrintable(QString::number(cut)));
        QVERIFY(!recorder.broken);
        QVERIFY(recorder.isBetweenFrames());
    }
    Recorder byByte;
    for (const char byte : stream) {
        byByte.feed(QByteArray(1, byte));
    }
    QVERIFY(byByte.frames == expected);
}

// There is no Payload event to wait for.
void TestFrameParser::anEmptyPayloadIsDoneAtItsHead()
{
    const QByteArray stream = clientFrame(Opcode::Ping, {});
    std::span<const char> input = asSpan(stream);
    FrameParser parser;
    QCOMPARE(parser.next(input), FrameParser::Event::Head);
    QVERIFY(parser.frameDone());
    QVERIFY(parser.isBetweenFrames());
    QCOMPARE(parser.next(input), FrameParser::Event::NeedMore);
}

// A caller that stops after an event finds the rest of the input untouched.
void TestFrameParser::nextConsumesOneEvent()
{
    const QByteArray first = clientFrame(Opcode::Text, "abc");
    const QByteArray stream = first + clientFrame(Opcode::Text, "def");
    std::span<const char> input = asSpan(stream);
    FrameParser parser;
    QCOMPARE(parser.next(input), FrameParser::Event::Head);
    QVERIFY(!parser.isBetweenFrames());
    QCOMPARE(input.size(), static_cast<std::size_t>(stream.size() - 6));
    QCOMPARE(parser.next(input), FrameParser::Event::Payload);
    QCOMPARE(input.size(), static_cast<std::size_t>(stream.size() - first.size()));
}

void TestFrameParser::hugeLengthsAreOnlyReported_data()
{
    QTest::addColumn<quint64>("payloadBytes");
    QTest::newRow("2^31") << (quint64{1} << 31);
    QTest::newRow("2^32") << (quint64{1} << 32);
    QTest::newRow("2^63 - 1") << ((quint64{1} << 63) - 1);
}

// A length that fits no memory is the owner's to refuse; the parser takes it for what it is.
void TestFrameParser::hugeLengthsAreOnlyReported()
{
    QFETCH(const quint64, payloadBytes);
    Recorder recorder;
    recorder.feed(clientHead(0x82, payloadBytes) + "some");
    QVERIFY(!recorder.broken);
    QCOMPARE(recorder.head().payloadBytes, payloadBytes);
    QVERIFY(recorder.frames.isEmpty());
}

void TestFrameParser::violationAtItsByte_data()
{
    QTest::addColumn<QByteArray>("stream");
    QTest::addColumn<int>("atByte"); ///< the first that no right frame has there
    QTest::addColumn<Violation>("violation");

    QTest::newRow("RSV1") << fromHex("c1") << 1 << Violation::ReservedBits;
    QTest::newRow("RSV2") << fromHex("a1") << 1 << Violation::ReservedBits;
    QTest::newRow("RSV3") << fromHex("91") << 1 << Violation::ReservedBits;
    QTest::newRow("all RSV on a ping") << fromHex("f9") << 1 << Violation::ReservedBits;
    QTest::newRow("opcode 3") << fromHex("83") << 1 << Violation::UnknownOpcode;
    QTest::newRow("opcode 15") << fromHex("8f") << 1 << Violation::UnknownOpcode;
    QTest::newRow("ping without FIN") << fromHex("09") << 1 << Violation::FragmentedControl;
    QTest::newRow("no mask") << fromHex("8105") << 2 << Violation::NotMasked;
    QTest::newRow("no mask, empty") << fromHex("8100") << 2 << Violation::NotMasked;
    QTest::newRow("ping, 16-bit length") << fromHex("89fe") << 2 << Violation::OversizedControl;
    QTest::newRow("close, 64-bit length") << fromHex("88ff") << 2 << Violation::OversizedControl;
    QTest::newRow("0 in 16 bits") << fromHex("81fe0000") << 4 << Violation::NonMinimalLength;
    QTest::newRow("125 in 16 bits") << fromHex("81fe007d") << 4 << Violation::NonMinimalLength;
    QTest::newRow("125 in 64 bits")
        << fromHex("81ff000000000000007d") << 10 << Violation::NonMinimalLength;
    QTest::newRow("65535 in 64 bits")
        << fromHex("82ff000000000000ffff") << 10 << Violation::NonMinimalLength;
    QTest::newRow("2^63") << fromHex("82ff8000000000000000") << 10 << Violation::NonMinimalLength;
    QTest::newRow("2^64 - 1") << fromHex("82ffffffffffffffffff") << 10
                              << Violation::NonMinimalLength;
    QTest::newRow("after a right frame")
        << clientFrame(Opcode::Text, "ok") + fromHex("83") << 9 << Violation::UnknownOpcode;
}

// A broken rule is named at the byte that breaks it: not before, and without waiting for the rest
// of the head.
void TestFrameParser::violationAtItsByte()
{
    QFETCH(const QByteArray, stream);
    QFETCH(const int, atByte);
    QFETCH(const Violation, violation);

    Recorder byByte;
    for (int i = 0; i < atByte; ++i) {
        QVERIFY(!byByte.broken);
        byByte.feed(stream.sliced(i, 1));
    }
    QVERIFY(byByte.broken == violation);

    Recorder whole;
    whole.feed(stream + patterned(100));
    QVERIFY(whole.broken == violation);
    QVERIFY(whole.frames == byByte.frames);
}

// All 256 values, told by the table of section 5.2 spelt out.
void TestFrameParser::everyFirstByte()
{
    for (int byte = 0; byte < 256; ++byte) {
        const int opcode = byte & 0x0F;
        std::optional<Violation> expected;
        if ((byte & 0x70) != 0) {
            expected = Violation::ReservedBits;
        } else if (!QList<int>{0, 1, 2, 8, 9, 10}.contains(opcode)) {
            expected = Violation::UnknownOpcode;
        } else if (opcode >= 8 && byte < 0x80) {
            expected = Violation::FragmentedControl;
        }
        Recorder recorder;
        recorder.feed(QByteArray(1, static_cast<char>(byte)));
        QVERIFY2(recorder.broken == expected, qPrintable(QString::number(byte, 16)));
    }
}

void TestFrameParser::everySecondByte()
{
    for (const int firstByte : {0x81, 0x02, 0x80, 0x88, 0x89, 0x8A}) {
        for (int byte = 0; byte < 256; ++byte) {
            std::optional<Violation> expected;
            if (byte < 0x80) {
                expected = Violation::NotMasked;
            } else if ((firstByte & 0x08) != 0 && byte > 0x80 + 125) {
                expected = Violation::OversizedControl;
            }
            Recorder recorder;
            recorder.feed(QByteArray(1, static_cast<char>(firstByte)) + static_cast<char>(byte));
            QVERIFY2(recorder.broken == expected, qPrintable(QString::number(byte, 16)));
        }
    }
}

RELAY_TEST(TestFrameParser)
#include "tst_frame_parser.moc"
