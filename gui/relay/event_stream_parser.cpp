#include "gui/relay/event_stream_parser.h"

#include <utility>

namespace relay::gui {

QList<StreamEvent> EventStreamParser::feed(QByteArrayView bytes)
{
    QList<StreamEvent> events;
    for (const char c : bytes) {
        const bool endsReturn = m_isAfterReturn && c == '\n';
        m_isAfterReturn = c == '\r';
        if (endsReturn) {
            continue;
        }
        if (c == '\n' || c == '\r') {
            takeLine(events);
        } else if (isFull()) {
            m_isTooLong = true;
        } else {
            m_line.append(c);
        }
    }
    return events;
}

void EventStreamParser::reset()
{
    *this = EventStreamParser();
}

void EventStreamParser::takeLine(QList<StreamEvent> &events)
{
    if (std::exchange(m_isFirstLine, false) && m_line.startsWith("\xef\xbb\xbf")) {
        m_line.remove(0, 3);
    }
    if (m_line.isEmpty()) {
        dispatch(events);
        return;
    }
    const qsizetype colon = m_line.indexOf(':');
    const QByteArrayView line = m_line;
    const QByteArrayView name = colon < 0 ? line : line.first(colon);
    QByteArrayView value = colon < 0 ? QByteArrayView() : line.sliced(colon + 1);
    if (value.startsWith(' ')) {
        value = value.sliced(1);
    }
    if (name == "data") {
        m_data.append(value).append('\n');
        m_hasData = true;
    } else if (name == "event") {
        m_type = value.toByteArray();
    } else if (name == "id" && !value.contains('\0')) {
        m_id = value.toByteArray();
    }
    m_line.resize(0); // keeps its memory for the next
}

void EventStreamParser::dispatch(QList<StreamEvent> &events)
{
    if (m_isTooLong) {
        ++m_tooLong;
    } else if (m_hasData) {
        m_data.chop(1);
        events.append({m_id, m_type.isEmpty() ? QByteArray("message") : m_type, m_data});
    }
    m_type.clear();
    m_data.clear();
    m_hasData = false;
    m_isTooLong = false;
}

} // namespace relay::gui
