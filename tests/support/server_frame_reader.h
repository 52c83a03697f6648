#pragma once

#include "support/client_frame.h"

#include <QByteArray>

namespace relay::test {

struct ServerFrame
{
    Op opcode = Op::Continuation;
    bool fin = true;
    quint8 rsv = 0;
    QByteArray payload;

    /// The code of a close frame; 0 when it has none.
    [[nodiscard]] quint16 closeCode() const;
};

/// Takes a server's bytes apart into frames, and accepts nothing that RFC 6455 does not allow a
/// server without extensions: no mask, reserved bits zero, known opcodes, lengths in their shortest
/// form, control frames whole and at most 125 bytes, close frames with a code that may be sent and
/// a reason in UTF-8.
///
/// Thread: confined to its owner's.
/// Owner: RawClient, by value.
/// Errors: Malformed, with what is wrong; nothing can be read after it.
class ServerFrameReader
{
public:
    enum class Status {
        NeedMore,
        Frame, ///< frame() is the next one
        Malformed,
    };

    void append(const QByteArray &bytes) { m_bytes += bytes; }
    Status next();

    [[nodiscard]] const ServerFrame &frame() const { return m_frame; }
    [[nodiscard]] const QByteArray &problem() const { return m_problem; }
    /// Whether bytes of an unfinished frame are left.
    [[nodiscard]] bool isInFrame() const { return m_begin < m_bytes.size(); }

private:
    Status fail(const char *problem);
    Status checkFrame();
    [[nodiscard]] quint64 bigEndian(qsizetype at, int bytes) const;

    QByteArray m_bytes;
    qsizetype m_begin = 0; ///< of the first byte that is not read yet
    ServerFrame m_frame;
    QByteArray m_problem;
};

} // namespace relay::test
