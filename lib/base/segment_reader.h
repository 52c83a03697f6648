#pragma once

#include <QByteArrayView>

namespace relay {

/// The segments of a channel's name or of a pattern, from left to right, without copying: what lies
/// between its slashes. The root's empty name has none; "a/" has "a" and "".
///
/// Thread: a value.   Owner: does not own the bytes.
class SegmentReader
{
public:
    explicit SegmentReader(QByteArrayView bytes)
        : m_rest(bytes)
        , m_atEnd(bytes.isEmpty())
    {}

    [[nodiscard]] bool atEnd() const { return m_atEnd; }

    /// Precondition: !atEnd().
    QByteArrayView next()
    {
        const qsizetype slash = m_rest.indexOf('/');
        if (slash < 0) {
            m_atEnd = true;
            return m_rest;
        }
        const QByteArrayView segment = m_rest.first(slash);
        m_rest = m_rest.sliced(slash + 1);
        return segment;
    }

private:
    QByteArrayView m_rest;
    bool m_atEnd;
};

/// Stands for any one segment in a pattern.
constexpr bool isAnySegment(QByteArrayView segment)
{
    return segment.size() == 1 && segment[0] == '*';
}

/// Stands for all the rest, at a pattern's end.
constexpr bool isAnyRest(QByteArrayView segment)
{
    return segment.size() == 2 && segment[0] == '*' && segment[1] == '*';
}

} // namespace relay
