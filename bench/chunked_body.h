#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace relay::bench {

/// Takes the framing off an HTTP/1.1 body in chunks (RFC 9112, section 7.1), at any split.
///
/// Thread: its worker's.
/// Owner: Connection, by value.
/// Errors: isBroken(); it must not be fed again after one.
class ChunkedBody
{
public:
    /// Moves what is of the body to the front of `bytes`, and returns that.
    std::span<char> unwrap(std::span<char> bytes);

    /// The last chunk has come; what follows it is ignored.
    [[nodiscard]] bool isAtEnd() const { return m_state == State::End; }
    [[nodiscard]] bool isBroken() const { return m_state == State::Broken; }

private:
    enum class State : std::uint8_t {
        Size,
        Extension, ///< what may stand behind the size, to the line's end
        Data,
        DataEnd, ///< the line end behind a chunk
        End,
        Broken
    };

    void takeFraming(char c);
    void takeSizeDigit(char c);

    State m_state = State::Size;
    bool m_hasDigit = false;
    std::uint64_t m_left = 0;
};

} // namespace relay::bench
