#include "gui/look/quantity_text.h"
#include "gui/plots/plot_widget.h"
#include "support/test_main.h"
#include "widget_application.h"

#include <QImage>
#include <QPainter>
#include <QTest>

#include <algorithm>
#include <cmath>

using namespace relay::gui;

/// The plots: a rendered image has the line where the data say.
class TestPlotWidget : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void lineIsWhereTheDataSay_data();
    void lineIsWhereTheDataSay();
    void holesStayEmpty();
    void scaleHoldsTheLargestOfAllSeries();
    void axisReachesAsFarBackAsTheSamples_data();
    void axisReachesAsFarBackAsTheSamples();
    void hoverShowsACrosshair();
    void emptyPlotCanBePainted();
    void emptyPlotHasAScaleOfItsOwn();
};

namespace {

constexpr double kNow = 1'795'425'657;

std::unique_ptr<PlotWidget> somePlot()
{
    auto plot = std::make_unique<PlotWidget>(
        QList<PlotWidget::SeriesStyle>{{QStringLiteral("one"), Meaning::First},
                                       {QStringLiteral("two"), Meaning::Second}},
        compactText, PlotWidget::Scale{.leastStep = 1, .emptyTop = 4});
    plot->resize(800, 240);
    return plot;
}

QImage rendered(PlotWidget &plot, qreal ratio)
{
    QImage image(plot.size() * ratio, QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(ratio);
    image.fill(plot.palette().color(QPalette::Base));
    plot.render(&image);
    return image;
}

int distance(const QColor &a, const QColor &b)
{
    return std::abs(a.red() - b.red()) + std::abs(a.green() - b.green())
           + std::abs(a.blue() - b.blue());
}

/// Whether the colour is at the point, or beside it: a line covers some pixels only in part, but at
/// least one by four fifths.
bool hasColour(const QImage &image, QPointF point, const QColor &colour)
{
    const int tolerance = distance(image.pixelColor(0, image.height() - 1), colour) * 3 / 10;
    const QPoint centre = (point * image.devicePixelRatio()).toPoint();
    for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) {
            const QPoint pixel = centre + QPoint(dx, dy);
            if (image.rect().contains(pixel)
                && distance(image.pixelColor(pixel), colour) <= tolerance) {
                return true;
            }
        }
    }
    return false;
}

} // namespace

void TestPlotWidget::lineIsWhereTheDataSay_data()
{
    QTest::addColumn<bool>("dark");
    QTest::addColumn<double>("ratio");
    QTest::newRow("light") << false << 1.0;
    QTest::newRow("dark") << true << 1.0;
    QTest::newRow("light at 150 %") << false << 1.5;
    QTest::newRow("dark at 200 %") << true << 2.0;
}

/// Promise: a plot tells the truth, in either palette and at any resolution.
void TestPlotWidget::lineIsWhereTheDataSay()
{
    QFETCH(bool, dark);
    QFETCH(double, ratio);
    applyTheme(*qApp, dark ? Theme::Dark : Theme::Light);
    const auto plot = somePlot();
    for (int second = 0; second <= 600; ++second) {
        // A slope, and a level line below it.
        plot->append(kNow - 600 + second, {400.0 + second, 100.0});
    }
    const QImage image = rendered(*plot, ratio);
    for (const int second : {30, 150, 300, 450, 590}) {
        const double time = kNow - 600 + second;
        QVERIFY(hasColour(image, plot->position(time, 400.0 + second), plot->colour(0)));
        QVERIFY(hasColour(image, plot->position(time, 100), plot->colour(1)));
        // And nowhere else: halfway between both, and above.
        QVERIFY(!hasColour(image, plot->position(time, 250), plot->colour(0)));
        QVERIFY(!hasColour(image, plot->position(time, 250), plot->colour(1)));
        QVERIFY(!hasColour(image, plot->position(time, 600.0 + second), plot->colour(0)));
    }
    QVERIFY(plot->colour(0) != plot->colour(1));
}

/// Promise: time in which nothing was measured is not painted over.
void TestPlotWidget::holesStayEmpty()
{
    applyTheme(*qApp, Theme::Light);
    const auto plot = somePlot();
    for (int second = 0; second <= 600; ++second) {
        if (second < 200 || second > 400) {
            const bool isMeasured = second < 500 || second > 520;
            plot->append(kNow - 600 + second,
                         {isMeasured ? std::optional(50.0) : std::nullopt, 20.0});
        }
    }
    const QImage image = rendered(*plot, 1);
    const auto isPainted = [&](int second, double value, int series) {
        return hasColour(image, plot->position(kNow - 600 + second, value), plot->colour(series));
    };
    QVERIFY(isPainted(150, 50, 0));
    QVERIFY(!isPainted(300, 50, 0));
    QVERIFY(!isPainted(300, 20, 1));
    QVERIFY(isPainted(450, 50, 0));
    QVERIFY(!isPainted(510, 50, 0));
    QVERIFY(isPainted(510, 20, 1));
    QVERIFY(isPainted(560, 50, 0));
}

