#include "wire/frame.h"
#include "wire/message_assembler.h"

#include "support/client_frame.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>
#include <span>
#include <utility>

using relay::Frame;
using relay::MessageAssembler;
using relay::MessageSink;
using relay::Opcode;
using relay::test::clientFrame;
using relay::test::Op;
using relay::test::patterned;

namespace {

constexpr qsizetype kKiB = 1024;
constexpr qsizetype kMiB = 1024 * kKiB;
/// What one recv(2) of a worker takes at most.
constexpr std::size_t kReceiveBytes = 256 * kKiB;

class CountingSink final : public MessageSink
{
public:
    Next messageReceived(Frame message) override
    {
        ++messages;
        bytes += message.payload().size();
        return Next::GoOn;
    }
    Next controlReceived(Opcode /*opcode*/, QByteArrayView /*payload*/) override
    {
        return Next::GoOn;
    }

    quint64 messages = 0;
    qint64 bytes = 0;
};

/// Text with a three-byte code point in every eight bytes, or so: what the fast path for ASCII does
/// not help.
QByteArray multilingual(qsizetype bytes)
{
    const QByteArray word = QStringLiteral("abcde€").toUtf8();
    QByteArray text = word.repeated(bytes / word.size());
    return text + QByteArray(bytes - text.size(), '.');
}

/// Feeds the stream in pieces as a worker would receive it.
bool feed(MessageAssembler &assembler, const QByteArray &stream, MessageSink &sink)
{
    std::span<const char> left(stream.constData(), static_cast<std::size_t>(stream.size()));
    while (!left.empty()) {
        const auto piece = left.first(std::min(left.size(), kReceiveBytes));
        if (assembler.feed(piece, sink)) {
            return false;
        }
        left = left.subspan(piece.size());
    }
    return true;
}

} // namespace

Q_DECLARE_METATYPE(relay::test::Op)

/// What the protocol costs apart from any system call, per message.
class BenchWire : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void encode_data() { sizes(); }
    void encode();
    void receive_data() { sizes(); }
    void receive();
    void receiveMany();
    void receiveFragments();

private:
    static void sizes();
};

void BenchWire::sizes()
{
    QTest::addColumn<Op>("opcode");
    QTest::addColumn<QByteArray>("payload");
    const QList<std::pair<const char *, qsizetype>> kSizes = {
        {"64 B", 64}, {"1 KiB", kKiB}, {"64 KiB", 64 * kKiB}, {"1 MiB", kMiB}};
    for (const auto &[name, bytes] : kSizes) {
        QTest::addRow("binary, %s", name) << Op::Binary << patterned(bytes);
        QTest::addRow("text, %s", name) << Op::Text << patterned(bytes);
        QTest::addRow("text beyond ASCII, %s", name) << Op::Text << multilingual(bytes);
    }
}

// A message of the relay's own (Hub::publish): payload to frame.
void BenchWire::encode()
{
    QFETCH(Op, opcode);
    QFETCH(QByteArray, payload);
    qsizetype bytes = 0;
    QBENCHMARK {
        const Frame frame(static_cast<Opcode>(opcode), payload);
        bytes = frame.bytes().size();
    }
    QVERIFY(bytes > payload.size());
}

// A client's message: received bytes, masked, to the frame that all are sent.
void BenchWire::receive()
{
    QFETCH(Op, opcode);
    QFETCH(QByteArray, payload);
    const QByteArray stream = clientFrame(opcode, payload);
    MessageAssembler assembler(kMiB);
    CountingSink sink;
    bool isSound = true;
    quint64 runs = 0;
    QBENCHMARK {
        isSound = feed(assembler, stream, sink) && isSound;
        ++runs;
    }
    QVERIFY(isSound);
    QCOMPARE(sink.messages, runs);
    QCOMPARE(sink.bytes, static_cast<qint64>(runs) * payload.size());
}

// A busy publisher: 40 messages of 64 bytes in one recv(2).
void BenchWire::receiveMany()
{
    const QByteArray stream = clientFrame(Op::Text, patterned(64)).repeated(40);
    MessageAssembler assembler(kMiB);
    CountingSink sink;
    bool isSound = true;
    quint64 runs = 0;
    QBENCHMARK {
        isSound = feed(assembler, stream, sink) && isSound;
        ++runs;
    }
    QVERIFY(isSound);
    QCOMPARE(sink.messages, 40 * runs);
}

// 64 KiB of text in 64 fragments: the slow way, with a buffer of its own.
void BenchWire::receiveFragments()
{
    QByteArray stream;
    for (int i = 0; i < 64; ++i) {
        stream +=
            clientFrame(i == 0 ? Op::Text : Op::Continuation, patterned(kKiB), {.fin = i == 63});
    }
    MessageAssembler assembler(kMiB);
    CountingSink sink;
    bool isSound = true;
    quint64 runs = 0;
    QBENCHMARK {
        isSound = feed(assembler, stream, sink) && isSound;
        ++runs;
    }
    QVERIFY(isSound);
    QCOMPARE(sink.messages, runs);
}

RELAY_TEST(BenchWire)
#include "bench_wire.moc"
