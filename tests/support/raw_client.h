#pragma once

#include "support/client_frame.h"
#include "support/server_frame_reader.h"

#include <QByteArray>
#include <QList>

#include <chrono>
#include <optional>
#include <utility>

namespace relay::test {

/// The head of an HTTP answer, taken apart without the code under test.
struct AnswerHead
{
    int status = 0;                                  ///< 0: none came, or no HTTP
    QList<std::pair<QByteArray, QByteArray>> fields; ///< names in lower case

    /// The first field of that name (lower case), or a null QByteArray.
    [[nodiscard]] QByteArray value(const QByteArray &name) const;
    [[nodiscard]] bool has(const QByteArray &name) const { return !value(name).isNull(); }
};

/// `head` ends before its empty line.
AnswerHead parseAnswerHead(const QByteArray &head);

/// What receiveFrame() has come upon.
struct Received
{
    enum class Kind {
        Frame,
        Closed,    ///< the server has ended the connection between two frames
        Reset,     ///< the connection broke, or ended within a frame
        Malformed, ///< what no server may send: `problem` says why
        Timeout,
    };
    Kind kind = Kind::Timeout;
    ServerFrame frame;
    QByteArray problem;

    /// For messages of tests: "Text, 5 bytes: 68656c6c6f".
    [[nodiscard]] QByteArray toString() const;
};

/// A WebSocket client over plain TCP that sends exactly the bytes that a test wants to have sent.
///
/// Blocks, each wait for a bounded time; so what it talks to must run on other threads. While it
/// waits to write it reads, so that an echoing server cannot lock up with it.
///
/// Thread: any one at a time.
/// Owner: the test.
/// Errors: told by the answers; a connection that cannot be made makes isConnected() false.
class RawClient
{
public:
    /// What a wait takes at most: long beside a busy machine's hiccups.
    static constexpr std::chrono::milliseconds kPatience{10'000};

    /// Connects to 127.0.0.1.
    explicit RawClient(quint16 port);
    ~RawClient();
    RawClient(const RawClient &) = delete;
    RawClient &operator=(const RawClient &) = delete;

    [[nodiscard]] bool isConnected() const { return m_descriptor >= 0; }

    /// Sends the RFC's sample request and `behind` in one write. True when the answer is 101.
    bool open(const QByteArray &behind = {});
    /// The fields of a sound request, to be changed by the test.
    static QByteArray sampleRequest();
    /// Reads an answer's head; what follows it is left to receiveFrame() or endsSilently().
    AnswerHead receiveHead(std::chrono::milliseconds patience = kPatience);

    /// Sends all bytes, each piece of `pieceBytes` in a write of its own (0: one write);
    /// TCP_NODELAY is on. False when the connection broke, or the server takes nothing for
    /// kPatience.
    bool send(const QByteArray &bytes, qsizetype pieceBytes = 0);
    bool sendFrame(Op opcode, const QByteArray &payload, const FrameOptions &options = {})
    {
        return send(clientFrame(opcode, payload, options));
    }
    /// Says that nothing will follow, and goes on reading.
    void finishSending() const;
    /// Ends the connection with a reset, as a process that is killed may.
    void vanish();

    Received receiveFrame(std::chrono::milliseconds patience = kPatience);
    /// Reads and throws away all there is; true when the server ends the connection in time,
    /// without a reset.
    bool ends(std::chrono::milliseconds patience = kPatience);

private:
    using Clock = std::chrono::steady_clock;
    enum class Input {
        Bytes,
        End,
        Broken,
        Timeout
    };

    bool sendPiece(const char *data, qsizetype bytes);
    [[nodiscard]] bool waitFor(short events, Clock::time_point deadline) const;
    Input read(Clock::time_point deadline);
    Input readNow();

    int m_descriptor = -1;
    QByteArray m_unread; ///< received, and not yet taken by receiveHead() or the frame reader
    ServerFrameReader m_frames;
    bool m_isAtEnd = false;
};

} // namespace relay::test
