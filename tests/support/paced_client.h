#pragma once

#include "support/client_frame.h"
#include "support/server_frame_reader.h"
#include "support/wait_for.h"

#include <QByteArray>
#include <QByteArrayList>

#include <optional>
#include <utility>

namespace relay::test {

/// A client that reads only when, and as much as, it is told to, for a hub that lives in the test's
/// own thread: while it waits, the event loop runs (RawClient blocks).
///
/// Thread: confined to one, with an event loop.
/// Errors: what was waited for and did not come is an empty value.
class PacedClient
{
public:
    /// Connects to 127.0.0.1. `receiveBufferBytes`: how much the system takes for a client that
    /// does not read (0: as it likes).
    explicit PacedClient(quint16 port, int receiveBufferBytes = 0);
    ~PacedClient();
    PacedClient(const PacedClient &) = delete;
    PacedClient &operator=(const PacedClient &) = delete;

    /// A sound opening handshake with further header fields ("Origin: x").
    static QByteArray upgradeRequest(const QByteArrayList &fields = {},
                                     const QByteArray &target = "/");
    /// Sends upgradeRequest(); true once the answer is 101. Frames follow.
    bool upgrade(const QByteArrayList &fields = {}, const QByteArray &target = "/");

    /// Sends all of it; false if the connection broke, or is not taken from for kPatience.
    bool send(const QByteArray &bytes);
    /// Sends what the system takes of it without waiting; returns how much that was.
    qsizetype sendSome(const QByteArray &bytes);
    /// Until the relay's side of the connection has all that was sent: even the loopback takes its
    /// time on a busy machine.
    [[nodiscard]] bool waitUntilDelivered() const;
    bool sendFrame(Op opcode, const QByteArray &payload)
    {
        return send(clientFrame(opcode, payload));
    }
    bool sendText(const QByteArray &payload) { return sendFrame(Op::Text, payload); }
    bool sendClose(quint16 code) { return sendFrame(Op::Close, closePayload(code)); }

    /// More at once costs a mapping of its own for each read, under the address sanitizer.
    static constexpr qsizetype kReadBytes = 65536;
    /// Reads at most `maxBytes` of what has come, without waiting; returns how much that was.
    qsizetype read(qsizetype maxBytes = kReadBytes);
    /// Takes the next frame out of what was read, without reading.
    std::optional<ServerFrame> takeFrame();
    /// Reads until there is a whole frame.
    std::optional<ServerFrame> nextFrame(std::chrono::milliseconds patience = kPatience);
    /// Reads until there is a frame that carries no data; those before it are lost.
    std::optional<ServerFrame> nextControlFrame();
    /// Reads an HTTP answer, body included.
    QByteArray readAnswer();
    /// Takes what was read so far, without reading; of a connection that was not upgraded.
    QByteArray takeBytes() { return std::exchange(m_answer, {}); }
    /// Reads until the connection ends, keeping what comes.
    bool waitForEnd(std::chrono::milliseconds patience = kPatience);

    /// Whether the relay has ended the connection, as far as was read.
    [[nodiscard]] bool hasEnded() const { return m_hasEnded; }
    /// What no server may send, if it was sent.
    [[nodiscard]] const QByteArray &problem() const { return m_frames.problem(); }
    /// Whether bytes of an unfinished frame are left.
    [[nodiscard]] bool isInFrame() const { return m_frames.isInFrame(); }

    /// Says that nothing more will be sent.
    void halfClose();
    /// Vanishes: the relay gets a reset.
    void reset();
    void close();

    /// As the relay shows it: "127.0.0.1:50112".
    [[nodiscard]] QByteArray address() const;

private:
    int m_descriptor = -1;
    bool m_hasEnded = false;
    bool m_isOpen = false; // the answer was read: what follows is frames
    QByteArray m_answer;
    ServerFrameReader m_frames;
};

} // namespace relay::test
