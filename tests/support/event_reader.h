#pragma once

#include <QByteArray>

#include <optional>

namespace relay::test {

struct StreamEvent
{
    QByteArray id;   ///< the last event id as it is when the event is dispatched
    QByteArray type; ///< "message" unless it says otherwise
    QByteArray data;
};

/// Reads an event stream as WHATWG HTML, section 9.2.6, says that a browser does, line by line; but
/// takes a line feed only for the end of a line, as the relay writes no other.
///
/// Thread: confined to its owner's.
class EventReader
{
public:
    void append(const QByteArray &bytes) { m_bytes += bytes; }
    /// The next event that is whole.
    std::optional<StreamEvent> next();

    /// What next() has come upon so far.
    [[nodiscard]] const QByteArray &lastId() const { return m_lastId; }
    [[nodiscard]] int retry() const { return m_retry; } ///< -1: not said
    [[nodiscard]] int comments() const { return m_comments; }
    /// A line that no stream of the relay's has; empty: all was sound.
    [[nodiscard]] const QByteArray &problem() const { return m_problem; }

private:
    void readField(const QByteArray &line);

    QByteArray m_bytes;
    qsizetype m_begin = 0; ///< of the first line that is not read yet
    StreamEvent m_event;
    QByteArray m_id;     ///< of the lines since the last empty one
    QByteArray m_lastId; ///< what a browser comes back with
    int m_retry = -1;
    int m_comments = 0;
    bool m_hasData = false;
    QByteArray m_problem;
};

} // namespace relay::test
