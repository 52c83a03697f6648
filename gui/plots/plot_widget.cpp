#include "gui/plots/plot_widget.h"

#include "gui/look/quantity_text.h"

#include <QLinearGradient>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <array>
#include <utility>

namespace relay::gui {

namespace {

constexpr int kMostSteps = 4;
/// Seconds; the shortest that holds all samples is shown.
struct TimeAxis
{
    int span;
    int step; ///< between ticks
};
constexpr std::array<TimeAxis, 4> kTimeAxes{{{60, 15}, {120, 30}, {300, 60}, {600, 120}}};
static_assert(kTimeAxes.back().span == PlotWidget::kLongestSpan.count());

constexpr qreal kLineWidth = 1.6;
/// As wide as the labels of most axes: the plot areas of neighbours begin at the same place.
const QString kUsualLabel = QStringLiteral("88.8 k/s");

/// The colour, more transparent: grid lines and fills stay in the background.
QColor faded(QColor colour, double opacity)
{
    colour.setAlphaF(static_cast<float>(opacity));
    return colour;
}

const TimeAxis &timeAxisOf(const TimeSeries &data)
{
    const double age =
        data.isEmpty() ? 0 : data.samples().back().time - data.samples().front().time;
    const auto *const axis = std::find_if(kTimeAxes.begin(), kTimeAxes.end(),
                                          [age](const TimeAxis &one) { return age <= one.span; });
    return axis == kTimeAxes.end() ? kTimeAxes.back() : *axis;
}

/// A pixel's middle, so that thin lines are sharp.
qreal sharp(qreal coordinate)
{
    return std::floor(coordinate) + 0.5;
}

} // namespace

PlotWidget::PlotWidget(QList<SeriesStyle> series, ValueText valueText, Scale scale, QWidget *parent)
    : QWidget(parent)
    , m_valueText(std::move(valueText))
    , m_scale(scale)
{
    for (SeriesStyle &style : series) {
        m_series.push_back({std::move(style), TimeSeries(kLongestSpan)});
    }
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    updateScale();
}

void PlotWidget::append(double time, const QList<std::optional<double>> &values)
{
    Q_ASSERT(values.size() == static_cast<qsizetype>(m_series.size()));
    for (std::size_t i = 0; i < m_series.size(); ++i) {
        m_series[i].data.append(time, values[static_cast<qsizetype>(i)]);
    }
    m_now = time;
    updateScale();
    update();
}

void PlotWidget::appendNothing(double time)
{
    if (!m_series.front().data.isEmpty()) {
        append(time, QList<std::optional<double>>(static_cast<qsizetype>(m_series.size())));
    }
}

const TimeSeries &PlotWidget::series(int index) const
{
    return m_series[static_cast<std::size_t>(index)].data;
}

QColor PlotWidget::colour(int series) const
{
    return colourOf(m_series[static_cast<std::size_t>(series)].style.colour, palette());
}

void PlotWidget::updateScale()
{
    double largest = 0;
    for (const Series &one : m_series) {
        largest = std::max(largest, one.data.largest().value_or(0));
    }
    m_ticks = niceTicks(largest > 0 ? largest : m_scale.emptyTop, kMostSteps, m_scale.leastStep);
}

// Geometry

QSize PlotWidget::sizeHint() const
{
    const QFontMetrics metrics = fontMetrics();
    return {metrics.averageCharWidth() * 60, metrics.height() * 9};
}

QSize PlotWidget::minimumSizeHint() const
{
    const QFontMetrics metrics = fontMetrics();
    return {metrics.averageCharWidth() * 30, metrics.height() * 6};
}

qreal PlotWidget::legendHeight() const
{
    return fontMetrics().height() * 1.3;
}

QRectF PlotWidget::plotArea() const
{
    const QFontMetrics metrics = fontMetrics();
    int labels = metrics.horizontalAdvance(kUsualLabel);
    for (const double value : m_ticks.values) {
        labels = std::max(labels, metrics.horizontalAdvance(m_valueText(value)));
    }
    const qreal gap = metrics.averageCharWidth();
    // The label of the right edge is centred under it.
    const qreal right = metrics.horizontalAdvance(tr("now")) / 2.0 + 1;
    return {labels + gap, legendHeight(), width() - labels - gap - right,
            height() - legendHeight() - metrics.height() * 1.4};
}

QPointF PlotWidget::position(double time, double value) const
{
    const QRectF area = plotArea();
    const double age = m_now - time;
    return {area.right() - area.width() * age / spanSeconds(),
            area.bottom() - area.height() * value / m_ticks.top};
}

int PlotWidget::spanSeconds() const
{
    return timeAxisOf(m_series.front().data).span;
}

// Painting

void PlotWidget::paintEvent(QPaintEvent * /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    paintValueAxis(painter);
    paintTimeAxis(painter);
    // The first series lies on top: it is the one that the plot is about.
    for (std::size_t i = m_series.size(); i-- > 0;) {
        paintSeries(painter, m_series[i], i == 0);
    }
    paintLegend(painter);
    paintHover(painter);
}

void PlotWidget::paintValueAxis(QPainter &painter) const
{
    const QRectF area = plotArea();
    const QFontMetrics metrics = fontMetrics();
    const QColor line = palette().color(QPalette::Mid);
    const qreal gap = metrics.averageCharWidth();
    for (const double value : m_ticks.values) {
        const qreal y = sharp(position(m_now, value).y());
        painter.setPen(QPen(value == 0 ? line : faded(line, 0.6), 1));
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
        painter.setPen(colourOf(Meaning::Quiet, palette()));
        painter.drawText(QRectF(0, y - metrics.height(), area.left() - gap, metrics.height() * 2),
                         Qt::AlignRight | Qt::AlignVCenter, m_valueText(value));
    }
}

void PlotWidget::paintTimeAxis(QPainter &painter) const
{
    const QRectF area = plotArea();
    const QFontMetrics metrics = fontMetrics();
    const qreal gap = metrics.averageCharWidth();
    const TimeAxis &axis = timeAxisOf(m_series.front().data);
    // From the right to the left; a label that has no room beside the one before is left out.
    qreal free = width();
    for (int age = 0; age <= axis.span; age += axis.step) {
        const qreal x = sharp(position(m_now - age, 0).x());
        painter.setPen(QPen(palette().color(QPalette::Mid), 1));
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + gap / 2));
        const QString label = age == 0        ? tr("now")
                              : age % 60 == 0 ? tr("−%1 min").arg(age / 60)
                                              : tr("−%1 s").arg(age);
        const qreal labelWidth = metrics.horizontalAdvance(label) + 2;
        // The leftmost one must not meet the label of the origin.
        const qreal left = std::max(area.left() - gap / 2, x - labelWidth / 2);
        if (left + labelWidth > free) {
            continue;
        }
        free = left - gap;
        painter.setPen(colourOf(Meaning::Quiet, palette()));
        painter.drawText(QRectF(left, area.bottom() + gap / 2, labelWidth, metrics.height() * 1.2),
                         Qt::AlignCenter, label);
    }
}

