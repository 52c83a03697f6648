#include "hub/batch.h"

#include "support/test_main.h"

#include <QTest>

#include <algorithm>
#include <numeric>

using relay::Batch;
using relay::Chunk;
using relay::Frame;
using relay::Opcode;

namespace {

/// A message that takes that many bytes on the wire, each message of another content.
Chunk messageOf(qsizetype wireBytes)
{
    static char s_content = 'a';
    s_content = s_content == 'z' ? 'a' : static_cast<char>(s_content + 1);
    qsizetype payload = wireBytes - 2;
    payload -= payload > 125 ? 2 : 0;
    payload -= payload > 65535 ? 6 : 0;
    return relay::chunkOf(Frame(Opcode::Binary, QByteArray(payload, s_content)));
}

std::vector<Chunk> messagesOf(const QList<qsizetype> &sizes)
{
    std::vector<Chunk> messages;
    std::transform(sizes.begin(), sizes.end(), std::back_inserter(messages), messageOf);
    return messages;
}

QByteArray joined(std::span<const Chunk> chunks)
{
    QByteArray all;
    for (const Chunk &chunk : chunks) {
        all.append(chunk.bytes);
    }
    return all;
}

QByteArray joined(std::span<const iovec> pieces)
{
    QByteArray all;
    for (const iovec &piece : pieces) {
        all.append(static_cast<const char *>(piece.iov_base),
                   static_cast<qsizetype>(piece.iov_len));
    }
    return all;
}

constexpr qsizetype kCopied = Batch::kMaxCopiedBytes;
constexpr qsizetype kChunk = Batch::kMaxChunkBytes;

} // namespace

class TestBatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cutsIntoChunks_data();
    void cutsIntoChunks();
    void cutsWhereItIsToldTo();
    void refersToWhatIsAlone_data();
    void refersToWhatIsAlone();
    void givesNoMorePiecesThanACallTakes();
};

void TestBatch::cutsIntoChunks_data()
{
    QTest::addColumn<QList<qsizetype>>("frames");
    QTest::addColumn<QList<quint32>>("messages"); // of each chunk
    using Sizes = QList<qsizetype>;
    using Counts = QList<quint32>;
    QTest::newRow("nothing") << Sizes{} << Counts{};
    QTest::newRow("one") << Sizes{10} << Counts{1};
    QTest::newRow("small ones are one piece") << Sizes{10, 2, 90, 10} << Counts{4};
    QTest::newRow("at the copied size") << Sizes{10, kCopied, 10} << Counts{3};
    QTest::newRow("past the copied size") << Sizes{10, kCopied + 1, 10} << Counts{1, 1, 1};
    QTest::newRow("two large ones") << Sizes{70000, 70000} << Counts{1, 1};
    QTest::newRow("runs around a large one")
        << Sizes{10, 10, kCopied + 1, 10, 10, 10} << Counts{2, 1, 3};
    QTest::newRow("exactly a chunk") << Sizes(kChunk / kCopied, kCopied) << Counts{16};
    QTest::newRow("one frame more than a chunk")
        << Sizes(kChunk / kCopied + 1, kCopied) << Counts{16, 1};
    QTest::newRow("a byte more than a chunk")
        << Sizes(Sizes(kChunk / kCopied - 1, kCopied) << kCopied - 2 << 3) << Counts{16, 1};
    QTest::newRow("two chunks") << Sizes(2 * kChunk / kCopied, kCopied) << Counts{16, 16};
}

// Whatever the cut, every member is sent the same bytes in the same order, none lost or doubled.
void TestBatch::cutsIntoChunks()
{
    QFETCH(QList<qsizetype>, frames);
    QFETCH(QList<quint32>, messages);
    const std::vector<Chunk> single = messagesOf(frames);
    const QByteArray wire = joined(single);
    const Batch batch(single);

    QList<quint32> cut;
    for (const Chunk &chunk : batch.chunks()) {
        cut.append(chunk.messages);
        QVERIFY(chunk.messages == 1 || chunk.bytes.size() <= kChunk);
    }
    QCOMPARE(cut, messages);
    QCOMPARE(joined(batch.chunks()), wire);
    QCOMPARE(joined(batch.pieces()), wire);
    QCOMPARE(batch.bytes(), wire.size());
    QCOMPARE(batch.messages(), static_cast<quint32>(frames.size()));
}

// A chunk is dropped as a whole: where clients may queue little, chunks must be small. At the bound,
// one past it, and a message that is longer than it by itself.
void TestBatch::cutsWhereItIsToldTo()
{
    const auto cut = [](const QList<qsizetype> &sizes) {
        QList<quint32> messages;
        const Batch batch(messagesOf(sizes), 100);
        for (const Chunk &chunk : batch.chunks()) {
            messages.append(chunk.messages);
        }
        return messages;
    };
    QCOMPARE(cut({50, 50}), (QList<quint32>{2}));
    QCOMPARE(cut({50, 51}), (QList<quint32>{1, 1}));
    QCOMPARE(cut({10, 101, 10, 10}), (QList<quint32>{1, 1, 2}));
}

void TestBatch::refersToWhatIsAlone_data()
{
    QTest::addColumn<qsizetype>("wireBytes");
    QTest::newRow("small") << qsizetype{10};
    QTest::newRow("large") << qsizetype{1024 * 1024};
}

// Encode once: a message that is not joined to others is never copied, however many it waits for.
void TestBatch::refersToWhatIsAlone()
{
    QFETCH(qsizetype, wireBytes);
    const std::vector<Chunk> single{messageOf(wireBytes)};
    const Batch batch(single);
    QCOMPARE(static_cast<const void *>(batch.chunks().front().bytes.data()),
             static_cast<const void *>(single.front().bytes.data()));
}

// writev(2) takes IOV_MAX (1024) pieces and fails with more; the rest is in the chunks, to be
// queued.
void TestBatch::givesNoMorePiecesThanACallTakes()
{
    const std::vector<Chunk> single =
        messagesOf(QList<qsizetype>(1500, Batch::kMaxCopiedBytes + 1));
    const Batch batch(single);
    QCOMPARE(batch.chunks().size(), std::size_t{1500});
    QVERIFY(!batch.pieces().empty() && batch.pieces().size() <= 1024);
    QVERIFY(joined(batch.chunks()).startsWith(joined(batch.pieces())));
    QCOMPARE(batch.bytes(), joined(single).size());
}

RELAY_TEST(TestBatch)
#include "tst_batch.moc"
