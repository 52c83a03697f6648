#include "tls_peer.h"

#include <QtGlobal>

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace relay::test {

namespace {

constexpr int kSystemBufferBytes = 65536;

void require(bool succeeded)
{
    if (!succeeded) {
        qFatal("a test connection could not be made");
    }
}

SocketHandle makeSocket(int flags)
{
    SocketHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
    for (const int option : {SO_SNDBUF, SO_RCVBUF}) {
        require(::setsockopt(socket.get(), SOL_SOCKET, option, &kSystemBufferBytes,
                             sizeof kSystemBufferBytes)
                == 0);
    }
    return socket;
}

} // namespace

Loopback::Loopback()
{
    const SocketHandle listener = makeSocket(0); // what it accepts has its buffers
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    socklen_t size = sizeof address;
    require(::bind(listener.get(), generic, size) == 0 && ::listen(listener.get(), 1) == 0);
    require(::getsockname(listener.get(), generic, &size) == 0);
    far = makeSocket(0);
    require(::connect(far.get(), generic, size) == 0);
    near = SocketHandle(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    require(near.get() >= 0 && ::fcntl(far.get(), F_SETFL, O_NONBLOCK) == 0);
}

class TlsPeer::Private
{
public:
    SocketHandle socket;
    SSL_CTX *context = nullptr;
    SSL *ssl = nullptr;
};

TlsPeer::TlsPeer(SocketHandle socket)
    : d(std::make_unique<Private>())
{
    d->socket = std::move(socket);
    d->context = SSL_CTX_new(TLS_client_method());
    require(d->context != nullptr);
    SSL_CTX_set_mode(d->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    d->ssl = SSL_new(d->context);
    require(d->ssl != nullptr && SSL_set_fd(d->ssl, d->socket.get()) == 1);
    SSL_set_connect_state(d->ssl);
}

TlsPeer::~TlsPeer()
{
    SSL_free(d->ssl);
    SSL_CTX_free(d->context);
}

bool TlsPeer::handshake()
{
    return SSL_do_handshake(d->ssl) == 1;
}

QByteArray TlsPeer::read(int maxBytes)
{
    QByteArray bytes(maxBytes, Qt::Uninitialized);
    const int got = SSL_read(d->ssl, bytes.data(), maxBytes);
    bytes.truncate(qMax(got, 0));
    return bytes;
}

qsizetype TlsPeer::write(const QByteArray &bytes)
{
    qsizetype taken = 0;
    while (taken < bytes.size()) {
        const int put =
            SSL_write(d->ssl, bytes.constData() + taken, static_cast<int>(bytes.size() - taken));
        if (put <= 0) {
            break;
        }
        taken += put;
    }
    return taken;
}

void TlsPeer::closeNotify()
{
    SSL_shutdown(d->ssl);
}

void TlsPeer::drop()
{
    d->socket = SocketHandle();
}

} // namespace relay::test
