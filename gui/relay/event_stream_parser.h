#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QList>

namespace relay::gui {

/// An event of a text/event-stream; a type that was not sent is "message".
struct StreamEvent
{
    QByteArray id; ///< the last that was sent, by this event or one before
    QByteArray type;
    QByteArray data;

    friend bool operator==(const StreamEvent &, const StreamEvent &) = default;
};

/// Takes a text/event-stream (WHATWG HTML, section 9.2.6) apart, at any split.
///
/// Thread: a value.
/// Limits: an event past kMaxEventBytes is left out, and counted.
/// Errors: none; every byte string is an event stream.
class EventStreamParser
{
public:
    /// More than the relay's largest message (limits.message_size: 64 MiB at most, 1 MiB by
    /// default) is not worth showing.
    static constexpr qsizetype kMaxEventBytes = qsizetype{4} << 20;

    /// The events that these bytes end.
    QList<StreamEvent> feed(QByteArrayView bytes);
    /// Forgets what is unfinished: another stream begins.
    void reset();
    [[nodiscard]] qint64 tooLong() const { return m_tooLong; }

private:
    void takeLine(QList<StreamEvent> &events);
    void dispatch(QList<StreamEvent> &events);
    [[nodiscard]] bool isFull() const { return m_line.size() + m_data.size() >= kMaxEventBytes; }

    QByteArray m_line;
    QByteArray m_type;
    QByteArray m_data;
    QByteArray m_id;
    qint64 m_tooLong = 0;
    bool m_hasData = false;
    bool m_isTooLong = false;
    bool m_isFirstLine = true;    ///< a byte order mark may precede it
    bool m_isAfterReturn = false; ///< a line feed that follows belongs to the same line end
};

} // namespace relay::gui
