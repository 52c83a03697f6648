#include "config/setting_value.h"

#include "base/visible_text.h"
#include "config/quantities.h"

#include <QRegularExpression>

namespace relay {

namespace {

/// Longer texts are shortened in messages.
constexpr qsizetype kMaxShownCharacters = 80;

QString withArticle(ValueType type)
{
    return type == ValueType::Integer ? QStringLiteral("a whole number")
                                      : QStringLiteral("a ") + typeName(type);
}

/// `text` as a double-quoted YAML scalar.
QString doubleQuoted(const QString &text)
{
    const QString escaped = escapeInvisible(text).replace(QLatin1Char('"'), QLatin1String("\\\""));
    return QLatin1Char('"') + escaped + QLatin1Char('"');
}

/// Whether `text` means itself in YAML without quotes: nothing that could be a mapping, comment,
/// alias or null.
bool isPlainScalar(const QString &text)
{
    static const QRegularExpression kPlain(
        QStringLiteral("\\A[A-Za-z0-9/](?:[A-Za-z0-9._/:+-]*[A-Za-z0-9._/+-])?\\z"));
    return kPlain.match(text).hasMatch()
           && text.compare(QLatin1StringView("null"), Qt::CaseInsensitive) != 0;
}

QString formatText(const QString &text)
{
    return isPlainScalar(text) ? text : doubleQuoted(text);
}

QString formatNumber(ValueType type, qint64 number)
{
    switch (type) {
    case ValueType::Size:
        return formatSize(number);
    case ValueType::Duration:
        return formatDuration(std::chrono::milliseconds(number));
    default:
        return QString::number(number);
    }
}

Result<SettingValue> parseBoolean(const QString &text)
{
    if (text.compare(QLatin1StringView("true"), Qt::CaseInsensitive) == 0) {
        return SettingValue{true};
    }
    if (text.compare(QLatin1StringView("false"), Qt::CaseInsensitive) == 0) {
        return SettingValue{false};
    }
    return Error{quoted(text) + QStringLiteral(" is neither true nor false")};
}

Result<SettingValue> checkedNumber(const Setting &setting, const QString &text, qint64 number)
{
    if (number < setting.minimum || number > setting.maximum) {
        return Error{QStringLiteral("%1 is not %2 (%3)")
                         .arg(quoted(text), withArticle(setting.type), allowedValues(setting))};
    }
    return SettingValue{number};
}

Result<SettingValue> parseInteger(const Setting &setting, const QString &text)
{
    static const QRegularExpression kWholeNumber(QStringLiteral("\\A-?(?:0|[1-9][0-9]*)\\z"));
    bool isNumber = false;
    const qint64 number = text.toLongLong(&isNumber);
    if (!isNumber || !kWholeNumber.match(text).hasMatch()) {
        return Error{QStringLiteral("%1 is not %2 (%3)")
                         .arg(quoted(text), withArticle(setting.type), allowedValues(setting))};
    }
    return checkedNumber(setting, text, number);
}

Result<SettingValue> parseSizeSetting(const Setting &setting, const QString &text)
{
    const Result<qint64> bytes = parseSize(text);
    if (!bytes) {
        return Error{quoted(text) + QLatin1Char(' ') + bytes.error().message};
    }
    return checkedNumber(setting, text, bytes.value());
}

Result<SettingValue> parseDurationSetting(const Setting &setting, const QString &text)
{
    const Result<std::chrono::milliseconds> duration = parseDuration(text);
    if (!duration) {
        return Error{quoted(text) + QLatin1Char(' ') + duration.error().message};
    }
    return checkedNumber(setting, text, duration.value().count());
}

Result<SettingValue> parseChoice(const Setting &setting, const QString &text)
{
    if (!setting.choices.contains(text)) {
        return Error{QStringLiteral("%1 is not one of %2")
                         .arg(quoted(text), setting.choices.join(QStringLiteral(", ")))};
    }
    return SettingValue{text};
}

Result<SettingValue> parsePattern(const QString &text)
{
    Result<ChannelPattern> pattern = ChannelPattern::fromText(text.toUtf8());
    if (!pattern) {
        return pattern.error();
    }
    return SettingValue{std::move(pattern).value()};
}

Result<SettingValue> parseByType(const Setting &setting, const QString &text)
{
    switch (setting.type) {
    case ValueType::Boolean:
        return parseBoolean(text);
    case ValueType::Integer:
    case ValueType::Port:
        return parseInteger(setting, text);
    case ValueType::Size:
        return parseSizeSetting(setting, text);
    case ValueType::Duration:
        return parseDurationSetting(setting, text);
    case ValueType::Choice:
        return parseChoice(setting, text);
    case ValueType::Pattern:
        return parsePattern(text);
    case ValueType::Text:
    case ValueType::TextList:
        break;
    }
    return SettingValue{text};
}

} // namespace

Result<SettingValue> parseScalar(const Setting &setting, const QString &text)
{
    Result<SettingValue> value = parseByType(setting, text);
    if (value && setting.complaint) {
        if (const QString complaint = setting.complaint(value.value()); !complaint.isEmpty()) {
            return Error{(setting.isSecret ? QStringLiteral("the value") : quoted(text))
                         + QLatin1Char(' ') + complaint};
        }
    }
    return value;
}

Result<SettingValue> parseList(const Setting &setting, const QStringList &elements)
{
    for (const QString &element : elements) {
        if (const Result<SettingValue> value = parseScalar(setting, element); !value) {
            return value.error();
        }
    }
    return SettingValue{elements};
}

QString formatValue(const Setting &setting, const SettingValue &value)
{
    switch (setting.type) {
    case ValueType::Boolean:
        return std::get<bool>(value) ? QStringLiteral("true") : QStringLiteral("false");
    case ValueType::Text:
        return formatText(std::get<QString>(value));
    case ValueType::Pattern:
        return formatText(std::get<ChannelPattern>(value).toString());
    case ValueType::TextList: {
        QStringList elements;
        for (const QString &element : std::get<QStringList>(value)) {
            elements.append(doubleQuoted(element));
        }
        return QLatin1Char('[') + elements.join(QStringLiteral(", ")) + QLatin1Char(']');
    }
    case ValueType::Choice:
        return std::get<QString>(value);
    default:
        return formatNumber(setting.type, std::get<qint64>(value));
    }
}

QString formatDefault(const Setting &setting, const SettingValue &defaultValue)
{
    return setting.defaultKey.isEmpty() ? formatValue(setting, defaultValue) : setting.defaultKey;
}

QString allowedValues(const Setting &setting)
{
    switch (setting.type) {
    case ValueType::Integer:
    case ValueType::Port:
    case ValueType::Size:
    case ValueType::Duration:
        return QStringLiteral("%1 to %2")
            .arg(formatNumber(setting.type, setting.minimum),
                 formatNumber(setting.type, setting.maximum));
    case ValueType::Choice:
        return setting.choices.join(QStringLiteral(", "));
    default:
        return {};
    }
}

QString typeName(ValueType type)
{
    switch (type) {
    case ValueType::Boolean:
        return QStringLiteral("boolean");
    case ValueType::Integer:
        return QStringLiteral("integer");
    case ValueType::Port:
        return QStringLiteral("port");
    case ValueType::Size:
        return QStringLiteral("size");
    case ValueType::Duration:
        return QStringLiteral("duration");
    case ValueType::Text:
        return QStringLiteral("text");
    case ValueType::TextList:
        return QStringLiteral("list");
    case ValueType::Choice:
        return QStringLiteral("choice");
    case ValueType::Pattern:
        return QStringLiteral("pattern");
    }
    return {};
}

QString quoted(const QString &text)
{
    static const QRegularExpression kWord(QStringLiteral("\\A[A-Za-z0-9._/:*+-]+\\z"));
    const QString shown =
        text.size() > kMaxShownCharacters ? text.first(kMaxShownCharacters) + QChar(0x2026) : text;
    return kWord.match(shown).hasMatch() ? shown : doubleQuoted(shown);
}

} // namespace relay
