#include "wire/message_assembler.h"

#include "client_frames.h"
#include "support/test_main.h"

#include <QList>
#include <QSet>
#include <QTest>

#include <limits>
#include <memory>

using namespace relay;
using namespace relay::test;

namespace {

constexpr quint64 kLimit = 70000;

struct Received
{
    Opcode opcode;
    QByteArray payload;

    bool operator==(const Received &) const = default;
};

/// Keeps what the assembler delivers; says Stop after `stopAfter` deliveries.
class Recorder : public MessageSink
{
public:
    Next messageReceived(Frame message) override
    {
        messages.append(message);
        return record(message.opcode(), message.payload());
    }
    Next controlReceived(Opcode opcode, QByteArrayView payload) override
    {
        return record(opcode, payload);
    }

    QList<Received> all;
    QList<Frame> messages;
    int stopAfter = std::numeric_limits<int>::max();

private:
    Next record(Opcode opcode, QByteArrayView payload)
    {
        all.append({opcode, payload.toByteArray()});
        return all.size() < stopAfter ? Next::GoOn : Next::Stop;
    }
};

/// Feeds a stream byte by byte; returns how many bytes were taken when it was found broken, 0 when
/// it was not.
qsizetype brokenAtByte(const QByteArray &stream, std::optional<Violation> &broken)
{
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    for (qsizetype i = 0; i < stream.size(); ++i) {
        broken = assembler.feed(asSpan(QByteArrayView(stream).sliced(i, 1)), recorder);
        if (broken) {
            return i + 1;
        }
    }
    return 0;
}

constexpr bool kMore = false; ///< the frame's FIN is not set

} // namespace

/// A client's stream, however it is fragmented and cut, gives its messages; or the first rule that
/// it breaks.
class TestMessageAssembler : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // what is right
    void everyLength_data();
    void everyLength();
    void everySplitOfAStream();
    void aCodePointMaySpanFragments();
    void binaryNeedsNoUtf8();
    void closePayloads_data();
    void closePayloads();
    void messageOfExactlyTheLimit();

    // what is kept
    void nothingIsKeptBetweenMessages();
    void announcedBytesAreNotAllocated();
    void aFrameIsAsLongAsItsMessage();

    // what is wrong
    void everyViolation_data();
    void everyViolation();
    void everyViolationIsTried();
    void whatCameBeforeAViolationIsDelivered();
    void limitsThatCannotOverflow_data();
    void limitsThatCannotOverflow();

    // who stops
    void stopLeavesTheRest();
    void theSinkMayDeleteTheAssembler();
};

void TestMessageAssembler::everyLength_data()
{
    QTest::addColumn<qsizetype>("payloadBytes");
    for (const qsizetype bytes : {0, 1, 2, 125, 126, 127, 65535, 65536, 70000}) {
        QTest::addRow("%lld", static_cast<long long>(bytes)) << bytes;
    }
}

// A message is the same frame whether it came whole, in reads of one byte, or cut near its head or
// its end.
void TestMessageAssembler::everyLength()
{
    QFETCH(const qsizetype, payloadBytes);
    const QByteArray payload = patterned(payloadBytes);
    for (const Opcode opcode : {Opcode::Text, Opcode::Binary}) {
        const QByteArray stream = clientFrame(opcode, payload);
        const QByteArray expected = Frame(opcode, payload).bytes().toByteArray();

        QList<qsizetype> cuts{0, stream.size() / 2, stream.size() - 1, stream.size()};
        for (qsizetype cut = 1; cut < std::min<qsizetype>(20, stream.size()); ++cut) {
            cuts.append(cut);
        }
        for (const qsizetype cut : std::as_const(cuts)) {
            MessageAssembler assembler(kLimit);
            Recorder recorder;
            QVERIFY(!assembler.feed(asSpan(stream.first(cut)), recorder));
            QCOMPARE(assembler.isInMessage(), cut > 0 && cut < stream.size());
            QVERIFY(!assembler.feed(asSpan(stream.sliced(cut)), recorder));
            QCOMPARE(recorder.messages.size(), 1);
            QVERIFY(recorder.messages.constFirst().bytes() == QByteArrayView(expected));
            QVERIFY(!assembler.isInMessage());
        }

        MessageAssembler assembler(kLimit);
        Recorder recorder;
        for (const char byte : stream) {
            QVERIFY(recorder.messages.isEmpty());
            QVERIFY(!assembler.feed({&byte, 1}, recorder));
        }
        QCOMPARE(recorder.messages.size(), 1);
        QVERIFY(recorder.messages.constFirst().bytes() == QByteArrayView(expected));
    }
}

