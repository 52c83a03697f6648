#pragma once

#include <QByteArray>
#include <QString>

namespace relay::gui {

/// How a message is shown.
enum class PayloadFormat {
    Text,
    Json, ///< indented; as text when it is none, or nested too deep
    Hex   ///< offsets, bytes, and what of them is ASCII
};

/// Shows at most so many bytes of it, and says when there are more.
inline constexpr qsizetype kMostShownBytes = qsizetype{64} << 10;

QString payloadText(const QByteArray &payload, PayloadFormat format);
/// Its front, on one line.
QString payloadPreview(const QByteArray &payload, bool isText);

} // namespace relay::gui
