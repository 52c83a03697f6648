#include "net/plain_transport.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace relay {

namespace {

/// Asked for with each call, the descriptor itself may stay blocking: accepting spares the
/// fcntl(2).
constexpr int kWriteFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

IoResult toResult(ssize_t moved)
{
    if (moved > 0) {
        return {static_cast<std::size_t>(moved), IoStatus::Done};
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS) {
        return {0, IoStatus::WouldBlock};
    }
    return {0, IoStatus::Failed};
}

} // namespace

PlainTransport::PlainTransport(SocketHandle socket, TransportUser &user)
    : m_user(user)
    , m_descriptor(socket.take())
{
    EpollDispatcher::current().watch(m_descriptor, EPOLLIN, *this);
}

PlainTransport::~PlainTransport()
{
    PlainTransport::close();
}

IoResult PlainTransport::read(std::span<char> into)
{
    if (m_descriptor < 0) {
        return {0, IoStatus::Failed};
    }
    const ssize_t got = ::recv(m_descriptor, into.data(), into.size(), MSG_DONTWAIT);
    return got == 0 ? IoResult{0, IoStatus::Ended} : toResult(got);
}

IoResult PlainTransport::write(std::span<const iovec> pieces)
{
    if (m_descriptor < 0) {
        return {0, IoStatus::Failed};
    }
    if (pieces.size() == 1) {
        return toResult(::send(m_descriptor, pieces[0].iov_base, pieces[0].iov_len, kWriteFlags));
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec *>(pieces.data()); // sendmsg(2) only reads it
    message.msg_iovlen = pieces.size();
    return toResult(::sendmsg(m_descriptor, &message, kWriteFlags));
}

void PlainTransport::setReadInterest(bool wanted)
{
    if (m_wantsRead != wanted) {
        m_wantsRead = wanted;
        updateInterest();
    }
}

void PlainTransport::setWriteInterest(bool wanted)
{
    if (m_wantsWrite != wanted) {
        m_wantsWrite = wanted;
        updateInterest();
    }
}

void PlainTransport::shutdownWrite()
{
    if (m_descriptor >= 0) {
        ::shutdown(m_descriptor, SHUT_WR);
    }
}

void PlainTransport::close()
{
    if (m_descriptor >= 0) {
        EpollDispatcher::current().unwatch(m_descriptor);
        ::close(m_descriptor);
        m_descriptor = -1;
    }
}

void PlainTransport::descriptorReady(std::uint32_t events)
{
    if ((events & (EPOLLOUT | EPOLLERR)) != 0 && m_wantsWrite) {
        m_user.transportWritable();
    }
    if (m_descriptor < 0 || (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) {
        return;
    }
    if (m_wantsRead) {
        m_user.transportReadable(); // read() then says what it is: bytes, the end, or an error
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
        // epoll would report it for ever while reading is paused.
        m_user.transportFailed(QStringLiteral("connection reset"));
    }
}

void PlainTransport::updateInterest() const
{
    if (m_descriptor >= 0) {
        const std::uint32_t events = (m_wantsRead ? std::uint32_t{EPOLLIN} : 0U)
                                     | (m_wantsWrite ? std::uint32_t{EPOLLOUT} : 0U);
        EpollDispatcher::current().rewatch(m_descriptor, events);
    }
}

std::optional<TcpView> PlainTransport::tcpView() const
{
    return readTcpView(m_descriptor);
}

} // namespace relay
