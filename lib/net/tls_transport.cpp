#include "net/tls_transport.h"

#include <QMetaObject>
#include <QScopedValueRollback>

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
    QObject::connect(&m_socket, &QSslSocket::encryptedBytesWritten, &m_socket,
                     [this] { deliverWritable(); });
    QObject::connect(&m_socket, &QSslSocket::readChannelFinished, &m_socket,
                     [this] { deliverReadable(); });
    QObject::connect(&m_socket, &QSslSocket::errorOccurred, &m_socket, [this] { deliverError(); });
    m_socket.startServerEncryption();
}

TlsTransport::~TlsTransport()
{
    TlsTransport::close();
}

IoResult TlsTransport::read(std::span<char> into)
{
    if (m_isClosed) {
        return {0, IoStatus::Failed};
    }
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
    // flush() says what it has sent, decrypts what has come, and finds errors: the user must not be
    // called into its own write().
    const QScopedValueRollback guard(m_isWriting, true);
    std::size_t taken = 0;
    bool isWhole = true;
    for (const iovec &piece : pieces) {
        const std::size_t bytes =
            writePiece(static_cast<const char *>(piece.iov_base), piece.iov_len);
        taken += bytes;
        if (bytes < piece.iov_len) {
            isWhole = false;
            break;
        }
    }
    m_socket.flush();
    if (!isWhole) {
        deliverWritableSoon();
    }
    return {taken, taken > 0 ? IoStatus::Done : IoStatus::WouldBlock};
}

std::size_t TlsTransport::writePiece(const char *data, std::size_t size)
{
    std::size_t taken = 0;
    while (taken < size) {
        if (room() == 0) {
            m_socket.flush();
        }
        const std::size_t bytes = std::min(size - taken, room());
        if (bytes == 0 || m_socket.write(data + taken, static_cast<qint64>(bytes)) < 0) {
            break; // what it cannot take is tried again; a broken connection is told as such
        }
        taken += bytes;
    }
    return taken;
}

std::size_t TlsTransport::room() const
{
    const qint64 buffered = m_socket.bytesToWrite() + m_socket.encryptedBytesToWrite();
    return static_cast<std::size_t>(std::max<qint64>(kMaxBufferedBytes - buffered, 0));
}

void TlsTransport::setReadInterest(bool wanted)
{
    if (m_wantsRead == wanted) {
        return;
    }
    m_wantsRead = wanted;
    if (wanted && (m_socket.bytesAvailable() > 0 || hasEnded())) {
        // QSslSocket does not say again what it has said.
        deliverLater(&TlsTransport::deliverReadable);
    }
}

void TlsTransport::setWriteInterest(bool wanted)
{
    m_wantsWrite = wanted;
    deliverWritableSoon();
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

void TlsTransport::deliverLater(void (TlsTransport::*deliver)())
{
    QMetaObject::invokeMethod(
        &m_socket, [this, deliver] { (this->*deliver)(); }, Qt::QueuedConnection);
}

void TlsTransport::deliverWritableSoon()
{
    // What write() had no room for may have it since its own flush(), after which nothing more is
    // sent that would tell.
    if (m_wantsWrite && room() > 0) {
        deliverLater(&TlsTransport::deliverWritable);
    }
}

void TlsTransport::deliverWritable()
{
    if (!m_isClosed && m_wantsWrite && !m_isWriting && room() > 0) {
        m_user.transportWritable();
    }
}

void TlsTransport::deliverReadable()
{
    if (m_isWriting) {
        deliverLater(&TlsTransport::deliverReadable);
        return;
    }
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

void TlsTransport::deliverError()
{
    if (m_isWriting) {
        deliverLater(&TlsTransport::deliverError);
        return;
    }
    if (m_isClosed || m_socket.bytesAvailable() > 0) {
        return; // what was received before is read first; the end follows as readChannelFinished
    }
    if (m_socket.error() == QAbstractSocket::RemoteHostClosedError && m_socket.isEncrypted()) {
        return;
    }
    // OpenSSL recognises the commonest mistake, in words that only its authors know.
    const QString problem = m_socket.errorString();
    m_user.transportFailed(problem.contains(QLatin1String("http request"))
                               ? QStringLiteral("this is plain HTTP, and this port speaks TLS")
                               : problem);
}

bool TlsTransport::hasEnded() const
{
    return m_socket.state() == QAbstractSocket::UnconnectedState;
}

std::optional<TcpView> TlsTransport::tcpView() const
{
    return readTcpView(static_cast<int>(m_socket.socketDescriptor()));
}

} // namespace relay
