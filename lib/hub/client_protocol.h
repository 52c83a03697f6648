#pragma once

#include <QByteArray>
#include <QString>

#include <span>

namespace relay {

struct DisconnectInfo;

/// What is spoken on a client's connection: HTTP first, and then perhaps a WebSocket or an event
/// stream, each with its own rules of reading, of silence, and of saying goodbye. What is common to
/// them (writing, slow readers, the end) is the Client's.
///
/// Thread: its client's worker.
/// Owner: Client, until Client::become() or its end.
class ClientProtocol
{
public:
    ClientProtocol() = default;
    virtual ~ClientProtocol() = default;
    ClientProtocol(const ClientProtocol &) = delete;
    ClientProtocol &operator=(const ClientProtocol &) = delete;

    // While the client is open, or closes:
    /// May leave a part of it for Client::goOnLater().
    virtual void received(std::span<const char> bytes) = 0;
    /// Goes on with what was left.
    virtual void goOn() {}
    /// Everything that was queued has been taken by the kernel.
    virtual void written() {}

    // Only while it is open:
    /// Whether what the peer sends should be read at all.
    [[nodiscard]] virtual bool wantsInput() const { return true; }
    /// The peer is not read from, because it does not take what waits for it.
    virtual void readingPaused() {}
    /// The peer has sent, or taken, something.
    virtual void signOfLife() {}
    /// Client::watchDeadline() has run out.
    virtual void expired() = 0;
    /// The peer has ended the connection, or its sending side.
    virtual void peerEnded() = 0;
    /// The connection broke without a read or write of ours.
    virtual void socketFailed(const QString &) { peerEnded(); }
    /// The relay goes away.
    virtual void shutDown() = 0;

    /// Queues the last words, if there are any. The client closes.
    virtual void sayGoodbye(const DisconnectInfo &) {}
    /// Once they are written: whether the peer's answer is awaited before the connection ends.
    [[nodiscard]] virtual bool awaitsAnswer() const { return false; }

    // Of QWebSocket, see WireSocketOwner:
    // NOLINTNEXTLINE(performance-unnecessary-value-param): handed on, as WireSocketOwner is
    virtual void controlWritten(QByteArray) {}
    virtual void closeRequested() {}
};

} // namespace relay
