#include "hub/batch.h"
#include "hub/outbox.h"

#include "support/test_main.h"

#include <QTest>

#include <array>
#include <vector>

using relay::Batch;
using relay::Chunk;
using relay::Clock;
using relay::Frame;
using relay::Opcode;
using relay::Outbox;

namespace {

std::vector<Chunk> messages(int count, qsizetype payloadBytes)
{
    const Frame frame(Opcode::Text, QByteArray(payloadBytes, 'x'));
    return {static_cast<std::size_t>(count), relay::chunkOf(frame)};
}

} // namespace

/// What the fan-out costs apart from its system calls: per turn (Batch) and per client that is slow
/// (Outbox).
class BenchHub : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void batch_data();
    void batch();
    void outboxOfOne();
    void outboxOfMany_data();
    void outboxOfMany();
};

void BenchHub::batch_data()
{
    QTest::addColumn<int>("frames");
    QTest::addColumn<qsizetype>("payloadBytes");
    QTest::addColumn<std::size_t>("pieces");
    QTest::newRow("1 frame of 64 B") << 1 << qsizetype{64} << std::size_t{1};
    QTest::newRow("40 frames of 64 B") << 40 << qsizetype{64} << std::size_t{1};
    QTest::newRow("4 frames of 16 KiB") << 4 << qsizetype{16384} << std::size_t{4};
}

// A turn's messages, cut into pieces: once a turn, whatever the number of members.
void BenchHub::batch()
{
    QFETCH(int, frames);
    QFETCH(qsizetype, payloadBytes);
    QFETCH(std::size_t, pieces);
    const std::vector<Chunk> turn = messages(frames, payloadBytes);
    std::size_t made = 0;
    QBENCHMARK {
        const Batch batch(turn);
        made = batch.pieces().size();
    }
    QCOMPARE(made, pieces);
}

// A client that was slow for one turn: one chunk waits, and is written when there is room.
void BenchHub::outboxOfOne()
{
    const Batch batch(messages(40, 64));
    const Chunk &chunk = batch.chunks().front();
    Outbox outbox(1 << 20);
    std::array<iovec, 64> pieces{};
    QBENCHMARK {
        outbox.pushBegun(chunk, 100);
        outbox.consume(outbox.gather(pieces).bytes);
    }
    QVERIFY(outbox.isEmpty());
}

void BenchHub::outboxOfMany_data()
{
    QTest::addColumn<int>("chunks");
    QTest::newRow("64 chunks, one write") << 64;
    QTest::newRow("1,024 chunks, 16 writes") << 1024;
}

// A client that catches up after many turns: all is queued, then written as the kernel takes it.
void BenchHub::outboxOfMany()
{
    QFETCH(int, chunks);
    const Batch batch(messages(1, 64));
    const Chunk &chunk = batch.chunks().front();
    Outbox outbox(1 << 20);
    std::array<iovec, 64> pieces{};
    const auto now = Clock::now();
    int refused = 0;
    QBENCHMARK {
        for (int i = 0; i < chunks; ++i) {
            refused += outbox.push(chunk, now) == Outbox::Push::Refused ? 1 : 0;
        }
        while (!outbox.isEmpty()) {
            outbox.consume(outbox.gather(pieces).bytes);
        }
    }
    QCOMPARE(refused, 0);
}

RELAY_TEST(BenchHub)
#include "bench_hub.moc"
