#include "wire/frame.h"

#include <QtEndian>

#include <cstring>
#include <utility>

namespace relay {

namespace {

constexpr quint8 kFin = 0x80;
constexpr char kLength16 = 126; ///< the length follows in 16 bits
constexpr char kLength64 = 127; ///< the length follows in 64 bits

} // namespace

qsizetype writeFrameHead(char *out, Opcode opcode, quint64 payloadBytes)
{
    out[0] = static_cast<char>(kFin | static_cast<quint8>(opcode));
    const qsizetype headBytes = frameHeadBytes(payloadBytes);
    if (headBytes == 2) {
        out[1] = static_cast<char>(payloadBytes);
    } else if (headBytes == 4) {
        out[1] = kLength16;
        qToBigEndian(static_cast<quint16>(payloadBytes), out + 2);
    } else {
        out[1] = kLength64;
        qToBigEndian(payloadBytes, out + 2);
    }
    return headBytes;
}

Frame::Frame(Opcode opcode, qsizetype payloadBytes)
    : m_storage(frameHeadBytes(static_cast<quint64>(payloadBytes)) + payloadBytes,
                Qt::Uninitialized)
    , m_payload(static_cast<quint8>(
          writeFrameHead(m_storage.data(), opcode, static_cast<quint64>(payloadBytes))))
    , m_opcode(opcode)
{}

Frame::Frame(Opcode opcode, QByteArrayView payload)
    : Frame(opcode, payload.size())
{
    if (!payload.isEmpty()) {
        std::memcpy(m_storage.data() + m_payload, payload.data(),
                    static_cast<std::size_t>(payload.size()));
    }
}

Frame Frame::fromMasked(Opcode opcode, std::span<const char> masked, const MaskKey &key)
{
    Frame frame(opcode, static_cast<qsizetype>(masked.size()));
    unmask(frame.m_storage.data() + frame.m_payload, masked, key);
    return frame;
}

Frame Frame::adopt(Opcode opcode, QByteArray headroomAndPayload)
{
    Q_ASSERT(headroomAndPayload.size() >= kMaxFrameHeadBytes);
    const auto payloadBytes = static_cast<quint64>(headroomAndPayload.size() - kMaxFrameHeadBytes);
    const qsizetype begin = kMaxFrameHeadBytes - frameHeadBytes(payloadBytes);

    Frame frame;
    frame.m_storage = std::move(headroomAndPayload);
    frame.m_begin = static_cast<quint8>(begin);
    frame.m_payload = static_cast<quint8>(kMaxFrameHeadBytes);
    frame.m_opcode = opcode;
    writeFrameHead(frame.m_storage.data() + begin, opcode, payloadBytes);
    return frame;
}

} // namespace relay
