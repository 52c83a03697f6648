#include "support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>

namespace relay::test {

namespace {

constexpr qsizetype kShownBytes = 32; // of a payload in a message

QByteArray nameOf(Op opcode)
{
    switch (opcode) {
    case Op::Continuation:
        return "Continuation";
    case Op::Text:
        return "Text";
    case Op::Binary:
        return "Binary";
    case Op::Close:
        return "Close";
    case Op::Ping:
        return "Ping";
    case Op::Pong:
        return "Pong";
    }
    return "opcode " + QByteArray::number(static_cast<int>(opcode));
}

} // namespace

QByteArray AnswerHead::value(const QByteArray &name) const
{
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&name](const auto &field) { return field.first == name; });
    return found == fields.end() ? QByteArray() : found->second;
}

AnswerHead parseAnswerHead(const QByteArray &text)
{
    QList<QByteArray> lines = QByteArray(text).replace("\r\n", "\n").split('\n');
    AnswerHead head;
    const QByteArray statusLine = lines.takeFirst();
    if (statusLine.startsWith("HTTP/1.1 ")) {
        head.status = statusLine.mid(9, 3).toInt();
    }
    for (const QByteArray &line : lines) {
        const qsizetype colon = line.indexOf(':');
        head.fields.append({line.left(colon).toLower(), line.mid(colon + 1).trimmed()});
    }
    return head;
}

QByteArray Received::toString() const
{
    switch (kind) {
    case Kind::Frame: {
        const QByteArray shown = frame.payload.left(kShownBytes).toHex();
        const QByteArray code = frame.opcode == Op::Close
                                    ? " code " + QByteArray::number(frame.closeCode())
                                    : QByteArray();
        return nameOf(frame.opcode) + code + (frame.fin ? "" : " (no FIN)") + ", "
               + QByteArray::number(frame.payload.size()) + " bytes: " + shown;
    }
    case Kind::Closed:
        return "the end of the connection";
    case Kind::Reset:
        return "a broken connection";
    case Kind::Malformed:
        return "a malformed frame: " + problem;
    case Kind::Timeout:
        break;
    }
    return "nothing in time";
}

RawClient::RawClient(quint16 port)
    : m_descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    const int on = 1;
    ::setsockopt(m_descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(m_descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
    {
        ::close(m_descriptor);
        m_descriptor = -1;
    }
}

RawClient::~RawClient()
{
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
    }
}

QByteArray RawClient::sampleRequest()
{
    return "GET / HTTP/1.1\r\n"
           "Host: localhost\r\n"
           "Upgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Version: 13\r\n"
           "\r\n";
}

bool RawClient::open(const QByteArray &behind)
{
    return send(sampleRequest() + behind) && receiveHead().status == 101;
}

AnswerHead RawClient::receiveHead(std::chrono::milliseconds patience)
{
    const auto deadline = Clock::now() + patience;
    qsizetype end = -1;
    while ((end = m_unread.indexOf("\r\n\r\n")) < 0) {
        if (read(deadline) != Input::Bytes) {
            return {};
        }
    }
    const AnswerHead head = parseAnswerHead(m_unread.left(end));
    m_unread.remove(0, end + 4);
    return head;
}

bool RawClient::send(const QByteArray &bytes, qsizetype pieceBytes)
{
    const qsizetype step = pieceBytes > 0 ? pieceBytes : std::max<qsizetype>(bytes.size(), 1);
    for (qsizetype at = 0; at < bytes.size(); at += step) {
        if (!sendPiece(bytes.constData() + at, std::min(step, bytes.size() - at))) {
            return false;
        }
    }
    return true;
}

bool RawClient::sendPiece(const char *data, qsizetype bytes)
{
    while (bytes > 0) {
        const ssize_t sent = ::send(m_descriptor, data, static_cast<std::size_t>(bytes),
                                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            data += sent;
            bytes -= sent;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return false;
        }
        const short events = m_isAtEnd ? POLLOUT : POLLIN | POLLOUT;
        if (!waitFor(events, Clock::now() + kPatience)) {
            return false;
        }
        if (!m_isAtEnd) {
            readNow();
        }
    }
    return true;
}

void RawClient::finishSending() const
{
    ::shutdown(m_descriptor, SHUT_WR);
}

void RawClient::vanish()
{
    const linger atOnce{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(m_descriptor, SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
    ::close(m_descriptor);
    m_descriptor = -1;
}

Received RawClient::receiveFrame(std::chrono::milliseconds patience)
{
    const auto deadline = Clock::now() + patience;
    while (true) {
        m_frames.append(std::exchange(m_unread, {}));
        switch (m_frames.next()) {
        case ServerFrameReader::Status::Frame:
            return {Received::Kind::Frame, m_frames.frame(), {}};
        case ServerFrameReader::Status::Malformed:
            return {Received::Kind::Malformed, {}, m_frames.problem()};
        case ServerFrameReader::Status::NeedMore:
            break;
        }
        switch (read(deadline)) {
        case Input::Bytes:
            break;
        case Input::End:
            return {m_frames.isInFrame() ? Received::Kind::Reset : Received::Kind::Closed, {}, {}};
        case Input::Broken:
            return {Received::Kind::Reset, {}, {}};
        case Input::Timeout:
            return {};
        }
    }
}

bool RawClient::ends(std::chrono::milliseconds patience)
{
    const auto deadline = Clock::now() + patience;
    Input input = Input::Bytes;
    while (input == Input::Bytes) {
        input = read(deadline);
    }
    m_unread.clear();
    return input == Input::End;
}

bool RawClient::waitFor(short events, Clock::time_point deadline) const
{
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd watched{m_descriptor, events, 0};
        const int ready = ::poll(&watched, 1, static_cast<int>(std::max<qint64>(left.count(), 0)));
        if (ready > 0) {
            return true;
        }
        if (ready == 0 || errno != EINTR) {
            return false;
        }
    }
}

RawClient::Input RawClient::read(Clock::time_point deadline)
{
    if (m_isAtEnd) {
        return Input::End;
    }
    Input input = Input::Timeout;
    while (input == Input::Timeout) {
        if (!waitFor(POLLIN, deadline)) {
            return Input::Timeout;
        }
        input = readNow();
    }
    return input;
}

/// Reads what is there; Timeout when there is nothing.
RawClient::Input RawClient::readNow()
{
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): recv fills it
    std::array<char, 1 << 16> buffer;
    const ssize_t got = ::recv(m_descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) {
        m_unread.append(buffer.data(), static_cast<qsizetype>(got));
        return Input::Bytes;
    }
    if (got == 0) {
        m_isAtEnd = true;
        return Input::End;
    }
    return errno == EAGAIN || errno == EINTR ? Input::Timeout : Input::Broken;
}

} // namespace relay::test
