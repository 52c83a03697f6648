#pragma once

#include "message_stamp.h"

#include <array>
#include <cstdint>
#include <span>

namespace relay::bench {

/// Takes a server's byte stream apart into messages and control frames, at any split. Of a message
/// it keeps only the front; the rest is skipped. Fragments of a message count as one.
///
/// Use: call next() until it says NeedMore. It consumes from the front of `input`.
/// Thread: its worker's.
/// Owner: Connection, by value.
/// Limits: no allocation, whatever a frame's length.
/// Errors: Violation, with violation() saying which rule; the reader must not be fed again after
/// one.
class FrameReader
{
public:
    enum class Event : std::uint8_t {
        NeedMore,
        Message,
        Ping,
        Pong,
        Close,
        Violation
    };

    /// Of a message that comes in pieces, so much is kept: a stamp, and the head line of a channel
    /// with a short name before it.
    static constexpr std::size_t kKeptBytes = 512;

    Event next(std::span<const char> &input);

    /// After Message, and until the input is gone: what it begins with, at least kKeptBytes if it
    /// is so long.
    [[nodiscard]] std::span<const char> front() const;
    /// After Message: its length, all fragments together, and whether it was long enough to hold a
    /// stamp.
    [[nodiscard]] std::uint64_t messageBytes() const { return m_messageBytes; }
    [[nodiscard]] bool hasStamp() const { return m_messageBytes >= kStampBytes; }
    /// Precondition: hasStamp().
    [[nodiscard]] MessageStamp stamp() const { return readStamp(front().data()); }

    /// After Ping, Pong or Close: what it carried.
    [[nodiscard]] std::span<const char> controlPayload() const
    {
        return std::span(m_control).first(m_controlHave);
    }
    /// After Close: its code, 1005 if it had none.
    [[nodiscard]] std::uint16_t closeCode() const;

    /// After Violation.
    [[nodiscard]] const char *violation() const { return m_violation; }

private:
    Event readHead(std::span<const char> &input);
    Event acceptHead();
    Event finishFrame();
    Event fail(const char *rule);
    void takePayload(std::span<const char> piece);

    // One frame. Its head is complete when m_headNeed bytes are there; until then nothing below is
    // of it.
    std::array<unsigned char, 10> m_head{};
    std::uint8_t m_headHave = 0;
    std::uint8_t m_headNeed = 2;
    std::uint8_t m_controlHave = 0;
    bool m_isInPayload = false;
    std::uint64_t m_left = 0;

    // One message.
    bool m_isInMessage = false;
    std::uint64_t m_messageBytes = 0;
    const char *m_frontInInput = nullptr; ///< if the message lay in the input whole: no copy
    std::array<char, kKeptBytes> m_front{};

    std::array<char, 125> m_control{};
    const char *m_violation = "";
};

} // namespace relay::bench
