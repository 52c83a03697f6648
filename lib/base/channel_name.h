#pragma once

#include "base/result.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QHashFunctions>
#include <QString>

#include <functional>

namespace relay {

/// The name of a channel: the path of its URL without the leading slash, percent-decoded.
///
/// Segments are parted by `/`; none is empty, `.` or `..`, and none is `*` or `**`, which make a
/// ChannelPattern. UTF-8 without control characters, at most kMaxBytes. The root channel's name is
/// empty, shown as "/". To construct is to validate; a default-constructed name is the root's.
///
/// Thread: a value.
/// Limits: kMaxBytes, decoded.
/// Errors: a sentence for the client; it quotes the name only when that holds nothing harmful.
class ChannelName
{
public:
    static constexpr qsizetype kMaxBytes = 255;

    ChannelName() = default;

    /// From the path of a request target ("/chat/caf%C3%A9"), without its query. What is
    /// percent-encoded counts as if it were not: `%2F` parts segments, too.
    static Result<ChannelName> fromPath(QByteArrayView path);
    /// From the name itself, as in JSON ("chat/café"); "/" and "" are the root.
    static Result<ChannelName> fromText(QByteArrayView text);

    /// Decoded, without a leading slash; empty for the root.
    [[nodiscard]] const QByteArray &bytes() const { return m_bytes; }
    /// For people, logs and JSON: the root is "/".
    [[nodiscard]] QString toString() const;
    /// As in a URL: with its leading slash, percent-encoded.
    [[nodiscard]] QByteArray toPath() const;

    [[nodiscard]] bool isRoot() const { return m_bytes.isEmpty(); }
    /// Names that begin with "-/" are the relay's own: nobody may publish there or listen.
    [[nodiscard]] bool isReserved() const { return m_bytes.startsWith("-/"); }

    friend bool operator==(const ChannelName &, const ChannelName &) = default;
    friend size_t qHash(const ChannelName &name, size_t seed = 0)
    {
        return qHash(name.m_bytes, seed);
    }

private:
    explicit ChannelName(QByteArray bytes)
        : m_bytes(std::move(bytes))
    {}

    QByteArray m_bytes;
};

/// Names that may be listened to at once: a name in which a segment `*` stands for any one segment,
/// and a last segment `**` for all the rest, which may be nothing: "chat/**" is "chat", too, and
/// "**" is every channel. Without either it stands for the one name. The root's name has no segment,
/// so `*` is never the root.
///
/// Thread: a value.
/// Limits, errors: as ChannelName's.
class ChannelPattern
{
public:
    static Result<ChannelPattern> fromPath(QByteArrayView path);
    static Result<ChannelPattern> fromText(QByteArrayView text);

    /// Whether the path of a request target has a segment `*` or `**`, percent-encoded or not, and
    /// so is to be read as a pattern: no name has one.
    static bool isPattern(QByteArrayView path);

    /// Decoded, without a leading slash.
    [[nodiscard]] const QByteArray &bytes() const { return m_bytes; }
    [[nodiscard]] QString toString() const;

    /// Never true for a reserved name. Walks the segments of both; PatternIndex is for many.
    [[nodiscard]] bool matches(const ChannelName &name) const;

    friend bool operator==(const ChannelPattern &, const ChannelPattern &) = default;
    friend size_t qHash(const ChannelPattern &pattern, size_t seed = 0)
    {
        return qHash(pattern.m_bytes, seed);
    }

private:
    explicit ChannelPattern(QByteArray bytes)
        : m_bytes(std::move(bytes))
    {}

    QByteArray m_bytes;
};

} // namespace relay

template <>
struct std::hash<relay::ChannelName>
{
    /// Seeded: clients choose the names, and must not choose where they collide.
    std::size_t operator()(const relay::ChannelName &name) const noexcept
    {
        return qHash(name, QHashSeed::globalSeed());
    }
};
