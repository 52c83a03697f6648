#include "histogram.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <random>

using relay::bench::Histogram;
using relay::bench::kMillisecond;
using relay::bench::Nanoseconds;

class TestHistogram : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void percentilesOfSortedSamples_data();
    void percentilesOfSortedSamples();
    void exactBelowTheFirstDoubling();
    void edgesOfBuckets();
    void isEmpty();
    void clampsWhatItCannotHold();
    void mergesAsIfOne();
    void countsBetweenPowersOfTwo();
};

/// The oracle: sort, and take the one at the rank.
static Nanoseconds sortedPercentile(std::vector<Nanoseconds> samples, double fraction)
{
    std::sort(samples.begin(), samples.end());
    const auto rank = static_cast<std::size_t>(
        std::max(1.0, std::ceil(fraction * static_cast<double>(samples.size()))));
    return samples[rank - 1];
}

void TestHistogram::percentilesOfSortedSamples_data()
{
    QTest::addColumn<int>("samples");
    QTest::addColumn<double>("scale");
    for (const int samples : {1, 2, 3, 99, 100, 101, 1000, 20000}) {
        for (const double scale : {1e2, 1e4, 1e6, 1e9}) {
            QTest::addRow("%d samples around %g ns", samples, scale) << samples << scale;
        }
    }
}

// A percentile is never below the true one, and at most 1/64 above it.
void TestHistogram::percentilesOfSortedSamples()
{
    QFETCH(int, samples);
    QFETCH(double, scale);
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    std::lognormal_distribution<double> spread(0, 1.5);

    Histogram histogram;
    std::vector<Nanoseconds> all;
    for (int i = 0; i < samples; ++i) {
        all.push_back(
            std::min(Histogram::kLongest, static_cast<Nanoseconds>(scale * spread(random))));
        histogram.add(all.back());
    }
    for (const double fraction : {0.0, 0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const Nanoseconds truth = sortedPercentile(all, fraction);
        const Nanoseconds got = histogram.percentile(fraction);
        const QByteArray at = QByteArray::number(fraction) + ": " + QByteArray::number(qint64{got})
                              + " for " + QByteArray::number(qint64{truth}) + ", seed "
                              + QByteArray::number(seed);
        QVERIFY2(got >= truth, at.constData());
        QVERIFY2(got <= truth + truth / 64, at.constData());
    }
    QCOMPARE(histogram.max(), *std::max_element(all.begin(), all.end()));
    QCOMPARE(histogram.count(), static_cast<std::uint64_t>(samples));
}

// Up to 128 ns a bucket is one nanosecond.
void TestHistogram::exactBelowTheFirstDoubling()
{
    for (Nanoseconds value = 0; value < 128; ++value) {
        Histogram histogram;
        histogram.add(value);
        histogram.add(Histogram::kLongest); // so that max() does not hide the bucket's end
        QCOMPARE(histogram.percentile(0.5), value);
    }
}

// At every power of two, one below and one above: the bucket's end is at least the value, and close
// to it.
void TestHistogram::edgesOfBuckets()
{
    for (int bit = 1; bit < 42; ++bit) {
        for (const Nanoseconds offset : {-1, 0, 1}) {
            const Nanoseconds value = (Nanoseconds{1} << bit) + offset;
            Histogram histogram;
            histogram.add(value);
            histogram.add(Histogram::kLongest);
            const Nanoseconds got = histogram.percentile(0.5);
            QVERIFY2(got >= value && got <= value + value / 64,
                     QByteArray::number(bit).constData());
        }
    }
}

void TestHistogram::isEmpty()
{
    const Histogram histogram;
    QCOMPARE(histogram.count(), std::uint64_t{0});
    QCOMPARE(histogram.percentile(0.99), Nanoseconds{0});
    QCOMPARE(histogram.max(), Nanoseconds{0});
}

// A clock that seems to go back, or a sample beyond an hour, is counted and does not write
// elsewhere.
void TestHistogram::clampsWhatItCannotHold()
{
    Histogram histogram;
    histogram.add(-5);
    histogram.add(Histogram::kLongest + 1);
    histogram.add(INT64_MAX);
    QCOMPARE(histogram.count(), std::uint64_t{3});
    QCOMPARE(histogram.percentile(0.1), Nanoseconds{0});
    QCOMPARE(histogram.max(), Histogram::kLongest);
}

// Workers' histograms added up say the same as one that saw all.
void TestHistogram::mergesAsIfOne()
{
    std::mt19937 random(7);
    std::uniform_int_distribution<Nanoseconds> values(0, 10 * kMillisecond);
    Histogram whole;
    std::array<Histogram, 3> parts;
    for (std::size_t i = 0; i < 3000; ++i) {
        const Nanoseconds value = values(random);
        whole.add(value);
        parts[i % parts.size()].add(value);
    }
    Histogram merged;
    for (const Histogram &part : parts) {
        merged.merge(part);
    }
    QCOMPARE(merged.count(), whole.count());
    QCOMPARE(merged.max(), whole.max());
    for (const double fraction : {0.5, 0.9, 0.99, 0.999}) {
        QCOMPARE(merged.percentile(fraction), whole.percentile(fraction));
    }
}

// The rows of the plot leave no sample out and count none twice.
void TestHistogram::countsBetweenPowersOfTwo()
{
    Histogram histogram;
    for (const Nanoseconds value : {0, 1, 1023, 1024, 1025, 2047, 2048, 5000}) {
        histogram.add(value);
    }
    QCOMPARE(histogram.countBetween(-1, 1023), std::uint64_t{3});
    QCOMPARE(histogram.countBetween(1023, 2047), std::uint64_t{3});
    QCOMPARE(histogram.countBetween(2047, 8191), std::uint64_t{2});
}

RELAY_TEST(TestHistogram)
#include "tst_histogram.moc"
