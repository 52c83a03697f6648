#pragma once

#include "net/socket_handle.h"

#include <QByteArray>

#include <memory>

namespace relay::test {

/// Two ends of a TCP connection over the loopback, with small buffers in the system so that a slow
/// reader is soon felt. Both ends do not block.
struct Loopback
{
    Loopback();
    SocketHandle near;
    SocketHandle far;
};

/// A TLS client that does nothing unless asked: it reads as slowly as the test wants.
///
/// Thread: the test's. No call waits.
class TlsPeer
{
public:
    explicit TlsPeer(SocketHandle socket);
    ~TlsPeer();
    TlsPeer(const TlsPeer &) = delete;
    TlsPeer &operator=(const TlsPeer &) = delete;

    /// Goes on with the handshake; true when it is done.
    [[nodiscard]] bool handshake();
    /// What has come, at most `maxBytes`.
    [[nodiscard]] QByteArray read(int maxBytes);
    /// How many bytes the system took; what it did not take must be offered again.
    [[nodiscard]] qsizetype write(const QByteArray &bytes);
    /// Says that this was the last byte.
    void closeNotify();
    /// Closes the TCP connection, without a word of TLS.
    void drop();

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace relay::test
