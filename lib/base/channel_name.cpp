#include "base/channel_name.h"

#include "base/segment_reader.h"
#include "base/utf8_text.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace relay {

namespace {

/// Whose rules are checked, and what the messages call it.
enum class Kind {
    Name,
    Pattern
};

QString nounOf(Kind kind)
{
    return kind == Kind::Name ? QStringLiteral("the channel's name")
                              : QStringLiteral("the channel pattern");
}

QString quoted(QByteArrayView utf8)
{
    return QLatin1Char('"') % textOf(utf8) % QLatin1Char('"');
}

/// The digit's value, or -1.
int hexDigit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/// Nothing when a `%` is not followed by two hexadecimal digits.
std::optional<QByteArray> percentDecoded(QByteArrayView text)
{
    QByteArray decoded;
    decoded.reserve(text.size());
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hexDigit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hexDigit(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

/// The first control character (C0, DEL, C1) of valid UTF-8.
std::optional<uint> controlCharacter(QByteArrayView utf8)
{
    uint previous = 0;
    for (const char c : utf8) {
        const uint byte = static_cast<quint8>(c);
        if (byte < 0x20 || byte == 0x7F) {
            return byte;
        }
        if (previous == 0xC2 && byte < 0xA0) { // C2 80 to C2 9F are U+0080 to U+009F
            return byte;
        }
        previous = byte;
    }
    return std::nullopt;
}

Outcome checkCharacters(QByteArrayView bytes, Kind kind)
{
    if (bytes.size() > ChannelName::kMaxBytes) {
        return Error{nounOf(kind) % QLatin1String(" is ") % QString::number(bytes.size())
                     % QLatin1String(" bytes long; at most ")
                     % QString::number(ChannelName::kMaxBytes) % QLatin1String(" are allowed")};
    }
    if (!bytes.isValidUtf8()) {
        return Error{nounOf(kind) % QLatin1String(" is not valid UTF-8")};
    }
    if (const std::optional<uint> control = controlCharacter(bytes)) {
        return Error{nounOf(kind) % QLatin1String(" has a control character: U+")
                     % QString::number(*control, 16).toUpper().rightJustified(4, QLatin1Char('0'))};
    }
    return success();
}

/// The rules that names and patterns share.
Outcome checkSegments(QByteArrayView bytes, Kind kind)
{
    for (SegmentReader segments(bytes); !segments.atEnd();) {
        const QByteArrayView segment = segments.next();
        if (segment.isEmpty()) {
            return Error{nounOf(kind) % QLatin1String(" has an empty segment: ") % quoted(bytes)
                         % QLatin1String("; leave out the needless slash")};
        }
        if (segment == QByteArrayView(".") || segment == QByteArrayView("..")) {
            return Error{nounOf(kind) % QLatin1String(" has a segment ") % quoted(segment)
                         % QLatin1String(", which URLs cannot hold: ") % quoted(bytes)};
        }
    }
    return success();
}

Outcome checkWildcards(QByteArrayView bytes, Kind kind)
{
    for (SegmentReader segments(bytes); !segments.atEnd();) {
        const QByteArrayView segment = segments.next();
        if (kind == Kind::Name && (isAnySegment(segment) || isAnyRest(segment))) {
            return Error{quoted(bytes)
                         % QLatin1String(" is a pattern: it can be listened to, and no more")};
        }
        if (isAnyRest(segment) && !segments.atEnd()) {
            return Error{QLatin1String("\"**\" stands for the rest of a name: it must be the last "
                                       "segment of ")
                         % quoted(bytes)};
        }
    }
    return success();
}

/// The bytes, decoded, when they follow all rules.
Result<QByteArray> checked(QByteArray bytes, Kind kind)
{
    for (const auto check : {checkCharacters, checkSegments, checkWildcards}) {
        if (const Outcome outcome = check(bytes, kind); !outcome) {
            return outcome.error();
        }
    }
    return bytes;
}

Result<QByteArray> checkedPath(QByteArrayView path, Kind kind)
{
    if (path.isEmpty() || path.front() != '/') {
        return Error{QStringLiteral("the path does not begin with a slash")};
    }
    std::optional<QByteArray> bytes = percentDecoded(path.sliced(1));
    if (!bytes) {
        return Error{nounOf(kind)
                     % QLatin1String(" has a \"%\" without two hexadecimal digits after it; "
                                     "a percent sign itself is written %25")};
    }
    return checked(*std::move(bytes), kind);
}

Result<QByteArray> checkedText(QByteArrayView text, Kind kind)
{
    const bool isRoot = text.size() == 1 && text.front() == '/';
    return checked(isRoot ? QByteArray() : text.toByteArray(), kind);
}

QString displayed(const QByteArray &bytes)
{
    return bytes.isEmpty() ? QStringLiteral("/") : textOf(bytes);
}

} // namespace

Result<ChannelName> ChannelName::fromPath(QByteArrayView path)
{
    Result<QByteArray> bytes = checkedPath(path, Kind::Name);
    if (!bytes) {
        return bytes.error();
    }
    return ChannelName(std::move(bytes).value());
}

Result<ChannelName> ChannelName::fromText(QByteArrayView text)
{
    Result<QByteArray> bytes = checkedText(text, Kind::Name);
    if (!bytes) {
        return bytes.error();
    }
    return ChannelName(std::move(bytes).value());
}

QString ChannelName::toString() const
{
    return displayed(m_bytes);
}

QByteArray ChannelName::toPath() const
{
    return '/' + m_bytes.toPercentEncoding("/");
}

Result<ChannelPattern> ChannelPattern::fromPath(QByteArrayView path)
{
    Result<QByteArray> bytes = checkedPath(path, Kind::Pattern);
    if (!bytes) {
        return bytes.error();
    }
    return ChannelPattern(std::move(bytes).value());
}

Result<ChannelPattern> ChannelPattern::fromText(QByteArrayView text)
{
    Result<QByteArray> bytes = checkedText(text, Kind::Pattern);
    if (!bytes) {
        return bytes.error();
    }
    return ChannelPattern(std::move(bytes).value());
}

bool ChannelPattern::isPattern(QByteArrayView path)
{
    if (path.isEmpty() || path.front() != '/') {
        return false;
    }
    const std::optional<QByteArray> bytes = percentDecoded(path.sliced(1));
    if (!bytes) {
        return false;
    }
    for (SegmentReader segments(*bytes); !segments.atEnd();) {
        const QByteArrayView segment = segments.next();
        if (isAnySegment(segment) || isAnyRest(segment)) {
            return true;
        }
    }
    return false;
}

QString ChannelPattern::toString() const
{
    return displayed(m_bytes);
}

bool ChannelPattern::matches(const ChannelName &name) const
{
    if (name.isReserved()) {
        return false;
    }
    SegmentReader expected(m_bytes);
    SegmentReader actual(name.bytes());
    while (!expected.atEnd()) {
        const QByteArrayView segment = expected.next();
        if (isAnyRest(segment)) {
            return true;
        }
        if (actual.atEnd()) {
            return false;
        }
        if (const QByteArrayView other = actual.next(); !isAnySegment(segment) && segment != other)
        {
            return false;
        }
    }
    return actual.atEnd();
}

} // namespace relay
