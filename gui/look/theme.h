#pragma once

#include <QColor>
#include <QPalette>
#include <QString>

#include <optional>

class QApplication;

namespace relay::gui {

/// How the window is coloured.
enum class Theme {
    System, ///< as the desktop says
    Light,
    Dark
};

/// For settings and the command line: "system", "light", "dark".
QString themeName(Theme theme);
std::optional<Theme> themeOf(const QString &name);

/// Gives the program the theme's palette, and a style that keeps to it.
void applyTheme(QApplication &application, Theme theme);

/// Whether light text stands on a dark ground.
bool isDark(const QPalette &palette);

/// What a colour says, in a shade that can be read on this palette.
enum class Meaning {
    First, ///< the first series of a plot
    Second,
    Good,
    Warning,
    Bad,
    Quiet, ///< text that stays back
};
QColor colourOf(Meaning meaning, const QPalette &palette);

} // namespace relay::gui
