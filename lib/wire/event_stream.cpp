#include "wire/event_stream.h"

#include <algorithm>

namespace relay {

namespace {

void appendField(QByteArray &out, QByteArrayView name, QByteArrayView value)
{
    out.append(name).append(": ").append(value).append('\n');
}

/// Where the line that begins at `begin` ends: at a CR, an LF, or the end of the text.
qsizetype endOfLine(QByteArrayView text, qsizetype begin)
{
    const auto isLineEnd = [](char c) { return c == '\r' || c == '\n'; };
    return std::find_if(text.begin() + begin, text.end(), isLineEnd) - text.begin();
}

/// One line for each of the text's, so that N line ends give N + 1: also none, for an empty text,
/// and one at its end.
void appendData(QByteArray &out, QByteArrayView text)
{
    for (qsizetype begin = 0;;) {
        const qsizetype end = endOfLine(text, begin);
        appendField(out, "data", text.sliced(begin, end - begin));
        if (end == text.size()) {
            return;
        }
        const bool isCrLf = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
        begin = end + (isCrLf ? 2 : 1);
    }
}

/// Room for the fields' names and one line of data.
constexpr qsizetype kFieldBytes = 32;

} // namespace

QByteArray toEvent(QByteArrayView id, QByteArrayView type, QByteArrayView data)
{
    QByteArray event;
    event.reserve(id.size() + type.size() + data.size() + kFieldBytes);
    if (!id.isEmpty()) {
        appendField(event, "id", id);
    }
    if (!type.isEmpty()) {
        appendField(event, "event", type);
    }
    appendData(event, data);
    event.append('\n');
    return event;
}

QByteArray toEventPreamble(QByteArrayView id, qint64 retryMilliseconds)
{
    QByteArray preamble;
    appendField(preamble, "retry", QByteArray::number(retryMilliseconds));
    if (!id.isEmpty()) {
        appendField(preamble, "id", id);
    }
    preamble.append('\n');
    return preamble;
}

QByteArray eventHeartbeat()
{
    return QByteArrayLiteral(":\n");
}

} // namespace relay
