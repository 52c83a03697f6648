#include "support/event_reader.h"

#include <utility>

namespace relay::test {

std::optional<StreamEvent> EventReader::next()
{
    for (qsizetype end = m_bytes.indexOf('\n', m_begin); end >= 0;
         end = m_bytes.indexOf('\n', m_begin)) {
        const QByteArray line = m_bytes.mid(m_begin, end - m_begin);
        m_begin = end + 1;
        if (!line.isEmpty()) {
            readField(line);
            continue;
        }
        m_lastId = m_id;
        m_event.id = m_id;
        StreamEvent whole = std::exchange(m_event, {});
        if (std::exchange(m_hasData, false)) {
            whole.data.chop(1); // the line feed behind the last line
            whole.type = whole.type.isEmpty() ? QByteArray("message") : whole.type;
            return whole;
        }
    }
    m_bytes.remove(0, std::exchange(m_begin, 0));
    return std::nullopt;
}

void EventReader::readField(const QByteArray &line)
{
    const qsizetype colon = line.indexOf(':');
    const QByteArray name = colon < 0 ? line : line.first(colon);
    QByteArray value = colon < 0 ? QByteArray() : line.mid(colon + 1);
    if (value.startsWith(' ')) {
        value.remove(0, 1);
    }
    const bool isSound = !line.contains('\r') && !(name == "id" && value.contains('\0'));
    if (name.isEmpty()) {
        ++m_comments;
    } else if (name == "data") {
        m_event.data.append(value).append('\n');
        m_hasData = true;
    } else if (name == "id") {
        m_id = value;
    } else if (name == "event") {
        m_event.type = value;
    } else if (name == "retry") {
        m_retry = value.toInt();
    }
    const bool isKnown =
        name.isEmpty() || name == "data" || name == "id" || name == "event" || name == "retry";
    if (!isSound || !isKnown) {
        m_problem = line;
    }
}

} // namespace relay::test
