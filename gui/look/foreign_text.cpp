#include "gui/look/foreign_text.h"

#include "base/visible_text.h"

#include <QTextDocument>

namespace relay::gui {

namespace {

/// No name or word of a relay is as long.
constexpr qsizetype kMostCharacters = 2000;

} // namespace

QString visibleWord(const QString &text)
{
    QString shown = escapeInvisible(text.left(kMostCharacters + 1));
    if (shown.size() <= kMostCharacters) {
        return shown;
    }
    const bool isInPair = shown.at(kMostCharacters - 1).isHighSurrogate();
    shown.truncate(isInPair ? kMostCharacters - 1 : kMostCharacters);
    return shown + QChar(0x2026);
}

QString plainToolTip(const QString &text)
{
    return text.isEmpty() ? text : Qt::convertFromPlainText(text, Qt::WhiteSpaceNormal);
}

} // namespace relay::gui
