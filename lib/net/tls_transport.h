#pragma once

#include "net/socket_handle.h"
#include "net/transport.h"

#include <QSslConfiguration>
#include <QSslSocket>

namespace relay {

/// TLS, by QSslSocket. It must buffer what it decrypts and encrypts; both are held to
/// kMaxBufferedBytes.
class TlsTransport final : public Transport
{
public:
    static constexpr qint64 kMaxBufferedBytes = 65536;

    /// Starts the server's side of the handshake.
    TlsTransport(SocketHandle socket, const QSslConfiguration &configuration, TransportUser &user);
    ~TlsTransport() override;
    Q_DISABLE_COPY_MOVE(TlsTransport)

    IoResult read(std::span<char> into) override;
    IoResult write(std::span<const iovec> pieces) override;
    void setReadInterest(bool wanted) override;
    void setWriteInterest(bool wanted) override;
    void shutdownWrite() override;
    [[nodiscard]] std::optional<TcpView> tcpView() const override;
    void close() override;

private:
    /// Delivers from the event loop.
    void deliverLater(void (TlsTransport::*deliver)());
    void deliverWritableSoon();
    // Each tells the user what is true when it is called; never within write().
    void deliverReadable();
    void deliverWritable();
    void deliverError();
    [[nodiscard]] bool hasEnded() const;
    std::size_t writePiece(const char *data, std::size_t size);
    /// How much more may be buffered.
    [[nodiscard]] std::size_t room() const;

    TransportUser &m_user;
    QSslSocket m_socket;
    bool m_wantsRead = true;
    bool m_wantsWrite = false;
    bool m_isWriting = false;
    bool m_isClosed = false;
};

} // namespace relay
