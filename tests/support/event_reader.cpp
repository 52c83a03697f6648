#include "support/event_reader.h"

#include <utility>

namespace relay::test {

std::optional<StreamEvent> EventReader::next()
{
    qsizetype begin = 0;
    std::optional<StreamEvent> event;
    for (qsizetype end = m_bytes.indexOf('\n'); end >= 0 && !event;
         end = m_bytes.indexOf('\n', begin)) {
        const QByteArray line = m_bytes.mid(begin, end - begin);
        begin = end + 1;
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
            event = std::move(whole);
        }
    }
    m_bytes.remove(0, begin);
    return event;
}

void EventReader::readField(const QByteArray &line)
{
    const qsizetype colon = line.indexOf(':');
    const QByteArray name = colon < 0 ? line : line.first(colon);
    QByteArray value = colon < 0 ? QByteArray() : line.mid(colon + 1);
    if (value.startsWith(' ')) {
        value.remove(0, 1);
    }
    if (line.contains('\r') || (name == "id" && value.contains('\0'))) {
        m_problem = line;
    } else if (name.isEmpty()) {
        ++m_comments;
    } else if (name == "data") {
        m_event.data += value + '\n';
        m_hasData = true;
    } else if (name == "id") {
        m_id = value;
    } else if (name == "event") {
        m_event.type = value;
    } else if (name == "retry") {
        m_retry = value.toInt();
    } else {
        m_problem = line;
    }
}

} // namespace relay::test
