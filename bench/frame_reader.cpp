#include "frame_reader.h"

#include <algorithm>
#include <cstring>

namespace relay::bench {

namespace {

constexpr unsigned kContinuation = 0x0;
constexpr unsigned kBinary = 0x2;
constexpr unsigned kClose = 0x8;
constexpr unsigned kPing = 0x9;
constexpr unsigned kPong = 0xA;

} // namespace

FrameReader::Event FrameReader::fail(const char *rule)
{
    m_violation = rule;
    return Event::Violation;
}

FrameReader::Event FrameReader::next(std::span<const char> &input)
{
    while (true) {
        if (!m_isInPayload) {
            if (const Event event = readHead(input); event == Event::Violation) {
                return event;
            }
            if (!m_isInPayload) {
                return Event::NeedMore;
            }
        }
        const std::size_t piece = std::min<std::uint64_t>(m_left, input.size());
        takePayload(input.first(piece));
        input = input.subspan(piece);
        m_left -= piece;
        if (m_left > 0) {
            return Event::NeedMore;
        }
        if (const Event event = finishFrame(); event != Event::NeedMore) {
            return event;
        }
    }
}

FrameReader::Event FrameReader::readHead(std::span<const char> &input)
{
    while (m_headHave < m_headNeed) {
        if (input.empty()) {
            return Event::NeedMore;
        }
        m_head[m_headHave++] = static_cast<unsigned char>(input.front());
        input = input.subspan(1);
        if (m_headHave == 2) {
            const unsigned length = m_head[1] & 0x7FU;
            m_headNeed = length == 127 ? 10 : (length == 126 ? 4 : 2);
        }
    }
    return acceptHead();
}

FrameReader::Event FrameReader::acceptHead()
{
    const unsigned opcode = m_head[0] & 0x0FU;
    const bool isControl = (opcode & 0x8U) != 0;
    if ((m_head[0] & 0x70U) != 0) {
        return fail("a reserved bit is set, and no extension was offered");
    }
    if ((m_head[1] & 0x80U) != 0) {
        return fail("a server's frame is masked");
    }
    if (opcode > kPong || (opcode > kBinary && opcode < kClose)) {
        return fail("an unknown opcode");
    }
    if (isControl && (m_headNeed != 2 || (m_head[0] & 0x80U) == 0)) {
        return fail("a control frame that is fragmented or over 125 bytes");
    }
    if (!isControl && (opcode == kContinuation) != m_isInMessage) {
        return fail(m_isInMessage ? "a message inside another's fragments"
                                  : "a continuation of nothing");
    }
    m_left = m_head[1] & 0x7FU;
    if (m_headNeed > 2) {
        m_left = 0;
        for (std::size_t i = 2; i < m_headNeed; ++i) {
            m_left = (m_left << 8) | m_head[i];
        }
    }
    if (isControl) {
        m_controlHave = 0;
    } else if (!m_isInMessage) {
        m_isInMessage = true;
        m_messageBytes = 0;
        m_frontInInput = nullptr;
    }
    m_isInPayload = true;
    return Event::NeedMore;
}

void FrameReader::takePayload(std::span<const char> piece)
{
    if (piece.empty()) {
        return;
    }
    const bool isFinal = (m_head[0] & 0x80U) != 0;
    if ((m_head[0] & 0x8U) != 0) {
        std::memcpy(m_control.data() + m_controlHave, piece.data(), piece.size());
        m_controlHave = static_cast<std::uint8_t>(m_controlHave + piece.size());
        return;
    }
    if (m_messageBytes == 0 && isFinal && piece.size() == m_left) {
        m_frontInInput = piece.data();
    } else if (m_messageBytes < kKeptBytes) {
        const std::size_t wanted = kKeptBytes - static_cast<std::size_t>(m_messageBytes);
        std::memcpy(m_front.data() + m_messageBytes, piece.data(), std::min(wanted, piece.size()));
    }
    m_messageBytes += piece.size();
}

FrameReader::Event FrameReader::finishFrame()
{
    m_isInPayload = false;
    m_headHave = 0;
    m_headNeed = 2;
    switch (m_head[0] & 0x0FU) {
    case kClose:
        return m_controlHave == 1 ? fail("a close frame with half a code") : Event::Close;
    case kPing:
        return Event::Ping;
    case kPong:
        return Event::Pong;
    default:
        break;
    }
    if ((m_head[0] & 0x80U) == 0) {
        return Event::NeedMore;
    }
    m_isInMessage = false;
    return Event::Message;
}

std::span<const char> FrameReader::front() const
{
    if (m_frontInInput != nullptr) {
        return {m_frontInInput, static_cast<std::size_t>(m_messageBytes)};
    }
    return std::span(m_front).first(std::min<std::uint64_t>(m_messageBytes, kKeptBytes));
}

std::uint16_t FrameReader::closeCode() const
{
    if (m_controlHave < 2) {
        return 1005;
    }
    const auto high = static_cast<unsigned char>(m_control[0]);
    const auto low = static_cast<unsigned char>(m_control[1]);
    return static_cast<std::uint16_t>((high << 8) | low);
}

} // namespace relay::bench
