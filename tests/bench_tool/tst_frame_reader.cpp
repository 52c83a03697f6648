#include "frame_reader.h"
#include "handshake.h"
#include "support/test_main.h"

#include <QTest>

using relay::bench::FrameReader;
using relay::bench::kStampBytes;
using relay::bench::MessageStamp;

namespace {

/// A server's frame, as the RFC writes it.
QByteArray frame(int firstByte, const QByteArray &payload)
{
    QByteArray bytes(1, static_cast<char>(firstByte));
    const auto size = static_cast<quint64>(payload.size());
    int lengthBytes = 0;
    if (size < 126) {
        bytes += static_cast<char>(size);
    } else {
        lengthBytes = size <= 0xFFFF ? 2 : 8;
        bytes += static_cast<char>(lengthBytes == 2 ? 126 : 127);
    }
    for (int i = lengthBytes - 1; i >= 0; --i) {
        bytes += static_cast<char>(size >> (8 * i));
    }
    return bytes + payload;
}

QByteArray stamped(quint64 sequence, qsizetype size)
{
    QByteArray payload(size, '.');
    relay::bench::writeStamp(payload.data(), MessageStamp{.run = 0xDEADBEEF,
                                                          .publisher = 7,
                                                          .sequence = sequence,
                                                          .due = 0x0123456789ABCDEF});
    return payload;
}

/// What the reader found in `pieces`, a line each.
QByteArrayList framesOf(const QByteArrayList &pieces)
{
    FrameReader reader;
    QByteArrayList events;
    for (QByteArray piece : pieces) {
        piece.detach(); // a buffer of its own, so that a reader that looks back into the last one
                        // is caught
        std::span<const char> input(piece.constData(), static_cast<std::size_t>(piece.size()));
        while (true) {
            const FrameReader::Event event = reader.next(input);
            const std::span<const char> control = reader.controlPayload();
            const QByteArray payload(control.data(), static_cast<qsizetype>(control.size()));
            if (event == FrameReader::Event::NeedMore) {
                break;
            }
            if (event == FrameReader::Event::Violation) {
                return events << QByteArray("violation: ") + reader.violation();
            }
            if (event == FrameReader::Event::Ping) {
                events << "ping " + payload;
            } else if (event == FrameReader::Event::Pong) {
                events << "pong " + payload;
            } else if (event == FrameReader::Event::Close) {
                events << "close " + QByteArray::number(reader.closeCode());
            } else if (!reader.hasStamp()) {
                events << "short " + QByteArray::number(quint64{reader.messageBytes()});
            } else {
                const MessageStamp stamp = reader.stamp();
                const bool isIntact = stamp.run == 0xDEADBEEF && stamp.publisher == 7
                                      && stamp.due == 0x0123456789ABCDEF;
                events << (isIntact ? "message " : "torn message ")
                              + QByteArray::number(quint64{stamp.sequence}) + " of "
                              + QByteArray::number(quint64{reader.messageBytes()});
            }
        }
    }
    return events;
}

} // namespace

class TestFrameReader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsAtEverySplit_data();
    void readsAtEverySplit();
    void refuses_data();
    void refuses();
    void keepsTheFront();
    void stampsKeepEveryBit();
    void judgesHandshakes_data();
    void judgesHandshakes();
};

void TestFrameReader::readsAtEverySplit_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArrayList>("events");

    const QByteArray whole = stamped(5, 64);
    QTest::addRow("one message") << frame(0x81, whole) << QByteArrayList{"message 5 of 64"};
    QTest::addRow("binary") << frame(0x82, whole) << QByteArrayList{"message 5 of 64"};
    QTest::addRow("nothing but a stamp")
        << frame(0x81, stamped(5, kStampBytes)) << QByteArrayList{"message 5 of 48"};
    QTest::addRow("three in a row")
        << frame(0x81, stamped(1, 64)) + frame(0x81, stamped(2, 125)) + frame(0x81, stamped(3, 126))
        << QByteArrayList{"message 1 of 64", "message 2 of 125", "message 3 of 126"};
    QTest::addRow("with a longer length, behind a shorter one")
        << frame(0x81, stamped(1, 300)) + frame(0x81, stamped(2, 64))
        << QByteArrayList{"message 1 of 300", "message 2 of 64"};
    QTest::addRow("too short for a stamp")
        << frame(0x81, "0123") + frame(0x81, "") + frame(0x81, whole)
        << QByteArrayList{"short 4", "short 0", "message 5 of 64"};
    QTest::addRow("fragments, a stamp across them, a ping between")
        << frame(0x01, whole.left(20)) + frame(0x89, "hi") + frame(0x00, whole.mid(20, 30))
               + frame(0x80, whole.mid(50)) + frame(0x81, stamped(6, 70))
        << QByteArrayList{"ping hi", "message 5 of 64", "message 6 of 70"};
    QTest::addRow("empty fragments around the whole")
        << frame(0x01, "") + frame(0x00, whole) + frame(0x80, "")
        << QByteArrayList{"message 5 of 64"};
    QTest::addRow("control frames")
        << frame(0x89, "") + frame(0x8A, QByteArray(125, 'p'))
               + frame(0x88, "\x03\xE8"
                             "bye")
        << QByteArrayList{"ping ", "pong " + QByteArray(125, 'p'), "close 1000"};
    QTest::addRow("a close without a code") << frame(0x88, "") << QByteArrayList{"close 1005"};
}

// However the kernel cuts the stream, the same is found in it.
void TestFrameReader::readsAtEverySplit()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QByteArrayList, events);
    QCOMPARE(framesOf({bytes}), events);
    for (qsizetype split = 0; split <= bytes.size(); ++split) {
        QCOMPARE(framesOf({bytes.left(split), bytes.mid(split)}), events);
    }
    QByteArrayList single;
    for (const char byte : bytes) {
        single << QByteArray(1, byte);
    }
    QCOMPARE(framesOf(single), events);
}

