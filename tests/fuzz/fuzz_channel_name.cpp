#include "base/channel_name.h"
#include "channels/pattern_index.h"

#include "property.h"

#include <QByteArrayList>
#include <QStringDecoder>

#include <algorithm>
#include <optional>

using namespace relay;

namespace {

QByteArrayList segmentsOf(const QByteArray &bytes)
{
    return bytes.isEmpty() ? QByteArrayList() : bytes.split('/');
}

bool isWildcard(const QByteArray &segment)
{
    return segment == "*" || segment == "**";
}

/// The grammar once more, by other means: Qt's decoders and categories, and a list of segments.
bool isLegalText(const QByteArray &bytes)
{
    QStringDecoder decoder(QStringDecoder::Utf8, QStringConverter::Flag::ConvertInitialBom
                                                     | QStringConverter::Flag::Stateless);
    const QString text = decoder(bytes);
    const auto isControl = [](QChar c) { return c.category() == QChar::Other_Control; };
    const QByteArrayList segments = segmentsOf(bytes);
    return bytes.size() <= 255 && !decoder.hasError() && text.toUtf8() == bytes
           && std::none_of(text.begin(), text.end(), isControl) && !segments.contains("")
           && !segments.contains(".") && !segments.contains("..");
}

/// A path's bytes if it is percent-encoded as it should be.
std::optional<QByteArray> obviouslyDecoded(QByteArray path)
{
    if (!path.startsWith('/')) {
        return std::nullopt;
    }
    path.remove(0, 1);
    for (qsizetype at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 1)) {
        const QByteArray digits = path.mid(at + 1, 2);
        if (QByteArray::fromHex(digits).toHex() != digits.toLower() || digits.size() != 2) {
            return std::nullopt;
        }
    }
    return QByteArray::fromPercentEncoding(path);
}

bool obviouslyMatches(const QByteArrayList &pattern, const QByteArrayList &name)
{
    for (qsizetype i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == "**") {
            return true;
        }
        if (i >= name.size() || (pattern[i] != "*" && pattern[i] != name[i])) {
            return false;
        }
    }
    return pattern.size() == name.size();
}

void checkName(const ChannelName &name)
{
    const QByteArray path = name.toPath();
    const Result<ChannelName> back = ChannelName::fromPath(path);
    require(back && back.value() == name, "a name's path leads back to it");
    require(back.value().toPath() == path, "a name has one path");
    require(std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7F; })
                && !path.contains('?') && !path.contains('#'),
            "a name's path can stand in a request");
    const QByteArray shown = name.toString().toUtf8();
    require(shown == (name.isRoot() ? QByteArray("/") : name.bytes()), "a name is shown whole");
    const Result<ChannelName> fromText = ChannelName::fromText(shown);
    require(fromText && fromText.value() == name, "what is shown leads back to the name");
}

void checkMatch(const ChannelPattern &pattern, const ChannelName &name)
{
    const bool expected =
        !name.isReserved()
        && obviouslyMatches(segmentsOf(pattern.bytes()), segmentsOf(name.bytes()));
    require(pattern.matches(name) == expected, "a pattern matches what it says");

    PatternIndex<const ChannelPattern> index;
    index.add(pattern, &pattern);
    std::vector<const ChannelPattern *> found;
    index.match(name, found);
    require(found.size() == (expected ? 1 : 0), "the index finds what the pattern matches");
    index.remove(pattern, &pattern);
    require(index.isEmpty(), "the index forgets the pattern");
}

/// The patterns that are one step away from the name must match it. Of a name of many segments, the
/// first few: the others cost more than they tell.
void checkPatternsOf(const ChannelName &name)
{
    const QByteArrayList segments = segmentsOf(name.bytes());
    for (qsizetype i = 0; i < std::min<qsizetype>(segments.size(), 4); ++i) {
        QByteArrayList any = segments;
        any[i] = "*";
        const QByteArrayList rest = segments.first(i) + QByteArrayList{"**"};
        for (const QByteArray &text : {any.join('/'), rest.join('/')}) {
            const Result<ChannelPattern> pattern = ChannelPattern::fromText(text);
            require(pattern || text.size() > ChannelName::kMaxBytes, "a name makes a pattern");
            if (pattern) {
                require(pattern.value().matches(name) != name.isReserved(), "and it matches");
                checkMatch(pattern.value(), name);
            }
        }
    }
}

std::optional<ChannelName> checkedName(const QByteArray &path)
{
    const Result<ChannelName> name = ChannelName::fromPath(path);
    const std::optional<QByteArray> bytes = obviouslyDecoded(path);
    const QByteArrayList segments = bytes ? segmentsOf(*bytes) : QByteArrayList();
    const bool isLegal =
        bytes && isLegalText(*bytes) && std::none_of(segments.begin(), segments.end(), isWildcard);
    require(name.hasValue() == isLegal, "a name is accepted by its grammar");
    if (!name) {
        require(!name.error().message.isEmpty(), "a refusal has a reason");
        return std::nullopt;
    }
    require(name.value().bytes() == *bytes, "a name is its path, decoded");
    require(!ChannelPattern::isPattern(path), "a name is no pattern");
    checkName(name.value());
    checkPatternsOf(name.value());
    return name.value();
}

std::optional<ChannelPattern> checkedPattern(const QByteArray &path)
{
    const Result<ChannelPattern> pattern = ChannelPattern::fromPath(path);
    const std::optional<QByteArray> bytes = obviouslyDecoded(path);
    const QByteArrayList segments = bytes ? segmentsOf(*bytes) : QByteArrayList();
    const qsizetype rest = segments.indexOf("**");
    const bool isLegal = bytes && isLegalText(*bytes) && (rest < 0 || rest == segments.size() - 1);
    require(pattern.hasValue() == isLegal, "a pattern is accepted by its grammar");
    require(ChannelPattern::isPattern(path)
                == std::any_of(segments.begin(), segments.end(), isWildcard),
            "a path with a wildcard is a pattern");
    return pattern ? std::optional(pattern.value()) : std::nullopt;
}

} // namespace

// Two lines: the path of a name, and that of a pattern.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    const QByteArray input(reinterpret_cast<const char *>(data), static_cast<qsizetype>(size));
    const qsizetype lineEnd = input.indexOf('\n');
    const QByteArray namePath = input.left(lineEnd);
    const QByteArray patternPath = lineEnd < 0 ? namePath : input.sliced(lineEnd + 1);

    const std::optional<ChannelName> name = checkedName(namePath);
    const std::optional<ChannelPattern> pattern = checkedPattern(patternPath);
    if (name && pattern) {
        checkMatch(*pattern, *name);
    }
    return 0;
}