void PlotWidget::paintSeries(QPainter &painter, const Series &one, bool isFilled) const
{
    const QRectF area = plotArea();
    const QColor colour = colourOf(one.style.colour, palette());
    painter.save();
    painter.setClipRect(area.adjusted(0, -kLineWidth, kLineWidth, kLineWidth));
    for (const QList<TimeSeries::Sample> &run : one.data.runs(kMaxStepSeconds)) {
        QPainterPath path(position(run.first().time, *run.first().value));
        for (const TimeSeries::Sample &sample : run) {
            path.lineTo(position(sample.time, *sample.value));
        }
        if (isFilled) {
            QPainterPath below = path;
            below.lineTo(position(run.last().time, 0));
            below.lineTo(position(run.first().time, 0));
            QLinearGradient fill(area.topLeft(), area.bottomLeft());
            fill.setColorAt(0, faded(colour, 0.22));
            fill.setColorAt(1, faded(colour, 0.03));
            painter.fillPath(below, fill);
        }
        painter.setPen(QPen(colour, kLineWidth, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        if (run.size() == 1) {
            painter.drawPoint(path.currentPosition());
        } else {
            painter.drawPath(path);
        }
    }
    painter.restore();
}

void PlotWidget::paintLegend(QPainter &painter) const
{
    const QFontMetrics metrics = fontMetrics();
    const qreal mark = metrics.averageCharWidth() * 2.0;
    const qreal middle = metrics.height() / 2.0;
    qreal x = plotArea().left();
    for (const Series &one : m_series) {
        painter.setPen(
            QPen(colourOf(one.style.colour, palette()), 2.5, Qt::SolidLine, Qt::RoundCap));
        painter.drawLine(QPointF(x + 2, middle), QPointF(x + mark, middle));
        painter.setPen(colourOf(Meaning::Quiet, palette()));
        const qreal nameWidth = metrics.horizontalAdvance(one.style.name);
        painter.drawText(QRectF(x + mark * 1.4, 0, nameWidth + 2, metrics.height()),
                         Qt::AlignLeft | Qt::AlignVCenter, one.style.name);
        x += mark * 1.4 + nameWidth + mark * 1.5;
    }
}

// Under the mouse

void PlotWidget::mouseMoveEvent(QMouseEvent *event)
{
    m_mouseX = event->position().x();
    update();
}

void PlotWidget::leaveEvent(QEvent * /*event*/)
{
    m_mouseX.reset();
    update();
}

void PlotWidget::paintHover(QPainter &painter) const
{
    const QRectF area = plotArea();
    if (!m_mouseX || *m_mouseX < area.left() || *m_mouseX > area.right()) {
        return;
    }
    const double secondsPerPixel = spanSeconds() / area.width();
    const double time = m_now - (area.right() - *m_mouseX) * secondsPerPixel;
    const double reach = std::max(kMaxStepSeconds, secondsPerPixel * 4);
    const TimeSeries::Sample *nearest = m_series.front().data.nearest(time, reach);
    if (nearest == nullptr) {
        return;
    }
    const qreal x = position(nearest->time, 0).x();
    painter.setPen(QPen(faded(palette().color(QPalette::Text), 0.5), 1, Qt::DashLine));
    painter.drawLine(QPointF(sharp(x), area.top()), QPointF(sharp(x), area.bottom()));
    paintValues(painter, nearest->time, x);
}

void PlotWidget::paintValues(QPainter &painter, double time, qreal x) const
{
    const QRectF area = plotArea();
    const QFontMetrics metrics = fontMetrics();
    QStringList lines{timeText(time)};
    for (const Series &one : m_series) {
        const TimeSeries::Sample *sample = one.data.nearest(time, 0);
        const bool isKnown = sample != nullptr && sample->value;
        lines.append(one.style.name + QStringLiteral(": ")
                     + (isKnown ? m_valueText(*sample->value) : tr("not measured")));
        if (isKnown) {
            painter.setPen(QPen(palette().color(QPalette::Base), kLineWidth));
            painter.setBrush(colourOf(one.style.colour, palette()));
            painter.drawEllipse(position(time, *sample->value), 3.5, 3.5);
        }
    }
    qreal textWidth = 0;
    for (const QString &line : std::as_const(lines)) {
        textWidth = std::max<qreal>(textWidth, metrics.horizontalAdvance(line));
    }
    const qreal margin = metrics.averageCharWidth();
    QRectF box(x + margin, area.top(), textWidth + 2 * margin,
               metrics.lineSpacing() * static_cast<qreal>(lines.size()) + margin);
    if (box.right() > width()) {
        box.moveRight(x - margin);
    }
    box.moveLeft(std::max(0.0, box.left()));
    painter.setPen(QPen(palette().color(QPalette::Mid), 1));
    painter.setBrush(palette().color(QPalette::ToolTipBase));
    painter.drawRoundedRect(box, margin / 2, margin / 2);
    painter.setPen(palette().color(QPalette::ToolTipText));
    painter.drawText(box.adjusted(margin, margin / 2, -margin, -margin / 2),
                     Qt::AlignLeft | Qt::AlignTop, lines.join(QLatin1Char('\n')));
}

} // namespace relay::gui
