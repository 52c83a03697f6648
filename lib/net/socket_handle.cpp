#include "net/socket_handle.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace relay {

namespace {

/// A request of the usual kind is read in one of them.
constexpr std::size_t kDrainBytes = 4096;
constexpr int kDrainReads = 4;

} // namespace

SocketHandle::~SocketHandle()
{
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
    }
}

void SocketHandle::closeWith(QByteArrayView lastWords)
{
    const SocketHandle closing(take());
    std::array<char, kDrainBytes> unread{};
    for (int i = 0; i < kDrainReads; ++i) {
        if (::recv(closing.get(), unread.data(), unread.size(), MSG_DONTWAIT) <= 0) {
            break;
        }
    }
    ::send(closing.get(), lastWords.data(), static_cast<std::size_t>(lastWords.size()),
           MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(closing.get(), SHUT_WR);
}

} // namespace relay