/// Promise: no series leaves the plot at its top.
void TestPlotWidget::scaleHoldsTheLargestOfAllSeries()
{
    const auto plot = somePlot();
    plot->append(kNow, {1.0, 730.0});
    QVERIFY(plot->position(kNow, 730).y() >= plot->plotArea().top());
    QVERIFY(plot->position(kNow, 730).y() < plot->plotArea().center().y());
    QCOMPARE(plot->position(kNow, 0).y(), plot->plotArea().bottom());
    QCOMPARE(plot->position(kNow, 0).x(), plot->plotArea().right());
}

void TestPlotWidget::axisReachesAsFarBackAsTheSamples_data()
{
    QTest::addColumn<int>("age");
    QTest::addColumn<int>("span");
    QTest::newRow("the first sample") << 0 << 60;
    QTest::newRow("a minute") << 60 << 60;
    QTest::newRow("more") << 61 << 120;
    QTest::newRow("two minutes") << 120 << 120;
    QTest::newRow("more than two") << 121 << 300;
    QTest::newRow("five minutes") << 300 << 300;
    QTest::newRow("more than five") << 301 << 600;
    QTest::newRow("as long as is kept") << 900 << 600;
}

/// Promise: a plot shows all samples that it keeps, and is not mostly empty.
void TestPlotWidget::axisReachesAsFarBackAsTheSamples()
{
    QFETCH(int, age);
    QFETCH(int, span);
    const auto plot = somePlot();
    for (int second = -age; second <= 0; ++second) {
        plot->append(kNow + second, {1.0, 2.0});
    }
    QCOMPARE(plot->spanSeconds(), span);
    QCOMPARE(plot->position(kNow, 0).x(), plot->plotArea().right());
    QCOMPARE(plot->position(kNow - span, 0).x(), plot->plotArea().left());
}

/// Promise: the mouse shows values where there are some, and nothing where there are none.
void TestPlotWidget::hoverShowsACrosshair()
{
    applyTheme(*qApp, Theme::Light);
    const auto plot = somePlot();
    for (int second = 0; second <= 600; ++second) {
        if (second < 50 || second > 300) {
            plot->append(kNow - 600 + second, {10.0, 5.0});
        }
    }
    const auto hoverAt = [&](double time) {
        const QPointF point = plot->position(time, 7);
        QMouseEvent move(QEvent::MouseMove, point, plot->mapToGlobal(point), Qt::NoButton,
                         Qt::NoButton, Qt::NoModifier);
        QCoreApplication::sendEvent(plot.get(), &move);
        return rendered(*plot, 1);
    };
    const QImage without = rendered(*plot, 1);
    QVERIFY(hoverAt(kNow - 100) != without);
    QCOMPARE(hoverAt(kNow - 500), without);
    QVERIFY(hoverAt(kNow) != without);
    QEvent leave(QEvent::Leave);
    QCoreApplication::sendEvent(plot.get(), &leave);
    QCOMPARE(rendered(*plot, 1), without);
}

/// Promise: a relay of which nothing is known yet has an empty plot, not a broken one.
void TestPlotWidget::emptyPlotCanBePainted()
{
    const auto plot = somePlot();
    QVERIFY(!rendered(*plot, 1).isNull());
    plot->resize(plot->minimumSizeHint());
    QVERIFY(plot->plotArea().width() > 0 && plot->plotArea().height() > 0);
    plot->append(kNow, {std::nullopt, std::nullopt});
    QVERIFY(!rendered(*plot, 1).isNull());
}

/// Promise: a plot of latencies does not show seconds while there is no message: the scale is one that values will have.
void TestPlotWidget::emptyPlotHasAScaleOfItsOwn()
{
    PlotWidget plot({{QStringLiteral("p99"), Meaning::First}},
                    [](double seconds) { return latencyText(seconds); },
                    {.leastStep = 0, .emptyTop = 0.001});
    plot.resize(800, 240);
    const auto isTop = [&](double value) {
        return std::abs(plot.position(kNow, value).y() - plot.plotArea().top()) < 1;
    };
    QVERIFY(isTop(0.001));
    for (const std::optional<double> nothing : {std::optional<double>(), std::optional(0.0)}) {
        plot.append(kNow, {nothing});
        QVERIFY(isTop(0.001));
    }
    plot.append(kNow + 1, {0.04});
    QVERIFY(!isTop(0.001));
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestPlotWidget)
#include "tst_plot_widget.moc"
