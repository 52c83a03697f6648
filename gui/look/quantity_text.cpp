#include "gui/look/quantity_text.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>

#include <algorithm>
#include <array>
#include <cmath>

namespace relay::gui {

namespace {

struct QuantityWords
{
    Q_DECLARE_TR_FUNCTIONS(QuantityText)
};

/// In seconds: longer than anything lasts, and far from what an integer cannot hold.
constexpr double kLongest = 1e12;

QString missing()
{
    return QStringLiteral("–");
}

/// Three digits, without zeros that say nothing: 1.5, 12.3, 950.
QString threeDigits(double value)
{
    const double size = std::abs(value);
    const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    QString text = QLocale().toString(value, 'f', decimals);
    const QString point = QLocale().decimalPoint();
    if (text.contains(point)) {
        while (text.endsWith(QLatin1Char('0'))) {
            text.chop(1);
        }
        if (text.endsWith(point)) {
            text.chop(point.size());
        }
    }
    return text;
}

/// The largest unit that leaves a number of one or more; `step` lies between two units.
template <std::size_t Count>
QString withUnit(double value, double step, const std::array<const char *, Count> &units)
{
    std::size_t unit = 0;
    // What would round to a thousand is one of the next unit.
    while (std::abs(value) >= step - 0.5 && unit + 1 < units.size()) {
        value /= step;
        ++unit;
    }
    const QString name = QString::fromUtf8(units[unit]);
    return name.isEmpty() ? threeDigits(value) : threeDigits(value) + QChar(0xa0) + name;
}

} // namespace

QString countText(qint64 count)
{
    return QLocale().toString(count);
}

QString countedText(qint64 count, const QString &one, const QString &many)
{
    return countText(count) + QLatin1Char(' ') + (count == 1 ? one : many);
}

QString compactText(double value)
{
    return withUnit(value, 1000, std::array{"", "k", "M", "G", "T"});
}

QString rateText(std::optional<double> perSecond)
{
    return perSecond ? QuantityWords::tr("%1/s").arg(compactText(*perSecond)) : missing();
}

QString bytesText(double bytes)
{
    return withUnit(bytes, 1024, std::array{"B", "KiB", "MiB", "GiB", "TiB"});
}

QString byteRateText(double bytesPerSecond)
{
    return QuantityWords::tr("%1/s").arg(bytesText(bytesPerSecond));
}

QString latencyText(std::optional<double> seconds)
{
    if (!seconds) {
        return missing();
    }
    if (*seconds == 0) {
        return QStringLiteral("0");
    }
    return withUnit(*seconds * 1e6, 1000, std::array{"µs", "ms", "s"});
}

QString durationText(double seconds)
{
    const auto whole = static_cast<qint64>(std::min(std::max(0.0, seconds), kLongest));
    const qint64 minutes = whole / 60;
    const qint64 hours = minutes / 60;
    if (hours >= 24) {
        return QuantityWords::tr("%1 d %2 h").arg(hours / 24).arg(hours % 24);
    }
    if (hours > 0) {
        return QuantityWords::tr("%1 h %2 min").arg(hours).arg(minutes % 60);
    }
    if (minutes > 0) {
        return QuantityWords::tr("%1 min %2 s").arg(minutes).arg(whole % 60);
    }
    return QuantityWords::tr("%1 s").arg(whole);
}

QString coresText(std::optional<double> cores)
{
    return cores ? QuantityWords::tr("%1 cores").arg(QLocale().toString(*cores, 'f', 2))
                 : missing();
}

QString timeText(double secondsSinceEpoch)
{
    if (!(std::abs(secondsSinceEpoch) < kLongest)) {
        return missing();
    }
    const QDateTime time =
        QDateTime::fromMSecsSinceEpoch(static_cast<qint64>(secondsSinceEpoch * 1000));
    const bool isToday = time.date() == QDate::currentDate();
    return time.toString(isToday ? QStringLiteral("HH:mm:ss")
                                 : QStringLiteral("yyyy-MM-dd HH:mm:ss"));
}

} // namespace relay::gui
