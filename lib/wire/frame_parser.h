#pragma once

#include "wire/frame.h"
#include "wire/mask.h"

#include <QtGlobal>

#include <array>
#include <span>

namespace relay {

/// A rule of the protocol that a client broke; each ends the connection with its close code.
/// wire/violation.cpp holds the table of codes, texts and metric labels.
enum class Violation : quint8 {
    ReservedBits,           ///< 1002  RSV1 to RSV3 without an extension (section 5.2)
    UnknownOpcode,          ///< 1002  3 to 7, 0xB to 0xF (section 5.2)
    NotMasked,              ///< 1002  a client's frame without a mask (section 5.1)
    NonMinimalLength,       ///< 1002  a length in too many bytes, or with bit 63 set (section 5.2)
    FragmentedControl,      ///< 1002  a control frame without FIN (section 5.5)
    OversizedControl,       ///< 1002  a control frame over 125 bytes (section 5.5)
    UnexpectedContinuation, ///< 1002  nothing to continue (section 5.4)
    InterruptedMessage,     ///< 1002  a new message inside a fragmented one (section 5.4)
    InvalidClosePayload,    ///< 1002  one byte, or a code that must not be sent (section 7.4)
    InvalidUtf8,            ///< 1007  in a text message or a close reason (sections 5.6, 8.1)
    MessageTooBig,          ///< 1009  past limits.message_size
};

inline constexpr int kViolationCount = static_cast<int>(Violation::MessageTooBig) + 1;

struct ViolationInfo
{
    quint16 closeCode;
    const char *label; ///< for metrics: "reserved_bits"
    const char *text;  ///< for the close frame's reason and the log: short ASCII, at most 123 bytes
};

const ViolationInfo &describe(Violation violation);

/// What a frame's head said.
struct FrameHead
{
    Opcode opcode = Opcode::Continuation;
    bool fin = false;
    quint64 payloadBytes = 0;
    MaskKey mask{};
};

/// Takes a client's byte stream apart into frames. Keeps nothing but an unfinished head: payload
/// bytes are passed on as they arrive, still masked.
///
/// Use: call next() until the input is used up. It consumes from the front of `input` and says what
/// it found.
///
/// Thread: confined to its owner's.
/// Owner: MessageAssembler, by value.
///
/// Limits: it allocates nothing; whether a payload is too long is its owner's to say, at the Head
/// event.
///
/// Errors: a Violation; the parser must not be fed again after one.
class FrameParser
{
public:
    enum class Event : quint8 {
        NeedMore,  ///< the input is used up
        Head,      ///< head() is complete; its payload follows as Payload events (none if empty)
        Payload,   ///< chunk() is the next piece of payload; frameDone(): the last one
        Violation, ///< violation() names the rule
    };

    Event next(std::span<const char> &input);

    [[nodiscard]] const FrameHead &head() const { return m_head; }
    [[nodiscard]] std::span<const char> chunk() const { return m_chunk; }
    /// The offset of chunk() in its payload: its low two bits are the phase of the mask.
    [[nodiscard]] quint64 chunkOffset() const { return m_chunkOffset; }
    [[nodiscard]] bool frameDone() const { return m_remaining == 0; }
    [[nodiscard]] Violation violation() const { return m_violation; }
    /// Whether the input ended between two frames: neither a head nor a payload is unfinished.
    [[nodiscard]] bool isBetweenFrames() const { return m_headHave == 0 && m_remaining == 0; }

private:
    /// The longest head of a client's frame: two bytes, a 64-bit length, a mask.
    static constexpr std::size_t kMaxMaskedHeadBytes = 14;

    Event nextHead(std::span<const char> &input);
    Event nextWholeHead(std::span<const char> &input);
    Event beginPayload(quint64 length, const quint8 *mask);
    Event nextPayload(std::span<const char> &input);
    Event fail(Violation violation);
    void take(std::span<const char> &input, std::size_t upTo);

    std::array<quint8, kMaxMaskedHeadBytes> m_headBytes{};
    quint8 m_headHave = 0; ///< of m_headBytes; 0 as soon as the head is decoded
    Violation m_violation{};
    FrameHead m_head;
    quint64 m_remaining = 0; ///< of the current frame's payload
    quint64 m_chunkOffset = 0;
    std::span<const char> m_chunk;
};

} // namespace relay
