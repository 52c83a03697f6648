#include "gui/look/dashboard_style.h"

#include "gui/look/icons.h"

#include <QPainter>
#include <QStyleFactory>
#include <QStyleOptionSlider>

#include <algorithm>

namespace relay::gui {

namespace {

/// On each side of a cell's text and of a header's: a number that stands at the right of its column must not touch
/// the text of the next.
constexpr int kCellMargin = 7;

/// The handle's length: its part of the bar is the visible part of the whole.
int handleLength(const QStyleOptionSlider &bar, int barLength, int shortest)
{
    const qint64 range = qint64{bar.maximum} - bar.minimum;
    if (range <= 0) {
        return barLength;
    }
    const qint64 share = barLength * qint64{bar.pageStep} / (range + bar.pageStep);
    return std::min(barLength, std::max(static_cast<int>(share), shortest));
}

QRect scrollBarPart(const QStyleOptionSlider &bar, QStyle::SubControl part)
{
    const bool isHorizontal = bar.orientation == Qt::Horizontal;
    const QRect &all = bar.rect;
    const int length = isHorizontal ? all.width() : all.height();
    const int thickness = isHorizontal ? all.height() : all.width();
    const int handle = handleLength(bar, length, thickness * 2);
    const int start = QStyle::sliderPositionFromValue(bar.minimum, bar.maximum, bar.sliderPosition,
                                                      length - handle, bar.upsideDown);
    const auto between = [&](int from, int to) {
        return isHorizontal ? QRect(all.x() + from, all.y(), to - from, all.height())
                            : QRect(all.x(), all.y() + from, all.width(), to - from);
    };
    switch (part) {
    case QStyle::SC_ScrollBarGroove:
        return all;
    case QStyle::SC_ScrollBarSlider:
        return between(start, start + handle);
    case QStyle::SC_ScrollBarSubPage:
        return between(0, start);
    case QStyle::SC_ScrollBarAddPage:
        return between(start + handle, length);
    default:
        return {}; // no arrows
    }
}

void paintScrollBar(const QStyleOptionSlider &bar, QPainter &painter)
{
    painter.fillRect(bar.rect, bar.palette.color(QPalette::Window));
    if (bar.maximum <= bar.minimum) {
        return;
    }
    QColor colour = bar.palette.color(QPalette::PlaceholderText);
    const bool isUnderMouse = (bar.activeSubControls & QStyle::SC_ScrollBarSlider) != 0;
    colour.setAlphaF(isUnderMouse ? 0.75F : 0.45F);
    QRectF handle = scrollBarPart(bar, QStyle::SC_ScrollBarSlider);
    const qreal margin = std::min(handle.width(), handle.height()) / 4;
    handle.adjust(margin, margin, -margin, -margin);
    const qreal radius = std::min(handle.width(), handle.height()) / 2;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawRoundedRect(handle, radius, radius);
    painter.restore();
}

} // namespace

DashboardStyle::DashboardStyle()
    : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion")))
{}

void DashboardStyle::drawComplexControl(ComplexControl control,
                                        const QStyleOptionComplex *option,
                                        QPainter *painter,
                                        const QWidget *widget) const
{
    const auto *bar = qstyleoption_cast<const QStyleOptionSlider *>(option);
    if (control == CC_ScrollBar && bar != nullptr) {
        paintScrollBar(*bar, *painter);
        return;
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

QRect DashboardStyle::subControlRect(ComplexControl control,
                                     const QStyleOptionComplex *option,
                                     SubControl part,
                                     const QWidget *widget) const
{
    const auto *bar = qstyleoption_cast<const QStyleOptionSlider *>(option);
    if (control == CC_ScrollBar && bar != nullptr) {
        return visualRect(bar->direction, bar->rect, scrollBarPart(*bar, part));
    }
    return QProxyStyle::subControlRect(control, option, part, widget);
}

int DashboardStyle::pixelMetric(PixelMetric metric,
                                const QStyleOption *option,
                                const QWidget *widget) const
{
    switch (metric) {
    case PM_FocusFrameHMargin: // one pixel less than the margin of an item's text
        return kCellMargin - 1;
    case PM_HeaderMargin:
        return kCellMargin;
    default:
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

int DashboardStyle::styleHint(StyleHint hint,
                              const QStyleOption *option,
                              const QWidget *widget,
                              QStyleHintReturn *returned) const
{
    return hint == SH_DialogButtonBox_ButtonsHaveIcons
               ? 0
               : QProxyStyle::styleHint(hint, option, widget, returned);
}

QIcon DashboardStyle::standardIcon(StandardPixmap icon,
                                   const QStyleOption *option,
                                   const QWidget *widget) const
{
    switch (icon) {
    case SP_MessageBoxQuestion:
        return gui::icon(QStringLiteral("question"));
    case SP_MessageBoxWarning:
    case SP_MessageBoxCritical:
        return gui::icon(QStringLiteral("warning"));
    case SP_MessageBoxInformation:
        return programIcon();
    default:
        return QProxyStyle::standardIcon(icon, option, widget);
    }
}

} // namespace relay::gui
