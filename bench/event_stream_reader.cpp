#include "event_stream_reader.h"

#include <algorithm>
#include <utility>

namespace relay::bench {

EventStreamReader::Event EventStreamReader::next(std::span<const char> &input)
{
    if (m_isDispatched) {
        m_isDispatched = false;
        m_hasData = false;
        m_hasId = false;
        m_type.clear();
        m_data.clear();
        m_dataBytes = 0;
    }
    while (takeLine(input)) {
        if (const Event event = finishLine(); event != Event::NeedMore) {
            return event;
        }
    }
    return Event::NeedMore;
}

/// Whether a line is complete. It ends with LF, CR or CR LF; the LF of the latter may come later.
bool EventStreamReader::takeLine(std::span<const char> &input)
{
    if (m_isAfterReturn && !input.empty()) {
        m_isAfterReturn = false;
        input = input.subspan(input.front() == '\n' ? 1 : 0);
    }
    const std::string_view text(input.data(), input.size());
    const std::size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) {
        keepOfLine(text);
        input = {};
        return false;
    }
    keepOfLine(text.substr(0, end));
    m_isAfterReturn = text[end] == '\r';
    input = input.subspan(end + 1);
    return true;
}

void EventStreamReader::keepOfLine(std::string_view piece)
{
    m_line += piece.substr(0, kKeptBytes - m_line.size());
    m_lineBytes += piece.size();
}

EventStreamReader::Event EventStreamReader::finishLine()
{
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    std::string_view line = m_line;
    std::uint64_t bytes = m_lineBytes;
    if (std::exchange(m_isFirstLine, false) && line.starts_with(kByteOrderMark)) {
        line.remove_prefix(kByteOrderMark.size());
        bytes -= kByteOrderMark.size();
    }
    Event event = Event::NeedMore;
    if (line.empty()) {
        event = dispatch();
    } else if (const std::size_t colon = line.find(':'); colon != 0) { // else a comment
        const std::string_view name = line.substr(0, colon);
        std::size_t valueAt = std::min(name.size() + 1, line.size());
        valueAt += line.substr(valueAt).starts_with(' ') ? 1 : 0;
        takeField(name, line.substr(valueAt), bytes - valueAt);
    }
    m_line.clear();
    m_lineBytes = 0;
    return event;
}

EventStreamReader::Event EventStreamReader::dispatch()
{
    m_isDispatched = true;
    if (m_hasData) {
        return Event::Message;
    }
    if (m_hasId) {
        return Event::Id;
    }
    m_isDispatched = false;
    m_type.clear();
    return Event::NeedMore;
}

void EventStreamReader::takeField(std::string_view name,
                                  std::string_view value,
                                  std::uint64_t valueBytes)
{
    if (name == "data") {
        if (m_hasData) {
            keepOfData("\n", 1);
        }
        m_hasData = true;
        keepOfData(value, valueBytes);
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
        m_hasId = true;
        m_lastId = value;
    } else if (name == "event") {
        m_type = value;
    }
}

/// `piece` is what there is of `bytes` bytes. Nothing is kept behind what was left out.
void EventStreamReader::keepOfData(std::string_view piece, std::uint64_t bytes)
{
    if (m_data.size() == m_dataBytes) {
        m_data += piece.substr(0, kKeptBytes - m_data.size());
    }
    m_dataBytes += bytes;
}

} // namespace relay::bench
