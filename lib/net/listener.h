#pragma once

#include "base/result.h"
#include "net/accepted_socket.h"

#include <QTcpServer>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

class QSocketNotifier;

namespace relay {

/// Accepts TCP connections and hands them on bare: no socket object is made on this thread.
///
/// QTcpServer listens; accepting is done here, because QTcpServer takes a want of descriptors for
/// something that passes by itself and tries again without a pause, and because what waits together
/// is handed on together.
///
/// Thread: confined to its own.
/// Owner: Hub.
/// Limits: a backlog of kBacklog in the kernel. When the process is out of descriptors, accepting
/// pauses for kRetry and goes on: what waits in the backlog is not lost.
/// Errors: listen() returns what is wrong with the address or port.
class Listener : private QTcpServer
{
    Q_OBJECT
    Q_DISABLE_COPY_MOVE(Listener)

public:
    static constexpr int kBacklog = 4096;
    /// At most so many are handed on at once: the thread has other work too.
    static constexpr std::size_t kBatch = 64;

    using Batch = std::vector<AcceptedSocket>;

    /// `onAccepted` gets the new connections, with TCP_NODELAY set; what it leaves in the batch is
    /// closed.
    explicit Listener(std::function<void(Batch &)> onAccepted);
    ~Listener() override;

    Outcome listen(const QString &address, quint16 port);
    void close();
    [[nodiscard]] bool isListening() const { return QTcpServer::isListening(); }
    [[nodiscard]] quint16 port() const { return serverPort(); }

private:
    void acceptWaiting();
    void pauseForDescriptors();

    std::function<void(Batch &)> m_onAccepted;
    std::unique_ptr<QSocketNotifier> m_notifier;
    Batch m_batch;
    QTimer m_retry;
    bool m_isStarved = false; // a warning was given; nothing was accepted since
};

} // namespace relay
