#pragma once

#include "gui/look/theme.h"
#include "gui/plots/nice_ticks.h"
#include "gui/plots/time_series.h"

#include <QWidget>

#include <functional>
#include <optional>
#include <vector>

namespace relay::gui {

/// One or more quantities over the last ten minutes, as lines on one scale.
///
/// The newest sample stands at the right edge; where samples are missing the lines have gaps. While
/// there are few samples the axis is shorter, so that the lines fill it. Under the mouse the nearest
/// sample's time and values are shown. Colours come from the palette. Plots of the same size have the same plot area,
/// whatever their series and values are, unless a label is unusually long.
/// Thread: the window's.
/// Limits: TimeSeries'.
class PlotWidget : public QWidget
{
    Q_OBJECT

public:
    static constexpr std::chrono::seconds kLongestSpan{600};
    /// Without a sample for longer there is a gap: one comes each second, and may be late.
    static constexpr double kMaxStepSeconds = 3.5;

    struct SeriesStyle
    {
        QString name;
        Meaning colour = Meaning::First;
    };
    /// How a value is written on the axis and under the mouse.
    using ValueText = std::function<QString(double)>;

    /// How the axis of values is chosen.
    struct Scale
    {
        double leastStep = 0; ///< between ticks; 1 for a count, which has no halves
        double emptyTop = 1;  ///< the axis' largest value while there are no values, or only zeros
    };

    PlotWidget(QList<SeriesStyle> series,
               ValueText valueText,
               Scale scale,
               QWidget *parent = nullptr);

    /// One value for each series, in order; `time` in seconds since 1970.
    void append(double time, const QList<std::optional<double>> &values);
    /// Time goes on without a measurement. Does nothing before the first sample.
    void appendNothing(double time);

    [[nodiscard]] const TimeSeries &series(int index) const;
    /// Where a value is drawn.
    [[nodiscard]] QPointF position(double time, double value) const;
    [[nodiscard]] QColor colour(int series) const;
    /// Where the lines are drawn.
    [[nodiscard]] QRectF plotArea() const;
    /// How far back the axis reaches: a minute, two, five or ten.
    [[nodiscard]] int spanSeconds() const;

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void leaveEvent(QEvent *event) override;

private:
    struct Series
    {
        SeriesStyle style;
        TimeSeries data;
    };

    void updateScale();
    [[nodiscard]] qreal legendHeight() const;
    void paintValueAxis(QPainter &painter) const;
    void paintTimeAxis(QPainter &painter) const;
    void paintSeries(QPainter &painter, const Series &one, bool isFilled) const;
    void paintLegend(QPainter &painter) const;
    void paintHover(QPainter &painter) const;
    void paintValues(QPainter &painter, double time, qreal x) const;

    std::vector<Series> m_series;
    ValueText m_valueText;
    Scale m_scale;
    double m_now = 0; ///< the right edge
    Ticks m_ticks{1, {0, 1}, 1};
    std::optional<qreal> m_mouseX;
};

} // namespace relay::gui
