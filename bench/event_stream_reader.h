#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace relay::bench {

/// Takes a text/event-stream (WHATWG HTML, section 9.2.6) apart into events, at any split. Of an
/// event's data it keeps only the front; the rest is counted.
///
/// Use: call next() until it says NeedMore. It consumes from the front of `input`.
/// Thread: its worker's.
/// Owner: Connection, by value.
/// Limits: kKeptBytes of a line and of an event's data are kept.
/// Errors: none; every byte string is an event stream.
class EventStreamReader
{
public:
    enum class Event : std::uint8_t {
        NeedMore,
        Message, ///< an event with data
        Id,      ///< an id without data: where the stream goes on from
    };

    static constexpr std::size_t kKeptBytes = 512;

    Event next(std::span<const char> &input);

    /// After Message: its type, empty if it has none.
    [[nodiscard]] std::string_view type() const { return m_type; }
    /// After Message: its data as far as it is kept, lines joined with LF, and its whole length.
    [[nodiscard]] std::string_view data() const { return m_data; }
    [[nodiscard]] std::uint64_t dataBytes() const { return m_dataBytes; }
    /// The last id that an event had.
    [[nodiscard]] std::string_view lastId() const { return m_lastId; }

private:
    bool takeLine(std::span<const char> &input);
    void keepOfLine(std::string_view piece);
    Event finishLine();
    Event dispatch();
    void keepOfData(std::string_view piece, std::uint64_t bytes);
    void takeField(std::string_view name, std::string_view value, std::uint64_t valueBytes);

    // One line.
    std::string m_line; ///< its front
    std::uint64_t m_lineBytes = 0;
    bool m_isAfterReturn = false; ///< a line feed that follows belongs to the same line end
    bool m_isFirstLine = true;    ///< which may begin with a byte order mark

    // One event.
    bool m_isDispatched = false; ///< what follows is of the next one
    bool m_hasData = false;
    bool m_hasId = false;
    std::string m_type;
    std::string m_data;
    std::uint64_t m_dataBytes = 0;
    std::string m_lastId;
};

} // namespace relay::bench
