#pragma once

#include "chunked_body.h"
#include "descriptor.h"
#include "event_stream_reader.h"
#include "frame_reader.h"
#include "url.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace relay::bench {

/// How a client reads.
enum class Pace : std::uint8_t {
    Normal,  ///< at once
    Slow,    ///< so many bytes a second
    Stalled, ///< never, once the handshake is done
};

/// By what a client takes part.
enum class Medium : std::uint8_t {
    WebSocket,
    EventSource, ///< which only listens
};

/// What kind of connection a client makes.
struct ConnectionKind
{
    Pace pace = Pace::Normal;
    Medium medium = Medium::WebSocket;
    bool wantsPositions = false; ///< a WebSocket with the subprotocol relay.meta
    /// The last byte of a 127.0.0.x address to connect from, or 0 for the system's choice.
    int source = 0;
};

/// One client's connection: a non-blocking socket, the handshake, what waits to be written, and the
/// reader of what comes. It may connect again after it was closed or dropped.
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

    /// Begins to connect, with a reader that knows of nothing yet.
    void connect(const Endpoint &endpoint, const ConnectionKind &kind);

    /// The socket became writable: sends `request` if it has just connected, and else what waits.
    void onWritable(std::string_view request);

    /// Reads once, at most `buffer`, and returns what is for the reader (nothing during the
    /// handshake).
    std::span<const char> receive(std::span<char> buffer);

    /// Sends, or keeps what the kernel does not take. False if too much waits already: nothing of
    /// it is kept.
    [[nodiscard]] bool send(std::span<const char> bytes);

    /// The server's close frame came, or the run is over: says goodbye and closes.
    void close();
    void fail(std::string reason);
    /// Ends it without a word, whatever is under way.
    void drop();

    /// Precondition: connected as a WebSocket.
    FrameReader &frames() { return std::get<FrameReader>(m_reader); }
    /// Precondition: connected as an EventSource.
    EventStreamReader &events() { return std::get<EventStreamReader>(m_reader); }
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
    std::span<char> takeResponse(std::span<char> bytes);
    std::span<const char> unwrap(std::span<char> bytes);
    [[nodiscard]] bool isEventSource() const { return m_kind.medium == Medium::EventSource; }

    Descriptor m_socket;
    ConnectionKind m_kind;
    State m_state = State::Idle;
    int m_connectError = 0;
    std::variant<FrameReader, EventStreamReader> m_reader;
    bool m_isChunked = false;
    ChunkedBody m_body; ///< of an event stream that comes in chunks
    std::string m_unsent;
    std::string m_responseHead;
    std::string m_failure;
};

} // namespace relay::bench
