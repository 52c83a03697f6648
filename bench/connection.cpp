#include "connection.h"

#include "handshake.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <system_error>

#include <array>
#include <cerrno>

namespace relay::bench {

namespace {

void setOption(int socket, int level, int option, int value)
{
    setsockopt(socket, level, option, &value, sizeof value);
}

std::string errorText(int error)
{
    return std::generic_category().message(error); // as strerror(), but safe with threads
}

/// The system has about 28,000 ports for one pair of addresses. On loopback the way out is another
/// source address.
bool bindToLoopback(int socket, int lastByte)
{
    setOption(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(0x7F000000U + static_cast<unsigned>(lastByte));
    return bind(socket, reinterpret_cast<const sockaddr *>(&source), sizeof source) == 0;
}

} // namespace

void Connection::connect(const Endpoint &endpoint, const ConnectionKind &kind)
{
    m_kind = kind;
    m_unsent.clear();
    m_responseHead.clear();
    if (isEventSource()) {
        m_reader.emplace<EventStreamReader>();
        m_body = ChunkedBody();
    } else {
        m_reader.emplace<FrameReader>();
    }
    m_socket = Descriptor(
        socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    m_state = State::Connecting;
    if (!m_socket.isOpen()) {
        failConnect(errno);
        return;
    }
    setOption(m_socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (kind.pace != Pace::Normal) {
        setOption(m_socket.get(), SOL_SOCKET, SO_RCVBUF, kSlowReceiveBufferBytes);
    }
    if (kind.source != 0 && !bindToLoopback(m_socket.get(), kind.source)) {
        failConnect(errno);
        return;
    }
    if (::connect(m_socket.get(), endpoint.get(), endpoint.length) != 0 && errno != EINPROGRESS) {
        failConnect(errno);
    }
}

void Connection::failConnect(int error)
{
    m_connectError = error;
    fail("cannot connect: " + errorText(error));
}

void Connection::fail(std::string reason)
{
    m_failure = std::move(reason);
    m_state = State::Closed;
    m_socket.reset();
    m_unsent.clear();
}

void Connection::drop()
{
    m_state = State::Closed;
    m_socket.reset();
}

void Connection::onWritable(std::string_view request)
{
    if (m_state == State::Connecting) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(m_socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) {
            failConnect(error);
            return;
        }
        m_state = State::Handshaking;
        m_unsent = request;
    }
    const ssize_t sent = ::send(m_socket.get(), m_unsent.data(), m_unsent.size(), MSG_NOSIGNAL);
    if (sent > 0) {
        m_unsent.erase(0, static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        fail("the connection broke while sending: " + errorText(errno));
    }
}

std::span<const char> Connection::receive(std::span<char> buffer)
{
    const ssize_t got = recv(m_socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            fail("the connection broke: " + errorText(errno));
        }
        return {};
    }
    if (got == 0) {
        const char *const kind = isEventSource()
                                     ? "the server ended the event stream"
                                     : "the server closed the connection without a close frame";
        fail(m_state == State::Open ? kind
                                    : "the server closed the connection during the handshake");
        return {};
    }
    const std::span<char> bytes = buffer.first(static_cast<std::size_t>(got));
    return unwrap(m_state == State::Open ? bytes : takeResponse(bytes));
}

std::span<const char> Connection::unwrap(std::span<char> bytes)
{
    if (!isEventSource() || !m_isChunked) {
        return bytes;
    }
    const std::span<char> body = m_body.unwrap(bytes);
    if (m_body.isAtEnd() || m_body.isBroken()) {
        fail(m_body.isAtEnd() ? "the server ended the event stream"
                              : "the event stream's chunks are broken");
        return {};
    }
    return body;
}

std::span<char> Connection::takeResponse(std::span<char> bytes)
{
    constexpr std::string_view kEnd = "\r\n\r\n";
    const std::size_t before = m_responseHead.size();
    m_responseHead.append(bytes.data(), bytes.size());
    const std::size_t at = m_responseHead.find(kEnd);
    if (at == std::string::npos) {
        if (m_responseHead.size() > kMaxResponseHeadBytes) {
            fail("the answer to the handshake does not end");
        }
        return {};
    }
    const std::string_view head = std::string_view(m_responseHead).substr(0, at);
    auto refusal =
        isEventSource() ? eventStreamRefusal(head) : upgradeRefusal(head, m_kind.wantsPositions);
    if (refusal) {
        fail(std::move(*refusal));
        return {};
    }
    m_isChunked = isChunked(head);
    m_state = State::Open;
    m_responseHead = std::string(); // gives its memory back, as clear() does not
    return bytes.subspan(at + kEnd.size() - before);
}

bool Connection::send(std::span<const char> bytes)
{
    if (m_state != State::Open || m_unsent.size() + bytes.size() > kMaxUnsentBytes) {
        return false;
    }
    std::size_t taken = 0;
    if (m_unsent.empty()) {
        const ssize_t sent = ::send(m_socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            fail("the connection broke while sending: " + errorText(errno));
            return false;
        }
        taken = sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }
    m_unsent.append(bytes.data() + taken, bytes.size() - taken);
    return true;
}

void Connection::close()
{
    if (m_state == State::Open && m_unsent.empty() && !isEventSource()) {
        // Close, masked with the zero key, code 1000.
        constexpr std::array<unsigned char, 8> kGoodbye{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8};
        (void)::send(m_socket.get(), kGoodbye.data(), kGoodbye.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    m_state = State::Closed;
    m_socket.reset();
}

} // namespace relay::bench
