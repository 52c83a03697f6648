#include "net/tls_transport.h"

#include <QMetaObject>

#include <algorithm>

namespace relay {

TlsTransport::TlsTransport(SocketHandle socket,
                           const QSslConfiguration &configuration,
                           TransportUser &user)
    : m_user(user)
{
    m_socket.setSocketDescriptor(socket.take());
    m_socket.setReadBufferSize(kMaxBufferedBytes);
    m_socket.setSslConfiguration(configuration);

    QObject::connect(&m_socket, &QSslSocket::readyRead, &m_socket, [this] { deliverReadable(); });
    QObject::connect(&m_socket, &QSslSocket::encryptedBytesWritten, &m_socket, [this] {
        if (m_wantsWrite && m_socket.encryptedBytesToWrite() < kMaxBufferedBytes) {
            m_user.transportWritable();
        }
    });
    QObject::connect(&m_socket, &QSslSocket::readChannelFinished, &m_socket,
                     [this] { deliverReadable(); });
    QObject::connect(&m_socket, &QSslSocket::errorOccurred, &m_socket, [this] {
        if (m_isClosed || m_socket.bytesAvailable() > 0) {
            return; // what was received before is read first; the end follows as
                    // readChannelFinished
        }
        if (m_socket.error() == QAbstractSocket::RemoteHostClosedError && m_socket.isEncrypted()) {
            return;
        }
        m_user.transportFailed(m_socket.errorString());
    });
    m_socket.startServerEncryption();
}

TlsTransport::~TlsTransport()
{
    TlsTransport::close();
}

IoResult TlsTransport::read(std::span<char> into)
{
    const qint64 got = m_socket.read(into.data(), static_cast<qint64>(into.size()));
    if (got > 0) {
        return {static_cast<std::size_t>(got), IoStatus::Done};
    }
    return {0, hasEnded() ? IoStatus::Ended : IoStatus::WouldBlock};
}

IoResult TlsTransport::write(std::span<const iovec> pieces)
{
    if (m_isClosed || hasEnded()) {
        return {0, IoStatus::Failed};
    }
    const auto room =
        kMaxBufferedBytes - m_socket.bytesToWrite() - m_socket.encryptedBytesToWrite();
    std::size_t taken = 0;
    for (const iovec &piece : pieces) {
        const auto left = static_cast<std::size_t>(std::max<qint64>(room, 0)) - taken;
        const std::size_t bytes = std::min(piece.iov_len, left);
        if (bytes == 0) {
            break;
        }
        const qint64 written =
            m_socket.write(static_cast<const char *>(piece.iov_base), static_cast<qint64>(bytes));
        if (written < 0) {
            return {taken, IoStatus::Failed};
        }
        taken += static_cast<std::size_t>(written);
        if (bytes < piece.iov_len) {
            break;
        }
    }
    if (taken == 0) {
        return {0, IoStatus::WouldBlock};
    }
    m_socket.flush();
    return {taken, IoStatus::Done};
}

void TlsTransport::setReadInterest(bool wanted)
{
    if (m_wantsRead == wanted) {
        return;
    }
    m_wantsRead = wanted;
    if (wanted && (m_socket.bytesAvailable() > 0 || hasEnded())) {
        // QSslSocket does not say again what it has said.
        QMetaObject::invokeMethod(
            &m_socket, [this] { deliverReadable(); }, Qt::QueuedConnection);
    }
}

void TlsTransport::setWriteInterest(bool wanted)
{
    m_wantsWrite = wanted;
}

void TlsTransport::shutdownWrite()
{
    if (!m_isClosed) {
        m_socket.disconnectFromHost();
    }
}

void TlsTransport::close()
{
    if (!m_isClosed) {
        m_isClosed = true;
        m_socket.disconnect();
        m_socket.abort();
    }
}

void TlsTransport::deliverReadable()
{
    qint64 before = -1;
    while (!m_isClosed && m_wantsRead && m_socket.bytesAvailable() > 0
           && m_socket.bytesAvailable() != before)
    {
        before = m_socket.bytesAvailable();
        m_user.transportReadable();
    }
    if (!m_isClosed && m_socket.bytesAvailable() == 0 && hasEnded()) {
        m_user.transportReadable();
    }
}

bool TlsTransport::hasEnded() const
{
    return m_socket.state() == QAbstractSocket::UnconnectedState;
}

} // namespace relay
