#pragma once

#include <QProxyStyle>

namespace relay::gui {

/// Fusion, which takes every colour from the palette, with some things of its own: slim scroll bars without arrows,
/// room between the columns of tables, and the program's own line icons in message boxes. Buttons of dialogs have no
/// icons.
///
/// Thread: the window's.
/// Owner: the application that it is set on.
class DashboardStyle : public QProxyStyle
{
    Q_OBJECT

public:
    DashboardStyle();

    void drawComplexControl(ComplexControl control,
                            const QStyleOptionComplex *option,
                            QPainter *painter,
                            const QWidget *widget) const override;
    [[nodiscard]] QRect subControlRect(ComplexControl control,
                                       const QStyleOptionComplex *option,
                                       SubControl part,
                                       const QWidget *widget) const override;
    [[nodiscard]] int pixelMetric(PixelMetric metric,
                                  const QStyleOption *option,
                                  const QWidget *widget) const override;
    [[nodiscard]] int styleHint(StyleHint hint,
                                const QStyleOption *option,
                                const QWidget *widget,
                                QStyleHintReturn *returned) const override;
    [[nodiscard]] QIcon standardIcon(StandardPixmap icon,
                                     const QStyleOption *option,
                                     const QWidget *widget) const override;
};

} // namespace relay::gui
