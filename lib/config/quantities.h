#pragma once

#include "base/result.h"

#include <QString>

#include <chrono>

/// Sizes and durations as people write them.
///
/// An error's message goes on after the text that was refused: "64 KB" + " " + message.
namespace relay {

/// "64 KiB", "1MiB", "4096": a whole number with B, KiB, MiB or GiB, or of bytes. Units in any
/// case.
Result<qint64> parseSize(const QString &text);

/// "10s", "250 ms", "5m", "1h", "30": a whole number with ms, s, m or h, or of seconds.
Result<std::chrono::milliseconds> parseDuration(const QString &text);

/// The shortest text that parseSize() reads as `bytes`: whole units only, so that nothing is
/// rounded.
QString formatSize(qint64 bytes);

/// The shortest text that parseDuration() reads as `duration`.
QString formatDuration(std::chrono::milliseconds duration);

} // namespace relay
