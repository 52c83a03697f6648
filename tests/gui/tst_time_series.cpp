#include "gui/plots/time_series.h"
#include "support/test_main.h"

#include <QTest>

#include <limits>

using namespace relay::gui;
using namespace std::chrono_literals;

/// The latest values of a quantity.
class TestTimeSeries : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsTheSpanAndNotMore();
    void isBoundedHoweverFastSamplesCome();
    void aClockSetBackLeavesNoDisorder();
    void whatIsNoNumberWasNotMeasured();
    void runsEndAtHoles();
    void nearestIsWithinReach_data();
    void nearestIsWithinReach();
};

/// Promise: a sample of exactly the span's age is still shown, an older one is not.
void TestTimeSeries::keepsTheSpanAndNotMore()
{
    TimeSeries series(10s);
    for (int time = 0; time <= 10; ++time) {
        series.append(time, time);
    }
    QCOMPARE(series.samples().size(), std::size_t{11});
    series.append(11, 3);
    QCOMPARE(series.samples().front().time, 1.0);
    QCOMPARE(series.largest(), std::optional(10.0));
    series.append(100, 3);
    QCOMPARE(series.samples().size(), std::size_t{1});
    QCOMPARE(series.largest(), std::optional(3.0));
}

/// Promise: memory is bounded by a count, too.
void TestTimeSeries::isBoundedHoweverFastSamplesCome()
{
    TimeSeries series(10s);
    for (std::size_t i = 0; i <= TimeSeries::kMaxSamples; ++i) {
        series.append(1 + static_cast<double>(i) * 1e-6, static_cast<double>(i));
    }
    QCOMPARE(series.samples().size(), TimeSeries::kMaxSamples);
    QCOMPARE(series.samples().front().value, std::optional(1.0));
}

/// Promise: samples are in the order of their times, whatever the clock does; and what is measured
/// after it was set back is shown, not only when it has caught up.
void TestTimeSeries::aClockSetBackLeavesNoDisorder()
{
    using Samples = std::deque<TimeSeries::Sample>;
    TimeSeries series(10s);
    series.append(3, 1.0);
    series.append(5, 2.0);
    series.append(4, 3.0);
    QCOMPARE(series.samples(), (Samples{{3, 1.0}, {4, 3.0}}));
    series.append(4, 4.0);
    QCOMPARE(series.samples(), (Samples{{3, 1.0}, {4, 3.0}, {4, 4.0}}));
    series.append(-3600, 5.0);
    QCOMPARE(series.samples(), (Samples{{-3600, 5.0}}));
}

/// Promise: a scale is never made of infinity.
void TestTimeSeries::whatIsNoNumberWasNotMeasured()
{
    TimeSeries series(10s);
    series.append(1, std::numeric_limits<double>::infinity());
    series.append(2, std::numeric_limits<double>::quiet_NaN());
    QCOMPARE(series.largest(), std::optional<double>());
    QVERIFY(series.runs(5).isEmpty());
}

/// Promise: a line is not drawn through time in which nothing was measured.
void TestTimeSeries::runsEndAtHoles()
{
    TimeSeries series(100s);
    series.append(1, 1.0);
    series.append(3, 2.0);          // exactly the longest step: one run
    series.append(5.5, 3.0);        // past it
    series.append(6, std::nullopt); // not measured
    series.append(6.5, 4.0);
    const auto runs = series.runs(2);
    QCOMPARE(runs.size(), 3);
    QCOMPARE(runs[0].size(), 2);
    QCOMPARE(runs[1].first().value, std::optional(3.0));
    QCOMPARE(runs[2].first().value, std::optional(4.0));
}

void TestTimeSeries::nearestIsWithinReach_data()
{
    QTest::addColumn<double>("time");
    QTest::addColumn<double>("found"); // 0: nothing
    QTest::newRow("far before") << 5.0 << 0.0;
    QTest::newRow("just in reach, before") << 8.0 << 10.0;
    QTest::newRow("on it") << 10.0 << 10.0;
    QTest::newRow("nearer to the first") << 10.9 << 10.0;
    QTest::newRow("nearer to the second") << 11.1 << 12.0;
    QTest::newRow("just in reach, behind") << 14.0 << 12.0;
    QTest::newRow("far behind") << 14.1 << 0.0;
}

/// Promise: what is shown under the mouse was measured there.
void TestTimeSeries::nearestIsWithinReach()
{
    QFETCH(double, time);
    QFETCH(double, found);
    TimeSeries series(100s);
    series.append(10, 1.0);
    series.append(12, 2.0);
    const TimeSeries::Sample *nearest = series.nearest(time, 2);
    QCOMPARE(nearest != nullptr ? nearest->time : 0.0, found);
    QCOMPARE(TimeSeries(10s).nearest(time, 2), nullptr);
}

RELAY_TEST(TestTimeSeries)
#include "tst_time_series.moc"