// Fragments with control frames between them, empty ones, and messages around them: no cut changes
// what is delivered.
void TestMessageAssembler::everySplitOfAStream()
{
    const QByteArray euro = "\xE2\x82\xAC";
    const QByteArray stream =
        clientFrame(Opcode::Text, "whole") + clientFrame(Opcode::Text, {})
        + clientFrame(Opcode::Text, "a" + euro.first(1), kMore)
        + clientFrame(Opcode::Ping, patterned(125)) + clientFrame(Opcode::Continuation, {}, kMore)
        + clientFrame(Opcode::Pong, {}) + clientFrame(Opcode::Continuation, euro.sliced(1), kMore)
        + clientFrame(Opcode::Continuation, {}) + clientFrame(Opcode::Binary, {}, kMore)
        + clientFrame(Opcode::Ping, "?") + clientFrame(Opcode::Continuation, patterned(200))
        + clientFrame(Opcode::Close, closePayload(1000, "bye"));
    const QList<Received> expected{
        {Opcode::Text, "whole"},          {Opcode::Text, ""},
        {Opcode::Ping, patterned(125)},   {Opcode::Pong, ""},
        {Opcode::Text, "a" + euro},       {Opcode::Ping, "?"},
        {Opcode::Binary, patterned(200)}, {Opcode::Close, closePayload(1000, "bye")}};
    for (qsizetype cut = 0; cut <= stream.size(); ++cut) {
        MessageAssembler assembler(kLimit);
        Recorder recorder;
        QVERIFY(!assembler.feed(asSpan(stream.first(cut)), recorder));
        QVERIFY(!assembler.feed(asSpan(stream.sliced(cut)), recorder));
        QVERIFY2(recorder.all == expected, qPrintable(QString::number(cut)));
    }
    for (qsizetype step = 1; step < 10; ++step) {
        MessageAssembler assembler(kLimit);
        Recorder recorder;
        for (qsizetype at = 0; at < stream.size(); at += step) {
            const qsizetype bytes = std::min(step, stream.size() - at);
            QVERIFY(!assembler.feed(asSpan(stream.sliced(at, bytes)), recorder));
        }
        QVERIFY2(recorder.all == expected, qPrintable(QString::number(step)));
    }
}

// Fragments are bytes, not texts: only the whole message is UTF-8.
void TestMessageAssembler::aCodePointMaySpanFragments()
{
    const QByteArray text = "\xF0\x9F\x98\x80";
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const Opcode opcode = i == 0 ? Opcode::Text : Opcode::Continuation;
        const QByteArray frame = clientFrame(opcode, text.sliced(i, 1), i + 1 == text.size());
        QVERIFY(!assembler.feed(asSpan(frame), recorder));
    }
    QCOMPARE(recorder.all, QList<Received>({{Opcode::Text, text}}));
}

void TestMessageAssembler::binaryNeedsNoUtf8()
{
    const QByteArray bytes = QByteArray::fromHex("ff00c080eda080");
    const QByteArray stream = clientFrame(Opcode::Binary, bytes)
                              + clientFrame(Opcode::Binary, bytes, kMore)
                              + clientFrame(Opcode::Continuation, bytes);
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    QVERIFY(!assembler.feed(asSpan(stream), recorder));
    QCOMPARE(recorder.all,
             QList<Received>({{Opcode::Binary, bytes}, {Opcode::Binary, bytes + bytes}}));
}

void TestMessageAssembler::closePayloads_data()
{
    QTest::addColumn<QByteArray>("payload");
    QTest::newRow("none") << QByteArray();
    for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999}) {
        QTest::addRow("%d", code) << closePayload(static_cast<quint16>(code));
    }
    QTest::newRow("reason") << closePayload(1000, "Grüße");
    QTest::newRow("longest reason") << closePayload(1000, QByteArray(123, '*'));
}

void TestMessageAssembler::closePayloads()
{
    QFETCH(const QByteArray, payload);
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    QVERIFY(!assembler.feed(asSpan(clientFrame(Opcode::Close, payload)), recorder));
    QCOMPARE(recorder.all, QList<Received>({{Opcode::Close, payload}}));
}

