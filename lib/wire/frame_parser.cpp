#include "wire/frame_parser.h"

#include <QtEndian>

#include <algorithm>
#include <cstring>
#include <optional>

namespace relay {

namespace {

constexpr quint8 kFinBit = 0x80;
constexpr quint8 kReservedBits = 0x70;
constexpr quint8 kOpcodeBits = 0x0F;
constexpr quint8 kMaskBit = 0x80;
constexpr quint8 kLengthBits = 0x7F;
constexpr quint8 kExtended16 = 126;
constexpr quint8 kExtended64 = 127;
constexpr std::size_t kMaskBytes = std::tuple_size_v<MaskKey>;

constexpr bool isKnownOpcode(quint8 opcode)
{
    return opcode <= static_cast<quint8>(Opcode::Binary)
           || (opcode >= static_cast<quint8>(Opcode::Close)
               && opcode <= static_cast<quint8>(Opcode::Pong));
}

std::optional<Violation> checkFirstFrameByte(quint8 byte)
{
    if ((byte & kReservedBits) != 0) {
        return Violation::ReservedBits;
    }
    const quint8 opcode = byte & kOpcodeBits;
    if (!isKnownOpcode(opcode)) {
        return Violation::UnknownOpcode;
    }
    if (isControl(Opcode{opcode}) && (byte & kFinBit) == 0) {
        return Violation::FragmentedControl;
    }
    return std::nullopt;
}

std::optional<Violation> checkSecondByte(quint8 byte, Opcode opcode)
{
    if ((byte & kMaskBit) == 0) {
        return Violation::NotMasked;
    }
    if (isControl(opcode) && (byte & kLengthBits) > kMaxControlPayloadBytes) {
        return Violation::OversizedControl;
    }
    return std::nullopt;
}

/// Where the length ends in a head with this second byte; the mask follows.
constexpr std::size_t lengthEnd(quint8 secondByte)
{
    switch (secondByte & kLengthBits) {
    case kExtended16:
        return 2 + sizeof(quint16);
    case kExtended64:
        return 2 + sizeof(quint64);
    default:
        return 2;
    }
}

/// The payload's length from a head that is complete up to its mask; nothing when its encoding
/// breaks a rule.
std::optional<quint64> decodeLength(const quint8 *head)
{
    const quint8 shortLength = head[1] & kLengthBits;
    if (shortLength == kExtended16) {
        const auto length = qFromBigEndian<quint16>(head + 2);
        return length >= kExtended16 ? std::optional<quint64>(length) : std::nullopt;
    }
    if (shortLength == kExtended64) {
        const auto length = qFromBigEndian<quint64>(head + 2);
        const bool valid = length > 0xFFFF && (length >> 63) == 0;
        return valid ? std::optional<quint64>(length) : std::nullopt;
    }
    return shortLength;
}

} // namespace

FrameParser::Event FrameParser::next(std::span<const char> &input)
{
    return m_remaining > 0 ? nextPayload(input) : nextHead(input);
}

FrameParser::Event FrameParser::nextHead(std::span<const char> &input)
{
    if (m_headHave == 0 && input.size() >= kMaxMaskedHeadBytes) {
        return nextWholeHead(input);
    }
    // Each of the first two bytes is judged as it comes: a client that does not speak the protocol
    // is told at once.
    if (m_headHave < 1) {
        if (input.empty()) {
            return Event::NeedMore;
        }
        take(input, 1);
        if (const auto broken = checkFirstFrameByte(m_headBytes[0])) {
            return fail(*broken);
        }
        m_head.opcode = Opcode{static_cast<quint8>(m_headBytes[0] & kOpcodeBits)};
        m_head.fin = (m_headBytes[0] & kFinBit) != 0;
    }
    if (m_headHave < 2) {
        if (input.empty()) {
            return Event::NeedMore;
        }
        take(input, 2);
        if (const auto broken = checkSecondByte(m_headBytes[1], m_head.opcode)) {
            return fail(*broken);
        }
    }

    const std::size_t maskBegin = lengthEnd(m_headBytes[1]);
    take(input, maskBegin + kMaskBytes);
    if (m_headHave < maskBegin) {
        return Event::NeedMore;
    }
    const auto length = decodeLength(m_headBytes.data());
    if (!length) {
        return fail(Violation::NonMinimalLength);
    }
    if (m_headHave < maskBegin + kMaskBytes) {
        return Event::NeedMore;
    }
    m_headHave = 0;
    return beginPayload(*length, m_headBytes.data() + maskBegin);
}

/// The usual case: all of the head is there, and needs no keeping. The same rules in the same
/// order.
FrameParser::Event FrameParser::nextWholeHead(std::span<const char> &input)
{
    const auto *head = reinterpret_cast<const quint8 *>(input.data());
    if (const auto broken = checkFirstFrameByte(head[0])) {
        return fail(*broken);
    }
    m_head.opcode = Opcode{static_cast<quint8>(head[0] & kOpcodeBits)};
    m_head.fin = (head[0] & kFinBit) != 0;
    if (const auto broken = checkSecondByte(head[1], m_head.opcode)) {
        return fail(*broken);
    }
    const auto length = decodeLength(head);
    if (!length) {
        return fail(Violation::NonMinimalLength);
    }
    const std::size_t maskBegin = lengthEnd(head[1]);
    input = input.subspan(maskBegin + kMaskBytes);
    return beginPayload(*length, head + maskBegin);
}

FrameParser::Event FrameParser::beginPayload(quint64 length, const quint8 *mask)
{
    std::memcpy(m_head.mask.data(), mask, kMaskBytes);
    m_head.payloadBytes = length;
    m_remaining = length;
    m_chunk = {};
    m_chunkOffset = 0;
    return Event::Head;
}

FrameParser::Event FrameParser::nextPayload(std::span<const char> &input)
{
    if (input.empty()) {
        return Event::NeedMore;
    }
    const auto bytes = static_cast<std::size_t>(std::min<quint64>(input.size(), m_remaining));
    m_chunk = input.first(bytes);
    m_chunkOffset = m_head.payloadBytes - m_remaining;
    m_remaining -= bytes;
    input = input.subspan(bytes);
    return Event::Payload;
}

FrameParser::Event FrameParser::fail(Violation violation)
{
    m_violation = violation;
    return Event::Violation;
}

/// Moves input to m_headBytes until that holds `upTo` bytes, or the input is used up.
void FrameParser::take(std::span<const char> &input, std::size_t upTo)
{
    const std::size_t bytes = std::min(upTo - m_headHave, input.size());
    std::copy_n(input.data(), bytes, m_headBytes.data() + m_headHave);
    m_headHave = static_cast<quint8>(m_headHave + bytes);
    input = input.subspan(bytes);
}

} // namespace relay
