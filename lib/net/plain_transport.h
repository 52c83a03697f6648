#pragma once

#include "net/epoll_dispatcher.h"
#include "net/socket_handle.h"
#include "net/transport.h"

namespace relay {

/// TCP: the descriptor itself, watched by the thread's EpollDispatcher.
class PlainTransport final : public Transport, private DescriptorWatcher
{
public:
    PlainTransport(SocketHandle socket, TransportUser &user);
    ~PlainTransport() override;
    Q_DISABLE_COPY_MOVE(PlainTransport)

    IoResult read(std::span<char> into) override;
    IoResult write(std::span<const iovec> pieces) override;
    void setReadInterest(bool wanted) override;
    void setWriteInterest(bool wanted) override;
    void shutdownWrite() override;
    [[nodiscard]] std::optional<TcpView> tcpView() const override;
    void close() override;

private:
    void descriptorReady(std::uint32_t events) override;
    void updateInterest() const;

    TransportUser &m_user;
    int m_descriptor; // owned; -1 once closed
    bool m_wantsRead = true;
    bool m_wantsWrite = false;
};

} // namespace relay
