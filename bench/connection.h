#pragma once

#include "descriptor.h"
#include "frame_reader.h"
#include "url.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace relay::bench {

/// How a client reads.
enum class Pace : std::uint8_t {
    Normal,  ///< at once
    Slow,    ///< so many bytes a second
    Stalled, ///< never, once the handshake is done
};

/// One client's connection: a non-blocking socket, the handshake, what waits to be written, and the
/// reader of what comes.
///
/// Thread: its worker's.
/// Owner: Client, by value.
/// Limits: kMaxUnsentBytes wait for a server that does not read; more is refused.
/// Errors: the state becomes Closed, and failure() says why if it was not the server's close frame.
class Connection
{
public:
    enum class State : std::uint8_t {
        Idle,
        Connecting,
        Handshaking,
        Open,
        Closed
    };

    static constexpr std::size_t kMaxUnsentBytes = std::size_t{16} << 20;
    /// The receive buffer of a client that does not read at once. Linux would let megabytes pile up
    /// in it, and the server would not see a slow client within a run of a few seconds.
    static constexpr int kSlowReceiveBufferBytes = 4096;

    /// Begins to connect. `source`: the last byte of a 127.0.0.x address to connect from, or 0 for
    /// the system's choice.
    void connect(const Endpoint &endpoint, Pace pace, int source);

    /// The socket became writable: sends `request` if it has just connected, and else what waits.
    void onWritable(std::string_view request);

    /// Reads once, at most `buffer`, and returns what is for the frame reader (nothing during the
    /// handshake).
    std::span<const char> receive(std::span<char> buffer);

    /// Sends, or keeps what the kernel does not take. False if too much waits already: nothing of
    /// it is kept.
    [[nodiscard]] bool send(std::span<const char> bytes);

    /// The server's close frame came, or the run is over: says goodbye and closes.
    void close();
    void fail(std::string reason);

    FrameReader &reader() { return m_reader; }
    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] int descriptor() const { return m_socket.get(); }
    [[nodiscard]] bool isWaitingToWrite() const
    {
        return m_state == State::Connecting || !m_unsent.empty();
    }
    [[nodiscard]] const std::string &failure() const { return m_failure; }
    /// errno of a connect that failed, else 0.
    [[nodiscard]] int connectError() const { return m_connectError; }

private:
    void failConnect(int error);
    std::span<const char> takeResponse(std::span<const char> bytes);

    Descriptor m_socket;
    State m_state = State::Idle;
    int m_connectError = 0;
    FrameReader m_reader;
    std::string m_unsent;
    std::string m_responseHead;
    std::string m_failure;
};

} // namespace relay::bench
