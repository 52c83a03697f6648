#pragma once

#include "base/result.h"
#include "net/socket_handle.h"

#include <QTcpServer>
#include <QTimer>

#include <functional>

namespace relay {

/// Accepts TCP connections and hands them on bare: no socket object is made on this thread.
///
/// Thread: confined to its own.   Owner: Hub.
/// Limits: a backlog of kBacklog in the kernel. When the process is out of descriptors, accepting
/// pauses for kRetry and goes on: what waits in the backlog is not lost. Errors: listen() returns
/// what is wrong with the address or port.
class Listener : private QTcpServer
{
    Q_OBJECT

public:
    static constexpr int kBacklog = 4096;

    /// `onAccepted` gets each new connection, with TCP_NODELAY set.
    explicit Listener(std::function<void(SocketHandle)> onAccepted);

    Outcome listen(const QString &address, quint16 port);
    void close();
    [[nodiscard]] bool isListening() const { return QTcpServer::isListening(); }
    [[nodiscard]] quint16 port() const { return serverPort(); }

private:
    void incomingConnection(qintptr descriptor) override;

    std::function<void(SocketHandle)> m_onAccepted;
    QTimer m_retry;
};

} // namespace relay
