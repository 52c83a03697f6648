#include "metrics/relay_counters.h"

#include "support/test_main.h"

#include <QTest>

#include <thread>

using namespace relay;
using namespace std::chrono_literals;

/// Numbers that one thread writes and any thread reads.
class TestCounter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsUp();
    void neverRunsBackwardsForAReader();
    void observationFallsIntoItsBucket_data();
    void observationFallsIntoItsBucket();
    void oneObservationCountsForManyReceivers();
    void sumOutlastsAnyUptime();
    void closeCodesHaveTheirOwnPlaces();
    void snapshotSumsEveryNumberOfEveryWorker();
};

/// add() adds exactly what it was given, past 32 bits too.
void TestCounter::countsUp()
{
    Counter counter;
    QCOMPARE(counter.value(), 0ULL);
    counter.add();
    counter.add(0);
    counter.add(0xffff'ffffULL);
    QCOMPARE(counter.value(), 0x1'0000'0000ULL);
}

/// A reader in another thread sees values that only grow, and in the end all that was written.
void TestCounter::neverRunsBackwardsForAReader()
{
    constexpr quint64 kAdditions = 200'000;
    Counter counter;
    std::thread writer([&counter] {
        for (quint64 i = 0; i < kAdditions; ++i) {
            counter.add();
        }
    });
    bool ranBackwards = false;
    quint64 seen = 0;
    while (seen < kAdditions && !ranBackwards) {
        const quint64 value = counter.value();
        ranBackwards = value < seen;
        seen = value;
    }
    writer.join();
    QVERIFY(!ranBackwards);
    QCOMPARE(counter.value(), kAdditions);
}

void TestCounter::observationFallsIntoItsBucket_data()
{
    QTest::addColumn<qint64>("nanoseconds");
    QTest::addColumn<int>("bucket");

    constexpr auto kLast = static_cast<int>(kLatencyBounds.size());
    QTest::newRow("zero") << qint64{0} << 0;
    for (int i = 0; i < kLast; ++i) {
        const qint64 bound = qRound64(kLatencyBounds[static_cast<std::size_t>(i)] * 1e9);
        QTest::addRow("1 ns below bound %d", i) << bound - 1 << i;
        QTest::addRow("at bound %d", i) << bound << i;
        QTest::addRow("1 ns above bound %d", i) << bound + 1 << i + 1;
    }
    QTest::newRow("an hour") << qint64{3'600'000'000'000} << kLast;
}

/// Prometheus' "le" means less or equal: a duration that equals a bound is counted below it.
void TestCounter::observationFallsIntoItsBucket()
{
    QFETCH(const qint64, nanoseconds);
    QFETCH(const int, bucket);

    LatencyHistogram histogram;
    histogram.observe(std::chrono::nanoseconds(nanoseconds));

    const LatencySnapshot snapshot = histogram.snapshot();
    for (std::size_t i = 0; i < snapshot.buckets.size(); ++i) {
        QCOMPARE(snapshot.buckets[i], i == static_cast<std::size_t>(bucket) ? 1ULL : 0ULL);
    }
    QCOMPARE(snapshot.sum, static_cast<double>(nanoseconds) / 1e9);
}

/// A write that served many receivers is one call, and counts as one observation each.
void TestCounter::oneObservationCountsForManyReceivers()
{
    LatencyHistogram histogram;
    histogram.observe(2ms, 1000);
    histogram.observe(20s, 3);
    histogram.observe(1s, 0);

    const LatencySnapshot snapshot = histogram.snapshot();
    QCOMPARE(snapshot.buckets[7], 1000ULL); // (1 ms, 2.5 ms]
    QCOMPARE(snapshot.buckets.back(), 3ULL);
    QCOMPARE(snapshot.buckets[14], 0ULL);
    QCOMPARE(snapshot.sum, 62.0);
}

/// The sum of the latencies of two million deliveries a second for a year is still a sum, not a
/// wrapped remainder.
void TestCounter::sumOutlastsAnyUptime()
{
    LatencyHistogram histogram;
    constexpr quint64 kDeliveriesPerDay = 2'000'000ULL * 86'400;
    for (int day = 0; day < 365; ++day) {
        histogram.observe(10ms, kDeliveriesPerDay);
    }
    QCOMPARE(histogram.snapshot().sum, 365.0 * static_cast<double>(kDeliveriesPerDay) * 0.01);
}

/// Each counted close code has a place of its own; any other code shares the last.
void TestCounter::closeCodesHaveTheirOwnPlaces()
{
    for (std::size_t i = 0; i < kCountedCloseCodes.size(); ++i) {
        QCOMPARE(closeCodeIndex(kCountedCloseCodes[i]), i);
    }
    for (const int other : {0, 999, 1004, 1015, 1016, 3000, 4999, 65535}) {
        QCOMPARE(closeCodeIndex(static_cast<quint16>(other)), kCountedCloseCodes.size());
    }
}

namespace {

/// Visits every number with a different small value, so that one that is left out or mixed up
/// shows.
class DistinctNumbers
{
public:
    explicit DistinctNumbers(quint64 factor)
        : m_factor(factor)
    {}

    template <typename Numbers, typename Visit>
    void visit(Numbers &numbers, const Visit &each)
    {
        const auto one = [&](auto &cell) { each(cell, ++m_index * m_factor); };
        const auto all = [&](auto &cells) {
            for (auto &cell : cells) {
                one(cell);
            }
        };
        one(numbers.connections);
        one(numbers.disconnections);
        all(numbers.disconnectionsByCode);
        one(numbers.messages);
        one(numbers.receivedBytes);
        one(numbers.sentBytes);
        one(numbers.deliveries);
        all(numbers.neverQueued);
        one(numbers.writtenLater);
        all(numbers.dropped);
        one(numbers.queued);
        all(numbers.handshakeFailures);
        all(numbers.limitHits);
        all(numbers.protocolViolations);
        one(numbers.pingsSent);
        one(numbers.inboxPauses);
        one(numbers.turnWaits);
    }

private:
    quint64 m_factor;
    quint64 m_index = 0;
};

} // namespace

/// What two workers counted is in the snapshot, number by number.
void TestCounter::snapshotSumsEveryNumberOfEveryWorker()
{
    RelayCounters first;
    RelayCounters second;
    const auto add = [](Counter &counter, quint64 value) { counter.add(value); };
    DistinctNumbers(1).visit(first, add);
    DistinctNumbers(1000).visit(second, add);
    first.turnSeconds.observe(5us);
    second.turnSeconds.observe(5us, 2);
    first.publishToWrite.observe(5us);
    second.publishToWrite.observe(1s, 2);

    RelaySnapshot snapshot;
    DistinctNumbers(0).visit(snapshot, [](quint64 value, quint64) { QCOMPARE(value, 0ULL); });
    snapshot += first;
    snapshot += second;

    DistinctNumbers(1001).visit(snapshot,
                                [](quint64 value, quint64 expected) { QCOMPARE(value, expected); });
    QCOMPARE(snapshot.turnSeconds.buckets[0], 3ULL);
    QCOMPARE(snapshot.publishToWrite.buckets[0], 1ULL);
    QCOMPARE(snapshot.publishToWrite.buckets[14], 2ULL);
    QCOMPARE(snapshot.publishToWrite.sum, 2.000005);
}

RELAY_TEST(TestCounter)
#include "tst_counter.moc"
