#include "net/wire_socket.h"

#include "net/plain_transport.h"
#include "net/tls_transport.h"

#include <algorithm>
#include <cstring>

namespace relay {

namespace {

std::unique_ptr<Transport>
makeTransport(SocketHandle socket, const QSslConfiguration *tls, TransportUser &user)
{
    if (tls != nullptr) {
        return std::make_unique<TlsTransport>(std::move(socket), *tls, user);
    }
    return std::make_unique<PlainTransport>(std::move(socket), user);
}

constexpr QIODevice::OpenMode kOpenMode = QIODevice::ReadWrite | QIODevice::Unbuffered;

} // namespace

WireSocket::WireSocket(SocketHandle socket, const QSslConfiguration *tls, WireSocketOwner &owner)
    : m_owner(owner)
    , m_transport(makeTransport(std::move(socket), tls, *this))
{
    setSocketState(ConnectedState);
    setOpenMode(kOpenMode);
}

WireSocket::~WireSocket()
{
    // QAbstractSocket's destructor aborts a socket that is not unconnected.
    setSocketState(UnconnectedState);
    setOpenMode(NotOpen);
}

void WireSocket::feed(QByteArray bytes)
{
    m_input = std::move(bytes);
    Q_EMIT readyRead();
    m_input = QByteArray();
}

void WireSocket::freeHandshakeBuffer()
{
    setOpenMode(NotOpen);
    setOpenMode(kOpenMode);
}

void WireSocket::end()
{
    m_transport->close();
    if (state() != UnconnectedState) {
        setSocketState(UnconnectedState);
        Q_EMIT stateChanged(UnconnectedState);
    }
}

qint64 WireSocket::bytesAvailable() const
{
    return QTcpSocket::bytesAvailable() + m_input.size();
}

void WireSocket::close()
{
    m_owner.closeRequested();
}

qint64 WireSocket::readData(char *data, qint64 maxSize)
{
    const qint64 bytes = std::min<qint64>(maxSize, m_input.size());
    if (bytes > 0) {
        std::memcpy(data, m_input.constData(), static_cast<std::size_t>(bytes));
        m_input.remove(0, bytes);
    }
    return bytes;
}

qint64 WireSocket::writeData(const char *data, qint64 size)
{
    m_owner.controlWritten(QByteArray(data, size));
    return size;
}

} // namespace relay
