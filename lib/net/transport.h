#pragma once

#include "net/tcp_view.h"

#include <QString>

#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <span>

namespace relay {

enum class IoStatus : unsigned char {
    Done,       ///< `bytes` were moved; there may be more
    WouldBlock, ///< nothing was moved; the user is told when to try again
    Ended,      ///< the peer has sent its last byte (read only)
    Failed,     ///< the connection is broken
};

struct IoResult
{
    std::size_t bytes = 0;
    IoStatus status = IoStatus::Done;
};

/// Who reads from and writes to a Transport.
class TransportUser
{
public:
    /// There is something to read, or the end of it: call read() once.
    virtual void transportReadable() = 0;
    /// A write that would have blocked may go on. Told only after setWriteInterest(true).
    virtual void transportWritable() = 0;
    /// The connection broke without a read or write of the user's (TLS: also when no session came
    /// about).
    virtual void transportFailed(const QString &reason) = 0;

protected:
    ~TransportUser() = default;
};

/// A connected byte stream, unbuffered: plain TCP, or TLS over it.
///
/// Thread: the one that made it, whose dispatcher must be an EpollDispatcher.
/// Owner: WireSocket. The user must outlive it and must not destroy it from within its calls.
/// Errors: IoStatus::Failed; after it, and after close(), only close() and the destructor do
/// anything.
class Transport
{
public:
    Transport() = default;
    virtual ~Transport() = default;
    Transport(const Transport &) = delete;
    Transport &operator=(const Transport &) = delete;

    virtual IoResult read(std::span<char> into) = 0;
    /// Writes the pieces in order, as far as they are taken now, with one system call.
    virtual IoResult write(std::span<const iovec> pieces) = 0;
    virtual void setReadInterest(bool wanted) = 0;
    virtual void setWriteInterest(bool wanted) = 0;
    /// Says to the peer that nothing more will be sent; reading goes on.
    virtual void shutdownWrite() = 0;
    /// What the kernel knows of the connection; nothing once it is closed.
    [[nodiscard]] virtual std::optional<TcpView> tcpView() const = 0;
    /// Ends the connection at once. What was written before is still sent by the system.
    virtual void close() = 0;
};

} // namespace relay
