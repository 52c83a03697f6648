#include "base/visible_text.h"

#include <QChar>
#include <QList>

#include <algorithm>

namespace relay {

namespace {

/// Almost every text has nothing else; the categories of Unicode cost a look into tables.
bool isPrintableAscii(QChar c)
{
    return c.unicode() >= 0x20 && c.unicode() < 0x7F;
}

QString escape(char32_t codePoint)
{
    const auto number = uint{codePoint};
    if (number <= 0xFF) {
        return QStringLiteral("\\x%1").arg(number, 2, 16, QLatin1Char('0'));
    }
    return number <= 0xFFFF ? QStringLiteral("\\u%1").arg(number, 4, 16, QLatin1Char('0'))
                            : QStringLiteral("\\U%1").arg(number, 8, 16, QLatin1Char('0'));
}

} // namespace

bool isInvisible(char32_t codePoint)
{
    switch (QChar::category(codePoint)) {
    case QChar::Other_Control:
    case QChar::Other_Format:
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph:
        return true;
    default:
        return false;
    }
}

QString escapeInvisible(const QString &text)
{
    if (std::all_of(text.cbegin(), text.cend(), isPrintableAscii)) {
        return text;
    }
    QString escaped;
    escaped.reserve(text.size());
    const QList<uint> codePoints = text.toUcs4();
    for (const char32_t codePoint : codePoints) {
        if (isInvisible(codePoint)) {
            escaped += escape(codePoint);
        } else {
            escaped += QChar::fromUcs4(codePoint);
        }
    }
    return escaped;
}

} // namespace relay
