#include "gui/plots/nice_ticks.h"
#include "support/test_main.h"

#include <QTest>

#include <cmath>
#include <limits>

using namespace relay::gui;

/// Where the axes of plots have their ticks.
class TestNiceTicks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tableHolds_data();
    void tableHolds();
    void everyScaleIsCoveredWithFewRoundSteps();
};

void TestNiceTicks::tableHolds_data()
{
    QTest::addColumn<double>("largest");
    QTest::addColumn<int>("most");
    QTest::addColumn<double>("least");
    QTest::addColumn<double>("step");
    QTest::addColumn<double>("top");
    const auto row = [](const char *name, double largest, int most, double least, double step,
                        double top) {
        QTest::newRow(name) << largest << most << least << step << top;
    };
    row("ten in four", 10, 4, 0, 5, 10);
    row("exactly four steps", 4, 4, 0, 1, 4);
    row("a hair over four steps", 4.001, 4, 0, 2, 6);
    row("eight", 8, 4, 0, 2, 8);
    row("eight and a half", 8.5, 4, 0, 5, 10);
    row("tenths, which binary cannot hold", 0.3, 3, 0, 0.1, 0.3);
    row("latencies", 0.00042, 4, 0, 0.0002, 0.0006);
    row("hundreds of thousands", 123456, 4, 0, 50000, 150000);
    row("one client of which there is no half", 1, 4, 1, 1, 1);
    row("two clients", 2, 4, 1, 1, 2);
    row("nothing was measured", 0, 4, 0, 0.5, 1);
    row("nobody is there", 0, 4, 1, 1, 1);
    row("less than nothing", -5, 4, 1, 1, 1);
    row("infinite", std::numeric_limits<double>::infinity(), 4, 1, 1, 1);
    row("no number", std::nan(""), 4, 1, 1, 1);
    row("no step allowed is one step", 7, 0, 0, 10, 10);
}

/// Promise: ticks are at 1, 2 or 5 times a power of ten, and the largest value lies below the top.
void TestNiceTicks::tableHolds()
{
    QFETCH(double, largest);
    QFETCH(int, most);
    QFETCH(double, least);
    QFETCH(double, step);
    QFETCH(double, top);
    const Ticks ticks = niceTicks(largest, most, least);
    QVERIFY2(std::abs(ticks.step - step) < step * 1e-9, qPrintable(QString::number(ticks.step)));
    QVERIFY2(std::abs(ticks.top - top) < top * 1e-9, qPrintable(QString::number(ticks.top)));
    QCOMPARE(ticks.values.first(), 0.0);
    QCOMPARE(ticks.values.last(), ticks.top);
}

/// Promise: whatever is measured, from a microsecond to billions, the axis shows it whole, with
/// neither a crowd of ticks nor mostly empty space.
void TestNiceTicks::everyScaleIsCoveredWithFewRoundSteps()
{
    double largest = 1e-6;
    while (largest < 1e10) {
        largest *= 1.07;
        const Ticks ticks = niceTicks(largest, 4);
        const qsizetype steps = ticks.values.size() - 1;
        QVERIFY(ticks.top >= largest * (1 - 1e-9));
        QVERIFY2(steps >= 1 && steps <= 4, qPrintable(QString::number(largest)));
        QVERIFY2(ticks.top - ticks.step < largest, "the topmost step is empty");
        const double leading = ticks.step / std::pow(10, std::floor(std::log10(ticks.step) + 1e-9));
        const double nearest = std::round(leading);
        QVERIFY(std::abs(leading - nearest) < 1e-6);
        QVERIFY(nearest == 1 || nearest == 2 || nearest == 5);
    }
}

RELAY_TEST(TestNiceTicks)
#include "tst_nice_ticks.moc"
