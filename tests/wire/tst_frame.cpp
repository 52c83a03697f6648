#include "wire/frame.h"

#include "client_frames.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay;
using namespace relay::test;

namespace {

void addLengths()
{
    QTest::addColumn<qsizetype>("payloadBytes");
    QTest::addColumn<QByteArray>("lengthField");
    const auto row = [](qsizetype bytes, const char *hex) {
        QTest::addRow("%lld", static_cast<long long>(bytes)) << bytes << QByteArray::fromHex(hex);
    };
    row(0, "00");
    row(1, "01");
    row(125, "7d");
    row(126, "7e007e");
    row(127, "7e007f");
    row(65535, "7effff");
    row(65536, "7f0000000000010000");
    row(1048576, "7f0000000000100000");
}

} // namespace

/// A message's frame: final, unmasked, with the shortest length, and shared by all who hold it.
class TestFrame : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void encodes_data() { addLengths(); }
    void encodes();
    void encodesFromMasked_data() { addLengths(); }
    void encodesFromMasked();
    void adopts_data() { addLengths(); }
    void adopts();
    void headOfA64BitLength();
    void aCopyShares();
    void anEmptyFrameHasNoBytes();
};

// The bytes are those of RFC 6455, section 5.2, and the buffer is no longer than they are.
void TestFrame::encodes()
{
    QFETCH(const qsizetype, payloadBytes);
    QFETCH(const QByteArray, lengthField);
    const QByteArray payload = patterned(payloadBytes);

    const Frame text(Opcode::Text, payload);
    QCOMPARE(text.bytes().toByteArray(), '\x81' + lengthField + payload);
    QCOMPARE(text.payload().toByteArray(), payload);
    QVERIFY(text.isText());
    QCOMPARE(text.storage().size(), text.bytes().size());
    QCOMPARE(frameHeadBytes(static_cast<quint64>(payloadBytes)), 1 + lengthField.size());

    const Frame binary(Opcode::Binary, payload);
    QCOMPARE(binary.bytes().toByteArray(), '\x82' + lengthField + payload);
    QVERIFY(!binary.isText());
}

// What a client sent masked leaves as if it had been encoded from the plain payload.
void TestFrame::encodesFromMasked()
{
    QFETCH(const qsizetype, payloadBytes);
    const QByteArray payload = patterned(payloadBytes);
    const QByteArray sent = masked(payload);
    const Frame frame = Frame::fromMasked(Opcode::Text, asSpan(sent), kMask);
    QCOMPARE(frame.bytes().toByteArray(), Frame(Opcode::Text, payload).bytes().toByteArray());
    QCOMPARE(frame.payload().toByteArray(), payload);
    QCOMPARE(frame.opcode(), Opcode::Text);
    QCOMPARE(frame.storage().size(), frame.bytes().size());
}

// A buffer with headroom becomes the same frame, where it lies.
void TestFrame::adopts()
{
    QFETCH(const qsizetype, payloadBytes);
    const QByteArray payload = patterned(payloadBytes);
    QByteArray buffer = QByteArray(kMaxFrameHeadBytes, '#') + payload;
    const char *const place = buffer.constData();

    const Frame frame = Frame::adopt(Opcode::Binary, std::move(buffer));
    QCOMPARE(frame.bytes().toByteArray(), Frame(Opcode::Binary, payload).bytes().toByteArray());
    QCOMPARE(frame.payload().toByteArray(), payload);
    QCOMPARE(frame.opcode(), Opcode::Binary);
    QCOMPARE(static_cast<const void *>(frame.storage().constData()),
             static_cast<const void *>(place));
}

// No test allocates that much, but the head is right.
void TestFrame::headOfA64BitLength()
{
    QByteArray head(kMaxFrameHeadBytes, '#');
    QCOMPARE(writeFrameHead(head.data(), Opcode::Binary, 0x0123456789ABCDEF), kMaxFrameHeadBytes);
    QCOMPARE(head, QByteArray::fromHex("827f0123456789abcdef"));
}

// One allocation serves every client that a message waits for.
void TestFrame::aCopyShares()
{
    const Frame frame(Opcode::Text, "hello");
    const Frame copy = frame; // NOLINT(performance-unnecessary-copy-initialization)
    QCOMPARE(static_cast<const void *>(copy.bytes().data()),
             static_cast<const void *>(frame.bytes().data()));
}

void TestFrame::anEmptyFrameHasNoBytes()
{
    const Frame frame;
    QVERIFY(frame.bytes().isEmpty());
    QVERIFY(frame.payload().isEmpty());
}

RELAY_TEST(TestFrame)
#include "tst_frame.moc"
