#pragma once

#include "wire/mask.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QMetaType>

#include <span>

namespace relay {

/// RFC 6455, section 5.2.
enum class Opcode : quint8 {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
};

constexpr bool isControl(Opcode opcode)
{
    return (static_cast<quint8>(opcode) & 0x8) != 0;
}

/// The longest head of an unmasked frame: two bytes and a 64-bit length.
inline constexpr qsizetype kMaxFrameHeadBytes = 10;
/// What a control frame may carry at most (RFC 6455, section 5.5).
inline constexpr qsizetype kMaxControlPayloadBytes = 125;

/// Writes the head of an unmasked, final frame to `out` (room for kMaxFrameHeadBytes) and returns
/// its length, with the shortest length encoding.
qsizetype writeFrameHead(char *out, Opcode opcode, quint64 payloadBytes);

/// How long that head is.
constexpr qsizetype frameHeadBytes(quint64 payloadBytes)
{
    if (payloadBytes < 126) {
        return 2;
    }
    return payloadBytes <= 0xFFFF ? 4 : 10;
}

/// A whole message as the one final, unmasked frame that every receiver is sent.
///
/// Implicitly shared and immutable: a copy is a reference, however many clients it waits for. A
/// server's frames carry no mask, so one byte string serves all.
///
/// Thread: any (QByteArray's reference count is atomic).
class Frame
{
public:
    Frame() = default;

    /// Encodes a message: one allocation, one copy of the payload. `opcode` is Text or Binary.
    Frame(Opcode opcode, QByteArrayView payload);

    /// As above, from a payload as a client sent it: unmasked while it is copied.
    static Frame fromMasked(Opcode opcode, std::span<const char> masked, const MaskKey &key);

    /// Takes a buffer whose first kMaxFrameHeadBytes are free for the head and whose rest is the
    /// payload; no copy.
    static Frame adopt(Opcode opcode, QByteArray headroomAndPayload);

    [[nodiscard]] Opcode opcode() const { return m_opcode; }
    [[nodiscard]] bool isText() const { return m_opcode == Opcode::Text; }
    /// Head and payload, as they go to the wire.
    [[nodiscard]] QByteArrayView bytes() const { return QByteArrayView(m_storage).sliced(m_begin); }
    [[nodiscard]] QByteArrayView payload() const
    {
        return QByteArrayView(m_storage).sliced(m_payload);
    }
    /// The buffer that bytes() looks into, to be kept alive by who keeps a view of it.
    [[nodiscard]] const QByteArray &storage() const { return m_storage; }

private:
    /// The head, and room for a payload that is still to be written.
    Frame(Opcode opcode, qsizetype payloadBytes);

    QByteArray m_storage;
    quint8 m_begin = 0;
    quint8 m_payload = 0;
    Opcode m_opcode = Opcode::Binary;
};

} // namespace relay

Q_DECLARE_METATYPE(relay::Frame)
