#include "gui/look/theme.h"

#include "gui/look/dashboard_style.h"

#include <QApplication>
#include <QStyle>

#include <array>
#include <utility>

namespace relay::gui {

namespace {

constexpr std::array kNames{
    std::pair{Theme::System, "system"},
    std::pair{Theme::Light, "light"},
    std::pair{Theme::Dark, "dark"},
};

struct Shades
{
    QRgb window, base, alternate, text, quiet, disabled, button, mid, highlight, link;
};

constexpr Shades kLight{0xfff3f5f7, 0xffffffff, 0xfff7f9fa, 0xff1b2126, 0xff5d6872,
                        0xff9aa4ad, 0xffeceff2, 0xffd8dee4, 0xff0b6b6b, 0xff0b6b6b};
constexpr Shades kDark{0xff14181b, 0xff1d2226, 0xff22282d, 0xffe5e9ec, 0xff9aa6b0,
                       0xff66717a, 0xff2a3137, 0xff363f46, 0xff2a8f87, 0xff5cc8bd};

QPalette paletteOf(const Shades &shades)
{
    QPalette palette(QColor(shades.button), QColor(shades.window));
    palette.setColor(QPalette::WindowText, QColor(shades.text));
    palette.setColor(QPalette::Text, QColor(shades.text));
    palette.setColor(QPalette::ButtonText, QColor(shades.text));
    palette.setColor(QPalette::Base, QColor(shades.base));
    palette.setColor(QPalette::AlternateBase, QColor(shades.alternate));
    palette.setColor(QPalette::ToolTipBase, QColor(shades.base));
    palette.setColor(QPalette::ToolTipText, QColor(shades.text));
    palette.setColor(QPalette::PlaceholderText, QColor(shades.quiet));
    palette.setColor(QPalette::Mid, QColor(shades.mid));
    palette.setColor(QPalette::Highlight, QColor(shades.highlight));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::Link, QColor(shades.link));
    for (const QPalette::ColorRole role :
         {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        palette.setColor(QPalette::Disabled, role, QColor(shades.disabled));
    }
    return palette;
}

} // namespace

QString themeName(Theme theme)
{
    for (const auto &[value, name] : kNames) {
        if (value == theme) {
            return QString::fromLatin1(name);
        }
    }
    return {};
}

std::optional<Theme> themeOf(const QString &name)
{
    for (const auto &[value, text] : kNames) {
        if (name == QLatin1String(text)) {
            return value;
        }
    }
    return std::nullopt;
}

void applyTheme(QApplication &application, Theme theme)
{
    QApplication::setStyle(new DashboardStyle);
    const QPalette desktop = QApplication::style()->standardPalette();
    const bool isWantedDark = theme == Theme::Dark || (theme == Theme::System && isDark(desktop));
    QApplication::setPalette(paletteOf(isWantedDark ? kDark : kLight));
    Q_UNUSED(application);
}

bool isDark(const QPalette &palette)
{
    return palette.color(QPalette::Window).lightness() < 128;
}

QColor colourOf(Meaning meaning, const QPalette &palette)
{
    const bool dark = isDark(palette);
    switch (meaning) {
    case Meaning::First:
        return dark ? QColor(0xff4fc3b8) : QColor(0xff0b7a75);
    case Meaning::Second:
        return dark ? QColor(0xffffa45c) : QColor(0xffd2691e);
    case Meaning::Good:
        return dark ? QColor(0xff5ccb7a) : QColor(0xff1f8a43);
    case Meaning::Warning:
        return dark ? QColor(0xffffc14d) : QColor(0xffa86400);
    case Meaning::Bad:
        return dark ? QColor(0xffff7b72) : QColor(0xffc62f2f);
    case Meaning::Quiet:
        return palette.color(QPalette::PlaceholderText);
    }
    return palette.color(QPalette::Text);
}

} // namespace relay::gui