// The limit itself is allowed: in one frame, and as the sum of fragments.
void TestMessageAssembler::messageOfExactlyTheLimit()
{
    constexpr qsizetype limit = kLimit;
    const QByteArray stream = clientFrame(Opcode::Binary, patterned(limit))
                              + clientFrame(Opcode::Binary, patterned(limit - 1), kMore)
                              + clientFrame(Opcode::Continuation, "x", kMore)
                              + clientFrame(Opcode::Continuation, {});
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    QVERIFY(!assembler.feed(asSpan(stream), recorder));
    QCOMPARE(recorder.all, QList<Received>({{Opcode::Binary, patterned(limit)},
                                            {Opcode::Binary, patterned(limit - 1) + "x"}}));
}

// Ten thousand idle clients own no buffers, whatever they have sent before.
void TestMessageAssembler::nothingIsKeptBetweenMessages()
{
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    const QByteArray stream = clientFrame(Opcode::Text, "one", kMore)
                              + clientFrame(Opcode::Ping, "ping")
                              + clientFrame(Opcode::Continuation, "two");
    for (const char byte : stream) {
        QVERIFY(!assembler.feed({&byte, 1}, recorder));
    }
    QCOMPARE(recorder.all.size(), 2);
    QVERIFY(!assembler.isInMessage());
    QCOMPARE(assembler.heldBytes(), 0);

    const QByteArray ping = clientFrame(Opcode::Ping, "ping");
    for (const char byte : ping) {
        QVERIFY(!assembler.feed({&byte, 1}, recorder));
    }
    QVERIFY(!assembler.isInMessage());
}

// A head costs a client fourteen bytes; it must not cost the relay a message's worth of memory.
void TestMessageAssembler::announcedBytesAreNotAllocated()
{
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    QVERIFY(!assembler.feed(asSpan(clientHead(0x82, kLimit)), recorder));
    QCOMPARE(assembler.heldBytes(), 0);

    const QByteArray payload = masked(patterned(kLimit));
    constexpr qsizetype piece = 100;
    for (qsizetype at = 0; at + piece < payload.size(); at += piece) {
        QVERIFY(!assembler.feed(asSpan(payload.sliced(at, piece)), recorder));
        QVERIFY(assembler.heldBytes() <= 2 * (kMaxFrameHeadBytes + at + piece) + 64);
    }
}

// What waits in many clients' queues holds no spare room.
void TestMessageAssembler::aFrameIsAsLongAsItsMessage()
{
    const QByteArray payload = patterned(kLimit / 2);
    const QByteArray stream = clientFrame(Opcode::Binary, payload);
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    QVERIFY(!assembler.feed(asSpan(stream), recorder));
    for (qsizetype at = 0; at < stream.size(); at += 1000) {
        const qsizetype bytes = std::min<qsizetype>(1000, stream.size() - at);
        QVERIFY(!assembler.feed(asSpan(stream.sliced(at, bytes)), recorder));
    }
    QCOMPARE(recorder.messages.size(), 2);
    for (const Frame &message : std::as_const(recorder.messages)) {
        QVERIFY(message.storage().capacity() <= payload.size() + kMaxFrameHeadBytes + 64);
    }
}

