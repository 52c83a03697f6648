#pragma once

#include <QByteArrayView>

#include <utility>

namespace relay {

/// A connected socket on its way from the thread that accepted it to the worker that will serve it.
///
/// Owner: whoever holds it; closes what nobody took.
class SocketHandle
{
public:
    SocketHandle() = default;
    explicit SocketHandle(int descriptor)
        : m_descriptor(descriptor)
    {}
    SocketHandle(SocketHandle &&other) noexcept
        : m_descriptor(std::exchange(other.m_descriptor, -1))
    {}
    SocketHandle &operator=(SocketHandle &&other) noexcept
    {
        std::swap(m_descriptor, other.m_descriptor);
        return *this;
    }
    SocketHandle(const SocketHandle &) = delete;
    SocketHandle &operator=(const SocketHandle &) = delete;
    ~SocketHandle();

    [[nodiscard]] int get() const { return m_descriptor; }
    /// Sends these bytes as far as the kernel takes them at once, and closes. What the peer has sent so far is read first: closing
    /// over unread bytes would reset the connection, and the peer might never see ours.
    void closeWith(QByteArrayView lastWords);
    /// Gives up the ownership.
    [[nodiscard]] int take() { return std::exchange(m_descriptor, -1); }

private:
    int m_descriptor = -1;
};

} // namespace relay
