#include "support/paced_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <linux/sockios.h>

namespace relay::test {

PacedClient::PacedClient(quint16 port, int receiveBufferBytes)
    : m_descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    if (receiveBufferBytes > 0) { // before connect(2): the window is agreed on there
        ::setsockopt(m_descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBufferBytes,
                     sizeof receiveBufferBytes);
    }
    const int on = 1;
    ::setsockopt(m_descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // The system accepts for the relay, whose event loop runs in this very thread.
    if (::connect(m_descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
    {
        close();
    }
}

PacedClient::~PacedClient()
{
    close();
}

QByteArray PacedClient::upgradeRequest(const QByteArrayList &fields, const QByteArray &target)
{
    QByteArray request = "GET " + target
                         + " HTTP/1.1\r\nHost: relay.test\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (const QByteArray &field : fields) {
        request += field + "\r\n";
    }
    return request + "\r\n";
}

bool PacedClient::upgrade(const QByteArrayList &fields, const QByteArray &target)
{
    if (!send(upgradeRequest(fields, target)) || !readAnswer().startsWith("HTTP/1.1 101 ")) {
        return false;
    }
    m_isOpen = true;
    m_frames.append(m_answer);
    m_answer.clear();
    return true;
}

bool PacedClient::send(const QByteArray &bytes)
{
    qsizetype sent = 0;
    bool isBroken = false;
    const bool isDone = waitFor([&] {
        while (sent < bytes.size()) {
            const ssize_t taken =
                ::send(m_descriptor, bytes.constData() + sent,
                       static_cast<std::size_t>(bytes.size() - sent), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (taken < 0) {
                isBroken = errno != EAGAIN && errno != EINTR;
                return isBroken;
            }
            sent += taken;
        }
        return true;
    });
    return isDone && !isBroken;
}

bool PacedClient::waitUntilDelivered() const
{
    return waitFor([this] {
        int unacknowledged = 0;
        return ::ioctl(m_descriptor, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
    });
}

qsizetype PacedClient::sendSome(const QByteArray &bytes)
{
    const ssize_t taken =
        ::send(m_descriptor, bytes.constData(), static_cast<std::size_t>(bytes.size()),
               MSG_NOSIGNAL | MSG_DONTWAIT);
    return std::max<qsizetype>(taken, 0);
}

qsizetype PacedClient::read(qsizetype maxBytes)
{
    if (m_descriptor < 0 || m_hasEnded) {
        return 0;
    }
    QByteArray buffer(maxBytes, Qt::Uninitialized);
    const ssize_t got =
        ::recv(m_descriptor, buffer.data(), static_cast<std::size_t>(maxBytes), MSG_DONTWAIT);
    if (got <= 0) {
        m_hasEnded = got == 0 || (errno != EAGAIN && errno != EINTR);
        return 0;
    }
    buffer.truncate(got);
    if (m_isOpen) {
        m_frames.append(buffer);
    } else {
        m_answer += buffer;
    }
    return got;
}

std::optional<ServerFrame> PacedClient::takeFrame()
{
    if (m_frames.next() != ServerFrameReader::Status::Frame) {
        return std::nullopt;
    }
    return m_frames.frame();
}

std::optional<ServerFrame> PacedClient::nextFrame(std::chrono::milliseconds patience)
{
    std::optional<ServerFrame> frame = takeFrame();
    const bool isDecided = waitFor(
        [&] {
            while (!frame && problem().isEmpty() && read() > 0) {
                frame = takeFrame();
            }
            return frame.has_value() || m_hasEnded || !problem().isEmpty();
        },
        patience);
    return isDecided ? frame : std::nullopt;
}

std::optional<ServerFrame> PacedClient::nextControlFrame()
{
    const auto isData = [](const ServerFrame &frame) { return frame.opcode < Op::Close; };
    std::optional<ServerFrame> frame = nextFrame();
    while (frame && isData(*frame)) {
        frame = nextFrame();
    }
    return frame;
}

QByteArray PacedClient::readAnswer()
{
    static const QByteArray kLength = "\r\ncontent-length: ";
    qsizetype answerBytes = 0;
    const auto isWhole = [&] {
        const QByteArray lower = m_answer.toLower();
        const qsizetype headEnd = lower.indexOf("\r\n\r\n");
        if (headEnd < 0) {
            return false;
        }
        const qsizetype length = lower.first(headEnd + 2).indexOf(kLength);
        const qsizetype value = length + kLength.size();
        const qsizetype bodyBytes =
            length < 0 ? 0 : lower.mid(value, lower.indexOf('\r', value) - value).toLongLong();
        answerBytes = headEnd + 4 + bodyBytes;
        return lower.size() >= answerBytes;
    };
    const bool isDecided = waitFor([&] {
        while (read() > 0) {
        }
        return isWhole() || m_hasEnded;
    });
    if (!isDecided || !isWhole()) {
        return {};
    }
    const QByteArray answer = m_answer.first(answerBytes);
    m_answer.remove(0, answerBytes);
    return answer;
}

bool PacedClient::waitForEnd(std::chrono::milliseconds patience)
{
    return waitFor(
        [this] {
            while (read() > 0) {
            }
            return m_hasEnded;
        },
        patience);
}

void PacedClient::halfClose()
{
    ::shutdown(m_descriptor, SHUT_WR);
}

void PacedClient::reset()
{
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(m_descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
}

void PacedClient::close()
{
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
        m_descriptor = -1;
    }
}

QByteArray PacedClient::address() const
{
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(m_descriptor, reinterpret_cast<sockaddr *>(&address), &length);
    return "127.0.0.1:" + QByteArray::number(ntohs(address.sin_port));
}

} // namespace relay::test