void TestMessageAssembler::everyViolation_data()
{
    QTest::addColumn<QByteArray>("stream");
    QTest::addColumn<qsizetype>("after"); ///< how many bytes follow the bad one
    QTest::addColumn<Violation>("violation");
    const auto row = [](const char *name, const QByteArray &stream, Violation violation,
                        qsizetype after = 0) {
        QTest::newRow(name) << stream << after << violation;
    };
    const QByteArray start = clientFrame(Opcode::Text, "start", kMore);

    row("reserved bit", "\xC1", Violation::ReservedBits);
    row("reserved bit in a continuation", start + "\x90", Violation::ReservedBits);
    row("unknown opcode", "\x83", Violation::UnknownOpcode);
    row("not masked", QByteArray::fromHex("8101"), Violation::NotMasked);
    row("length not minimal", QByteArray::fromHex("81fe0001"), Violation::NonMinimalLength);
    row("fragmented ping", "\x09", Violation::FragmentedControl);
    row("oversized ping", QByteArray::fromHex("89fe"), Violation::OversizedControl);
    row("continuation of nothing", clientHead(0x80, 0), Violation::UnexpectedContinuation);
    row("continuation without FIN", clientHead(0x00, 9), Violation::UnexpectedContinuation);
    row("continuation after a whole message", clientFrame(Opcode::Text, "a") + clientHead(0x80, 1),
        Violation::UnexpectedContinuation);
    row("continuation after a ping", clientFrame(Opcode::Ping, "a") + clientHead(0x80, 1),
        Violation::UnexpectedContinuation);
    row("text in a message", start + clientHead(0x81, 1), Violation::InterruptedMessage);
    row("binary in a message", start + clientHead(0x02, 1), Violation::InterruptedMessage);
    row("text after an empty fragment", clientFrame(Opcode::Text, {}, kMore) + clientHead(0x81, 1),
        Violation::InterruptedMessage);

    row("close of one byte", clientFrame(Opcode::Close, "a"), Violation::InvalidClosePayload);
    for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535}) {
        row(qPrintable(QStringLiteral("close %1").arg(code)),
            clientFrame(Opcode::Close, closePayload(static_cast<quint16>(code))),
            Violation::InvalidClosePayload);
    }
    row("close reason", clientFrame(Opcode::Close, closePayload(1000, "ab\xFF")),
        Violation::InvalidUtf8);
    row("close reason, truncated", clientFrame(Opcode::Close, closePayload(1000, "ab\xE2\x82")),
        Violation::InvalidUtf8);

    row("text", clientFrame(Opcode::Text, "ab\xFF"), Violation::InvalidUtf8);
    row("text, bad in the middle of the frame", clientFrame(Opcode::Text, "ab\xF4\x90zzzzz"),
        Violation::InvalidUtf8, 5);
    row("text, truncated", clientFrame(Opcode::Text, "ab\xE2\x82"), Violation::InvalidUtf8);
    row("text, truncated in fragments", start + clientFrame(Opcode::Continuation, "\xE2\x82"),
        Violation::InvalidUtf8);
    row("text, truncated before an empty fragment",
        clientFrame(Opcode::Text, "\xE2\x82", kMore) + clientFrame(Opcode::Continuation, {}),
        Violation::InvalidUtf8);
    row("text, bad in the middle of a fragment",
        start + clientFrame(Opcode::Continuation, "\xED\xA0zzz", kMore), Violation::InvalidUtf8, 3);
    row("text, bad across fragments",
        clientFrame(Opcode::Text, "\xF0", kMore) + clientFrame(Opcode::Continuation, "\x80z"),
        Violation::InvalidUtf8, 1);
    row("text, bad across fragments and a ping",
        clientFrame(Opcode::Text, "\xE0", kMore) + clientFrame(Opcode::Ping, "p")
            + clientFrame(Opcode::Continuation, "\x9F"),
        Violation::InvalidUtf8);

    row("limit + 1", clientHead(0x82, kLimit + 1), Violation::MessageTooBig);
    row("limit + 1 in fragments",
        clientFrame(Opcode::Binary, patterned(kLimit), kMore) + clientHead(0x80, 1),
        Violation::MessageTooBig);
    row("2^63 - 1", clientHead(0x82, (quint64{1} << 63) - 1), Violation::MessageTooBig);
    row("2^63 - 1 in a continuation", start + clientHead(0x80, (quint64{1} << 63) - 1),
        Violation::MessageTooBig);
}

// Each rule, at the byte that breaks it, and with the same outcome when the whole stream comes in
// one read.
void TestMessageAssembler::everyViolation()
{
    QFETCH(const QByteArray, stream);
    QFETCH(const qsizetype, after);
    QFETCH(const Violation, violation);

    std::optional<Violation> broken;
    QCOMPARE(brokenAtByte(stream, broken), stream.size() - after);
    QVERIFY(broken == violation);

    MessageAssembler assembler(kLimit);
    Recorder recorder;
    QVERIFY(assembler.feed(asSpan(stream), recorder) == violation);
}

