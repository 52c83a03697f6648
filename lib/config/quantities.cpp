#include "config/quantities.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace relay {

namespace {

struct Unit
{
    QLatin1StringView name;
    qint64 factor = 1;
};

// Largest first: formatting takes the first that divides.
constexpr std::array<Unit, 4> kSizeUnits{{
    {QLatin1StringView("GiB"), 1024LL * 1024 * 1024},
    {QLatin1StringView("MiB"), 1024LL * 1024},
    {QLatin1StringView("KiB"), 1024},
    {QLatin1StringView("B"), 1},
}};
constexpr std::array<Unit, 4> kDurationUnits{{
    {QLatin1StringView("h"), 3'600'000},
    {QLatin1StringView("m"), 60'000},
    {QLatin1StringView("s"), 1000},
    {QLatin1StringView("ms"), 1},
}};

struct Quantity
{
    QStringView digits;
    QStringView unit; ///< empty: none was written
};

bool isDigit(QChar c)
{
    return c >= QLatin1Char('0') && c <= QLatin1Char('9');
}

Quantity split(QStringView text)
{
    text = text.trimmed();
    qsizetype end = 0;
    while (end < text.size() && isDigit(text[end])) {
        ++end;
    }
    return {text.first(end), text.sliced(end).trimmed()};
}

template <std::size_t N>
std::optional<qint64> factorOf(const std::array<Unit, N> &units, QStringView name)
{
    for (const Unit &unit : units) {
        if (name.compare(unit.name, Qt::CaseInsensitive) == 0) {
            return unit.factor;
        }
    }
    return std::nullopt;
}

/// The product, or nothing where 64 bits do not hold it.
std::optional<qint64> multiply(QStringView digits, qint64 factor)
{
    bool isNumber = false;
    const qint64 number = digits.toLongLong(&isNumber);
    if (!isNumber || number > std::numeric_limits<qint64>::max() / factor) {
        return std::nullopt;
    }
    return number * factor;
}

template <std::size_t N>
QString format(const std::array<Unit, N> &units, qint64 quantity, QLatin1StringView separator)
{
    for (const Unit &unit : units) {
        if (quantity != 0 && quantity % unit.factor == 0) {
            return QString::number(quantity / unit.factor) + separator + unit.name;
        }
    }
    return QStringLiteral("0");
}

bool isDecimalSizeUnit(QStringView unit)
{
    constexpr std::array<const char *, 6> kNames{"k", "m", "g", "kb", "mb", "gb"};
    return std::any_of(kNames.begin(), kNames.end(), [unit](const char *name) {
        return unit.compare(QLatin1StringView(name), Qt::CaseInsensitive) == 0;
    });
}

} // namespace

Result<qint64> parseSize(const QString &text)
{
    const auto [digits, unit] = split(text);
    const std::optional<qint64> factor = unit.isEmpty() ? 1 : factorOf(kSizeUnits, unit);
    if (!digits.isEmpty() && isDecimalSizeUnit(unit)) {
        return Error{QStringLiteral("is a size in an unclear unit: write it in %1iB (1024s)")
                         .arg(unit.first(1).toString().toUpper())};
    }
    if (digits.isEmpty() || !factor) {
        return Error{QStringLiteral("is not a size: write a whole number with B, KiB, MiB or GiB, "
                                    "such as 64 KiB")};
    }
    if (const auto bytes = multiply(digits, *factor)) {
        return *bytes;
    }
    return Error{QStringLiteral("is too large for a size")};
}

Result<std::chrono::milliseconds> parseDuration(const QString &text)
{
    const auto [digits, unit] = split(text);
    const std::optional<qint64> factor = unit.isEmpty() ? 1000 : factorOf(kDurationUnits, unit);
    if (digits.isEmpty() || !factor) {
        return Error{QStringLiteral("is not a duration: write a whole number with ms, s, m or h, "
                                    "such as 10s")};
    }
    if (const auto count = multiply(digits, *factor)) {
        return std::chrono::milliseconds(*count);
    }
    return Error{QStringLiteral("is too long for a duration")};
}

QString formatSize(qint64 bytes)
{
    return format(kSizeUnits, bytes, QLatin1StringView(" "));
}

QString formatDuration(std::chrono::milliseconds duration)
{
    return duration.count() == 0 ? QStringLiteral("0s")
                                 : format(kDurationUnits, duration.count(), QLatin1StringView(""));
}

} // namespace relay
