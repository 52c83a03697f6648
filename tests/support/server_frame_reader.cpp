#include "support/server_frame_reader.h"

namespace relay::test {

namespace {

bool isSendable(quint16 code)
{
    const bool isDefined =
        code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
    return isDefined || (code >= 3000 && code <= 4999);
}

} // namespace

quint16 ServerFrame::closeCode() const
{
    if (payload.size() < 2) {
        return 0;
    }
    return static_cast<quint16>((static_cast<quint8>(payload[0]) << 8)
                                | static_cast<quint8>(payload[1]));
}

quint64 ServerFrameReader::bigEndian(qsizetype at, int bytes) const
{
    quint64 value = 0;
    for (int i = 0; i < bytes; ++i) {
        value = (value << 8) | static_cast<quint8>(m_bytes[at + i]);
    }
    return value;
}

ServerFrameReader::Status ServerFrameReader::fail(const char *problem)
{
    m_problem = problem;
    return Status::Malformed;
}

ServerFrameReader::Status ServerFrameReader::next()
{
    const qsizetype have = m_bytes.size() - m_begin;
    if (have < 2) {
        return Status::NeedMore;
    }
    const auto first = static_cast<quint8>(m_bytes[m_begin]);
    const auto second = static_cast<quint8>(m_bytes[m_begin + 1]);
    if ((second & 0x80) != 0) {
        return fail("a server's frame is masked (section 5.1)");
    }
    const int lengthBytes = second == 127 ? 8 : (second == 126 ? 2 : 0);
    const qsizetype headBytes = 2 + lengthBytes;
    if (have < headBytes) {
        return Status::NeedMore;
    }
    const quint64 length = lengthBytes == 0 ? second : bigEndian(m_begin + 2, lengthBytes);
    if ((second == 126 && length < 126) || (second == 127 && length <= 0xFFFF)) {
        return fail("the length is not in its shortest form (section 5.2)");
    }
    if (length > 0x7FFF'FFFF) {
        return fail("the length is beyond all reason");
    }
    const auto payloadBytes = static_cast<qsizetype>(length);
    if (have < headBytes + payloadBytes) {
        return Status::NeedMore;
    }
    m_frame = {.opcode = Op{static_cast<quint8>(first & 0x0F)},
               .fin = (first & 0x80) != 0,
               .rsv = static_cast<quint8>((first >> 4) & 0x07),
               .payload = m_bytes.mid(m_begin + headBytes, payloadBytes)};
    m_begin += headBytes + payloadBytes;
    if (m_begin == m_bytes.size()) {
        m_bytes.clear();
        m_begin = 0;
    }
    return checkFrame();
}

ServerFrameReader::Status ServerFrameReader::checkFrame()
{
    if (m_frame.rsv != 0) {
        return fail("a reserved bit is set without an extension (section 5.2)");
    }
    switch (m_frame.opcode) {
    case Op::Continuation:
    case Op::Text:
    case Op::Binary:
        return Status::Frame;
    case Op::Close:
    case Op::Ping:
    case Op::Pong:
        break;
    default:
        return fail("the opcode is reserved (section 5.2)");
    }
    if (!m_frame.fin || m_frame.payload.size() > 125) {
        return fail("a control frame is fragmented or longer than 125 bytes (section 5.5)");
    }
    if (m_frame.opcode == Op::Close && !m_frame.payload.isEmpty()) {
        if (!isSendable(m_frame.closeCode())) {
            return fail("a close frame has a code that must not be sent (section 7.4)");
        }
        if (!m_frame.payload.mid(2).isValidUtf8()) {
            return fail("a close frame's reason is not UTF-8 (section 5.5.1)");
        }
    }
    return Status::Frame;
}

} // namespace relay::test
