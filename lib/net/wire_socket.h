#pragma once

#include "net/socket_handle.h"
#include "net/transport.h"

#include <QByteArray>
#include <QSslConfiguration>
#include <QTcpSocket>

#include <memory>
#include <span>

namespace relay {

/// Who owns a WireSocket: gets what the peer sends and what QWebSocket says, and does all the
/// writing.
class WireSocketOwner
{
public:
    /// The transport may be read: call WireSocket::receive().
    virtual void socketReadable() = 0;
    /// What would have blocked may go on.
    virtual void socketWritable() = 0;
    /// The connection broke.
    virtual void socketFailed(const QString &reason) = 0;
    /// QWebSocketServer or QWebSocket wrote: the handshake's answer, or a control frame. To be sent
    /// in order, with nothing between the calls that come within one call of QWebSocket's, which
    /// writes the head of a ping or pong and then its payload.
    virtual void controlWritten(QByteArray bytes) = 0;
    /// QWebSocket has written its last (a close frame), or QWebSocketServer refused the upgrade.
    virtual void closeRequested() = 0;

protected:
    ~WireSocketOwner() = default;
};

/// A QTcpSocket that serves a QWebSocket above and a bare Transport below, the way QSslSocket
/// stands on a plain socket.
///
/// QWebSocket sees only what it is for: the request head, and whole control frames, fed by feed().
/// All else passes it by: the owner reads with receive() and writes with send(). So data frames
/// never go through QWebSocket's UTF-16, its frame timer (5 s for an incomplete frame, in 6.4) or
/// QIODevice's buffers.
///
/// Thread: confined to its worker's.
/// Owner: WireSocketOwner, which must outlive it and the QWebSocket above it.
/// Limits: buffers nothing but what feed() was given last, until QWebSocket has read it.
class WireSocket final : public QTcpSocket, private TransportUser
{
    Q_OBJECT
    Q_DISABLE_COPY_MOVE(WireSocket)

public:
    /// With `tls`, the TLS handshake starts at once.
    WireSocket(SocketHandle socket, const QSslConfiguration *tls, WireSocketOwner &owner);
    ~WireSocket() override;

    IoResult receive(std::span<char> into) { return m_transport->read(into); }
    IoResult send(std::span<const iovec> pieces) { return m_transport->write(pieces); }
    void setReadInterest(bool wanted) { m_transport->setReadInterest(wanted); }
    void setWriteInterest(bool wanted) { m_transport->setWriteInterest(wanted); }
    [[nodiscard]] std::optional<TcpView> tcpView() const { return m_transport->tcpView(); }
    void shutdownWrite() { m_transport->shutdownWrite(); }

    /// Gives QWebSocket(Server) bytes to read: what it does with them happens before this returns,
    /// but for the upgrade, which QWebSocketServer does in its next event.
    void feed(QByteArray bytes);
    /// The bytes that wait to be read by the QWebSocketServer that is about to take this socket.
    void preload(QByteArray bytes) { m_input = std::move(bytes); }
    /// Frees the read buffer that QWebSocketServer's peek() left in QIODevice (measured: about 4 KB
    /// a client).
    void freeHandshakeBuffer();
    /// Ends the connection at once and tells QWebSocket so.
    void end();

    // QTcpSocket, as QWebSocket uses it.
    [[nodiscard]] qint64 bytesAvailable() const override;
    [[nodiscard]] bool isSequential() const override { return true; }
    void close() override;
    void disconnectFromHost() override { close(); }

protected:
    qint64 readData(char *data, qint64 maxSize) override;
    qint64 writeData(const char *data, qint64 size) override;

private:
    void transportReadable() override { m_owner.socketReadable(); }
    void transportWritable() override { m_owner.socketWritable(); }
    void transportFailed(const QString &reason) override { m_owner.socketFailed(reason); }

    WireSocketOwner &m_owner;
    std::unique_ptr<Transport> m_transport;
    QByteArray m_input;
};

} // namespace relay
