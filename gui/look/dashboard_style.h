#pragma once

#include <QProxyStyle>

namespace relay::gui {

/// Fusion, of Qt's own styles the one that takes every colour from the palette, with slim scroll bars:
/// a rounded handle on the background that it moves over, and no arrows.
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
};

} // namespace relay::gui