// The rows above leave out no row of the table of violations.
void TestMessageAssembler::everyViolationIsTried()
{
    const QList<QByteArray> streams{"\xC1",
                                    "\x83",
                                    QByteArray::fromHex("8101"),
                                    QByteArray::fromHex("81fe0001"),
                                    "\x09",
                                    QByteArray::fromHex("89fe"),
                                    clientHead(0x80, 0),
                                    clientFrame(Opcode::Text, {}, kMore) + clientHead(0x81, 0),
                                    clientFrame(Opcode::Close, "a"),
                                    clientFrame(Opcode::Text, "\xFF"),
                                    clientHead(0x82, kLimit + 1)};
    QSet<int> seen;
    for (const QByteArray &stream : streams) {
        std::optional<Violation> broken;
        brokenAtByte(stream, broken);
        QVERIFY(broken.has_value());
        seen.insert(static_cast<int>(*broken));
    }
    QCOMPARE(seen.size(), kViolationCount);
}

// A client that ends with a mistake has still said what it said before.
void TestMessageAssembler::whatCameBeforeAViolationIsDelivered()
{
    const QByteArray stream = clientFrame(Opcode::Text, "kept") + clientFrame(Opcode::Ping, "p")
                              + clientFrame(Opcode::Text, "\xFF") + clientFrame(Opcode::Text, "x");
    MessageAssembler assembler(kLimit);
    Recorder recorder;
    QVERIFY(assembler.feed(asSpan(stream), recorder) == Violation::InvalidUtf8);
    QCOMPARE(recorder.all, QList<Received>({{Opcode::Text, "kept"}, {Opcode::Ping, "p"}}));
}

void TestMessageAssembler::limitsThatCannotOverflow_data()
{
    QTest::addColumn<quint64>("limit");
    QTest::newRow("2^64 - 1") << std::numeric_limits<quint64>::max();
    QTest::newRow("2^63") << (quint64{1} << 63);
    QTest::newRow("2^63 - 1") << ((quint64{1} << 63) - 1);
}

// No limit, however large, makes sums of lengths wrap.
void TestMessageAssembler::limitsThatCannotOverflow()
{
    QFETCH(const quint64, limit);
    MessageAssembler assembler(limit);
    Recorder recorder;
    const QByteArray stream = clientFrame(Opcode::Binary, "start", kMore)
                              + clientHead(0x80, (quint64{1} << 63) - 1) + "some";
    QVERIFY(assembler.feed(asSpan(stream), recorder) == Violation::MessageTooBig);
    QVERIFY(recorder.all.isEmpty());
}

// After Stop, what follows in the same read is neither delivered nor judged.
void TestMessageAssembler::stopLeavesTheRest()
{
    const QByteArray rest = clientFrame(Opcode::Text, "no") + "\xFF\xFF";
    const QList<QByteArray> firsts{
        clientFrame(Opcode::Text, "last"), clientFrame(Opcode::Close, closePayload(1000)),
        clientFrame(Opcode::Binary, "la", kMore) + clientFrame(Opcode::Continuation, "st")};
    for (const QByteArray &first : firsts) {
        MessageAssembler assembler(kLimit);
        Recorder recorder;
        recorder.stopAfter = 1;
        QVERIFY(!assembler.feed(asSpan(first + rest), recorder));
        QCOMPARE(recorder.all.size(), 1);
    }
}

// A message may end its client, and with it the assembler that is just delivering it (the address
// sanitizer watches).
void TestMessageAssembler::theSinkMayDeleteTheAssembler()
{
    class Deleter : public MessageSink
    {
    public:
        Next messageReceived(Frame) override { return end(); }
        Next controlReceived(Opcode, QByteArrayView) override { return end(); }
        std::unique_ptr<MessageAssembler> assembler = std::make_unique<MessageAssembler>(kLimit);

    private:
        Next end()
        {
            assembler.reset();
            return Next::Stop;
        }
    };
    const QList<QByteArray> streams{
        clientFrame(Opcode::Text, "a"), clientFrame(Opcode::Ping, "a"),
        clientFrame(Opcode::Text, "a", kMore) + clientFrame(Opcode::Ping, "b"),
        clientFrame(Opcode::Text, "a", kMore) + clientFrame(Opcode::Continuation, "b")};
    for (const QByteArray &stream : streams) {
        Deleter deleter;
        QVERIFY(!deleter.assembler->feed(asSpan(stream + "\xFF"), deleter));
        QVERIFY(deleter.assembler == nullptr);
    }
}

RELAY_TEST(TestMessageAssembler)
#include "tst_message_assembler.moc"
