#include "payload_text.h"

#include "quantity_text.h"

#include <QCoreApplication>
#include <QJsonDocument>

#include <algorithm>

namespace relay::gui {

namespace {

struct Words
{
    Q_DECLARE_TR_FUNCTIONS(PayloadText)
};

constexpr qsizetype kBytesPerLine = 16;
constexpr qsizetype kPreviewCharacters = 200;

QString hexLine(qsizetype offset, const QByteArray &bytes)
{
    QString ascii;
    for (const char byte : bytes) {
        const bool isPrintable = byte >= 0x20 && byte < 0x7f;
        ascii += isPrintable ? QLatin1Char(byte) : QLatin1Char('.');
    }
    return QStringLiteral("%1  %2  %3\n")
        .arg(offset, 6, 16, QLatin1Char('0'))
        .arg(QString::fromLatin1(bytes.toHex(' ')), -(3 * static_cast<int>(kBytesPerLine) - 1))
        .arg(ascii);
}

} // namespace

QString payloadText(const QByteArray &payload, PayloadFormat format)
{
    if (format == PayloadFormat::Json && payload.size() <= kMostShownBytes) {
        const QJsonDocument json = QJsonDocument::fromJson(payload);
        if (!json.isNull()) {
            return QString::fromUtf8(json.toJson(QJsonDocument::Indented)).trimmed();
        }
    }
    const QByteArray shown = payload.left(kMostShownBytes);
    QString text;
    if (format == PayloadFormat::Hex) {
        for (qsizetype offset = 0; offset < shown.size(); offset += kBytesPerLine) {
            text += hexLine(offset, shown.mid(offset, kBytesPerLine));
        }
    } else {
        text = QString::fromUtf8(shown);
    }
    if (shown.size() < payload.size()) {
        text += Words::tr("\n… and %1 more")
                    .arg(bytesText(static_cast<double>(payload.size() - shown.size())));
    }
    return text;
}

QString payloadPreview(const QByteArray &payload, bool isText)
{
    if (!isText) {
        return Words::tr("binary, %1: %2")
            .arg(bytesText(static_cast<double>(payload.size())),
                 QString::fromLatin1(payload.left(kPreviewCharacters / 4).toHex(' ')));
    }
    return QString::fromUtf8(payload.left(kPreviewCharacters * 4))
        .left(kPreviewCharacters)
        .simplified();
}

} // namespace relay::gui
