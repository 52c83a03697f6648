#pragma once

#include <QByteArrayView>

#include <array>

namespace relay {

/// Says whether a text that arrives in pieces is UTF-8 (RFC 3629), at the first byte that cannot
/// be.
///
/// The bulk of a piece goes to QByteArrayView's own fast check; only the few bytes of a code point
/// that is cut by the end of a piece are carried over.
///
/// Thread: confined to its owner's.
class Utf8Validator
{
public:
    /// Checks the next piece; false when no continuation can make the text valid any more.
    [[nodiscard]] bool feed(QByteArrayView piece);
    /// Whether the text may end here: no code point is unfinished.
    [[nodiscard]] bool isComplete() const { return m_carriedBytes == 0; }
    void reset() { m_carriedBytes = 0; }

private:
    std::array<char, 4> m_carried{};
    quint8 m_carriedBytes = 0;
};

} // namespace relay
