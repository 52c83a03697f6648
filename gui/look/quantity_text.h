#pragma once

#include <QString>

#include <optional>

namespace relay::gui {

/// Numbers as a person reads them, in the user's locale, each with its unit.
///
/// A value that was not measured is an en dash.

/// "0", "950", "12,345": every digit.
QString countText(qint64 count);
/// "1 row", "0 rows", "12,345 rows".
QString countedText(qint64 count, const QString &one, const QString &many);
/// "0", "0.4", "950", "12.3 k", "4.56 M": at most three digits that say something.
QString compactText(double value);
/// The same with "/s".
QString rateText(std::optional<double> perSecond);
/// "0 B", "950 B", "1.5 KiB", "2.34 GiB".
QString bytesText(double bytes);
/// "12.3 MiB/s".
QString byteRateText(double bytesPerSecond);
/// "0", "85 µs", "1.23 ms", "4.5 s": for latencies.
QString latencyText(std::optional<double> seconds);
/// "0 s", "59 s", "12 min 5 s", "3 h 4 min", "12 d 3 h": for how long something lasts.
QString durationText(double seconds);
/// "0.03 cores", "1.25 cores".
QString coresText(std::optional<double> cores);
/// "14:03:59", the day before it unless it is today.
QString timeText(double secondsSinceEpoch);

} // namespace relay::gui
