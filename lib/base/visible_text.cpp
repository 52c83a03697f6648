#include "base/visible_text.h"

#include <QChar>
#include <QList>

#include <algorithm>
#include <array>
#include <utility>

namespace relay {

namespace {

/// Unicode's Default_Ignorable_Code_Point, but for what has the category Cf.
constexpr std::array<std::pair<char32_t, char32_t>, 10> kIgnorable{{
    {0x034F, 0x034F}, // combining grapheme joiner
    {0x115F, 0x1160}, // Hangul fillers
    {0x17B4, 0x17B5}, // Khmer vowels that are inherent
    {0x180B, 0x180F}, // Mongolian variation selectors
    {0x2065, 0x2065},
    {0x3164, 0x3164}, // Hangul filler
    {0xFE00, 0xFE0F}, // variation selectors
    {0xFFA0, 0xFFA0}, // Hangul filler
    {0xFFF0, 0xFFF8},
    {0xE0000, 0xE0FFF}, // tags, variation selectors
}};

/// Almost every text has nothing else; the categories of Unicode cost a look into tables.
bool isPrintableAscii(QChar c)
{
    return c.unicode() >= 0x20 && c.unicode() < 0x7F;
}

QString hex(const char *prefix, char32_t number, int digits)
{
    return QLatin1String(prefix)
           + QStringLiteral("%1").arg(uint{number}, digits, 16, QLatin1Char('0'));
}

QString escape(char32_t codePoint)
{
    return codePoint <= 0xFF     ? hex("\\x", codePoint, 2)
           : codePoint <= 0xFFFF ? hex("\\u", codePoint, 4)
                                 : hex("\\U", codePoint, 8);
}

/// JSON has escapes for UTF-16's units alone (RFC 8259, section 7).
QString escapeForJson(char32_t codePoint)
{
    if (!QChar::requiresSurrogates(codePoint)) {
        return hex("\\u", codePoint, 4);
    }
    return hex("\\u", QChar::highSurrogate(codePoint), 4)
           + hex("\\u", QChar::lowSurrogate(codePoint), 4);
}

template <typename Escape>
QString withEscapes(const QString &text, Escape escapeOne)
{
    QString escaped;
    escaped.reserve(text.size());
    const QList<uint> codePoints = text.toUcs4();
    for (const char32_t codePoint : codePoints) {
        if (isInvisible(codePoint)) {
            escaped += escapeOne(codePoint);
        } else {
            escaped += QChar::fromUcs4(codePoint);
        }
    }
    return escaped;
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
        return std::any_of(kIgnorable.begin(), kIgnorable.end(), [codePoint](const auto &range) {
            return range.first <= codePoint && codePoint <= range.second;
        });
    }
}

QString escapeInvisible(const QString &text)
{
    QString escaped = text;
    escaped.replace(QLatin1Char('\\'), QLatin1String("\\\\"));
    return std::all_of(text.cbegin(), text.cend(), isPrintableAscii) ? escaped
                                                                     : withEscapes(escaped, escape);
}

QString escapeInvisibleInJson(const QString &json)
{
    return std::all_of(json.cbegin(), json.cend(), isPrintableAscii)
               ? json
               : withEscapes(json, escapeForJson);
}

} // namespace relay
