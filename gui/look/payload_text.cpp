#include "gui/look/payload_text.h"

#include "gui/look/quantity_text.h"

#include <QCoreApplication>
#include <QJsonDocument>

#include <algorithm>

namespace relay::gui {

namespace {

struct PayloadWords
{
    Q_DECLARE_TR_FUNCTIONS(PayloadText)
};

constexpr qsizetype kBytesPerLine = 16;
constexpr qsizetype kPreviewCharacters = 200;

/// Deeper ones are not indented: each level is four characters more on every line.
constexpr int kMaxDepth = 64;

/// How deep its brackets are nested; those within strings count, too.
int depthOf(const QByteArray &json)
{
    int depth = 0;
    int deepest = 0;
    for (const char c : json) {
        if (c == '[' || c == '{') {
            deepest = std::max(deepest, ++depth);
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return deepest;
}

/// Valid JSON with a line for each member and element. Only white space changes: the order of members
/// and the digits of numbers are what was sent.
QByteArray indented(const QByteArray &json)
{
    constexpr qsizetype kIndent = 4;
    QByteArray text;
    int depth = 0;
    char last = 0; // outside strings
    bool isInString = false;
    bool isEscaped = false;
    const auto newLine = [&] { text += '\n' + QByteArray(kIndent * depth, ' '); };
    for (const char c : json) {
        if (isInString) {
            isInString = isEscaped || c != '"';
            isEscaped = !isEscaped && c == '\\';
            text += c;
            continue;
        }
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            continue;
        }
        const bool isFirst = last == '{' || last == '[';
        const bool isClosing = c == '}' || c == ']';
        depth -= isClosing ? 1 : 0;
        if (last == ',' || isFirst != isClosing) {
            newLine();
        }
        depth += c == '{' || c == '[' ? 1 : 0;
        isInString = c == '"';
        text += c;
        if (c == ':') {
            text += ' ';
        }
        last = c;
    }
    return text;
}

/// How many bytes at the end begin a code point, of which the rest is missing.
qsizetype unfinishedBytes(const QByteArray &utf8)
{
    constexpr qsizetype kLongestCodePoint = 4;
    for (qsizetype bytes = 1; bytes < kLongestCodePoint && bytes <= utf8.size(); ++bytes) {
        const auto lead = static_cast<quint8>(utf8[utf8.size() - bytes]);
        if ((lead & 0xC0) != 0x80) {
            const qsizetype length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
            return length > bytes ? bytes : 0;
        }
    }
    return 0;
}

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
    if (format == PayloadFormat::Json && payload.size() <= kMostShownBytes
        && depthOf(payload) <= kMaxDepth)
    {
        if (!QJsonDocument::fromJson(payload).isNull()) {
            return QString::fromUtf8(indented(payload));
        }
    }
    QByteArray shown = payload.left(kMostShownBytes);
    QString text;
    if (format == PayloadFormat::Hex) {
        for (qsizetype offset = 0; offset < shown.size(); offset += kBytesPerLine) {
            text += hexLine(offset, shown.mid(offset, kBytesPerLine));
        }
    } else {
        shown.chop(shown.size() < payload.size() ? unfinishedBytes(shown) : 0);
        text = QString::fromUtf8(shown);
    }
    if (shown.size() < payload.size()) {
        text += PayloadWords::tr("\n… and %1 more")
                    .arg(bytesText(static_cast<double>(payload.size() - shown.size())));
    }
    return text;
}

QString payloadPreview(const QByteArray &payload, bool isText)
{
    if (!isText) {
        return PayloadWords::tr("binary, %1: %2")
            .arg(bytesText(static_cast<double>(payload.size())),
                 QString::fromLatin1(payload.left(kPreviewCharacters / 4).toHex(' ')));
    }
    return QString::fromUtf8(payload.left(kPreviewCharacters * 4))
        .left(kPreviewCharacters)
        .simplified();
}

} // namespace relay::gui