void TestFrameReader::refuses_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addRow("a reserved bit") << frame(0xC1, "");
    QTest::addRow("an unknown opcode") << frame(0x83, "");
    QTest::addRow("an unknown control opcode") << frame(0x8B, "");
    QTest::addRow("a mask") << QByteArray("\x81\x80\0\0\0\0", 6);
    QTest::addRow("a continuation of nothing") << frame(0x80, "");
    QTest::addRow("a message inside a message") << frame(0x01, "a") + frame(0x81, "b");
    QTest::addRow("a fragmented ping") << frame(0x09, "");
    QTest::addRow("a long ping") << frame(0x89, QByteArray(126, 'p'));
    QTest::addRow("half a close code") << frame(0x88, "\x03");
}

// A server that breaks the protocol is told of, not counted as if it had spoken well.
void TestFrameReader::refuses()
{
    QFETCH(QByteArray, bytes);
    for (qsizetype split = 0; split <= bytes.size(); ++split) {
        const QByteArrayList events = framesOf({bytes.left(split), bytes.mid(split)});
        QCOMPARE(events.size(), 1);
        QVERIFY(events.first().startsWith("violation: "));
    }
}

// The front of a message is there whatever the split, up to what is kept; a head line is read from
// it.
void TestFrameReader::keepsTheFront()
{
    constexpr auto kKept = static_cast<qsizetype>(FrameReader::kKeptBytes);
    for (const qsizetype size : {qsizetype{1}, kKept - 1, kKept, kKept + 1, 3 * kKept}) {
        QByteArray payload(size, '\0');
        for (qsizetype i = 0; i < size; ++i) {
            payload[i] = static_cast<char>(i % 251);
        }
        const QByteArray bytes = frame(0x82, payload);
        for (qsizetype split = 0; split <= bytes.size(); ++split) {
            FrameReader reader;
            FrameReader::Event event = FrameReader::Event::NeedMore;
            QByteArray piece;
            for (const QByteArray &part : {bytes.left(split), bytes.mid(split)}) {
                piece = part;
                std::span<const char> input(piece.constData(),
                                            static_cast<std::size_t>(piece.size()));
                event = event == FrameReader::Event::NeedMore ? reader.next(input) : event;
            }
            QCOMPARE(event, FrameReader::Event::Message);
            if (split == bytes.size()) {
                continue; // its buffer is gone: the message was complete in the first part
            }
            const QByteArray front(reader.front().data(),
                                   static_cast<qsizetype>(reader.front().size()));
            QVERIFY(front.size() >= std::min(size, kKept));
            QVERIFY(payload.startsWith(front));
        }
    }
}

// Every digit of every field comes back.
void TestFrameReader::stampsKeepEveryBit()
{
    for (int bit = 0; bit < 63; ++bit) {
        const quint64 value = quint64{1} << bit;
        const MessageStamp stamp{.run = static_cast<std::uint32_t>(value >> 31),
                                 .publisher = static_cast<std::uint32_t>(value),
                                 .sequence = ~value,
                                 .due = static_cast<qint64>(value)};
        std::array<char, kStampBytes> bytes{};
        relay::bench::writeStamp(bytes.data(), stamp);
        const MessageStamp read = relay::bench::readStamp(bytes.data());
        QCOMPARE(read.run, stamp.run);
        QCOMPARE(read.publisher, stamp.publisher);
        QCOMPARE(read.sequence, stamp.sequence);
        QCOMPARE(read.due, stamp.due);
    }
}

void TestFrameReader::judgesHandshakes_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("refusal");
    QTest::addColumn<bool>("wantsPositions");
    const QByteArray accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const QByteArray status = "HTTP/1.1 101 Switching Protocols\r\n";
    const auto row = [](const char *name, const QByteArray &head, const char *refusal,
                        bool wantsPositions = false) {
        QTest::addRow("%s", name) << head << QByteArray(refusal) << wantsPositions;
    };
    row("good", status + "Upgrade: websocket\r\n" + accept, "");
    row("names in any case", status + "sEC-wEBSOCKET-aCCEPT:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t\r\nX: y",
        "");
    row("403", "HTTP/1.1 403 Forbidden\r\nX: 101", "HTTP/1.1 403 Forbidden");
    row("another key's answer",
        status + "Sec-WebSocket-Accept: c3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Accept");
    row("no answer to the key", status + "Upgrade: websocket", "Accept");
    row("an extension nobody offered",
        status + accept + "\r\nSec-WebSocket-Extensions: permessage-deflate", "extension");
    row("not HTTP", "SSH-2.0-OpenSSH", "HTTP");
    row("nothing", "", "HTTP");
    row("relay.meta", status + accept + "\r\nSec-WebSocket-Protocol: relay.meta", "", true);
    row("no relay.meta", status + accept, "relay.meta", true);
}

// Only the server's own answer to the upgrade counts as a connection, and a refusal shows its
// status line.
void TestFrameReader::judgesHandshakes()
{
    QFETCH(QByteArray, head);
    QFETCH(QByteArray, refusal);
    QFETCH(bool, wantsPositions);
    const auto got = relay::bench::upgradeRefusal(
        std::string_view(head.constData(), static_cast<std::size_t>(head.size())), wantsPositions);
    QCOMPARE(got.has_value(), !refusal.isEmpty());
    QVERIFY(QByteArray::fromStdString(got.value_or("")).contains(refusal));
}

RELAY_TEST(TestFrameReader)
#include "tst_frame_reader.moc"
