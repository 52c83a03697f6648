#include "ops/http_connection.h"

#include "ops/router.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace relay {

namespace {

/// How long a peer has to read a last answer and close. Longer than a few lost packets' repetition,
/// short enough that peers which never close do not fill the connection limit.
constexpr std::chrono::milliseconds kLingerTime{2000};

} // namespace

HttpConnection::HttpConnection(std::unique_ptr<QTcpSocket> socket,
                               const Router &router,
                               std::chrono::milliseconds requestTimeout,
                               QObject *parent)
    : QObject(parent)
    , m_socket(std::move(socket))
    , m_router(router)
    , m_requestTimeout(requestTimeout)
{
    m_socket->setParent(nullptr);
    // One byte more than a head may have: what is too large is seen to be so.
    m_socket->setReadBufferSize(m_limits.headBytes + 1);
    m_deadline.setSingleShot(true);
    connect(&m_deadline, &QTimer::timeout, this, &HttpConnection::timedOut);
    connect(m_socket.get(), &QTcpSocket::readyRead, this, &HttpConnection::read);
    connect(m_socket.get(), &QTcpSocket::bytesWritten, this, &HttpConnection::goOnWhenWritten);
    connect(m_socket.get(), &QTcpSocket::disconnected, &m_deadline, &QTimer::stop);
    connect(m_socket.get(), &QTcpSocket::disconnected, this, &HttpConnection::ended);
}

HttpConnection::~HttpConnection()
{
    // The socket's last signals must not reach an object that is half destroyed.
    m_socket->disconnect(this);
}

void HttpConnection::serve()
{
    m_deadline.start(m_requestTimeout);
    read();
}

void HttpConnection::refuse(const HttpResponse &response)
{
    m_keepAlive = false;
    write(response);
}

void HttpConnection::read()
{
    if (m_state == State::Lingering) {
        m_socket->skip(m_socket->bytesAvailable());
        return;
    }
    if (m_state == State::Answering || m_socket->bytesAvailable() == 0) {
        return;
    }
    if (!m_headBegun) {
        m_headBegun = true;
        m_deadline.start(m_requestTimeout);
    }
    const QByteArray bytes = m_socket->peek(m_limits.headBytes + 1);
    const HttpRequestParse parse = parseHttpRequest(bytes, m_limits);
    switch (parse.status) {
    case HttpRequestParse::Status::NeedMore:
        break;
    case HttpRequestParse::Status::Complete:
        m_socket->skip(parse.headBytes);
        answer(parse.request);
        break;
    case HttpRequestParse::Status::Malformed:
        refuse(plainResponse(400, parse.problem));
        break;
    case HttpRequestParse::Status::TooLarge:
        refuse(plainResponse(431, parse.problem));
        break;
    }
}

void HttpConnection::answer(const HttpRequest &request)
{
    // A body is not read, so what follows its head is no request.
    m_keepAlive = request.keepAlive && !announcesBody(request);
    write(m_router.answer(request), request.method == "HEAD");
}

void HttpConnection::write(const HttpResponse &response, bool headOnly)
{
    HttpResponse complete = response;
    complete.keepAlive = m_keepAlive;
    m_state = State::Answering;
    m_headBegun = false;
    m_deadline.start(m_requestTimeout);
    m_socket->write(complete.serialize(headOnly));
    // At once: a peer that has already ended its side ends the socket with the next turn.
    m_socket->flush();
    goOnWhenWritten();
}

void HttpConnection::goOnWhenWritten()
{
    if (m_state != State::Answering || m_socket->bytesToWrite() > 0) {
        return;
    }
    if (!m_keepAlive) {
        linger();
        return;
    }
    m_state = State::Reading;
    m_deadline.start(m_requestTimeout);
    // In a turn of its own: a long pipeline must not hold up the thread, nor grow the stack.
    QMetaObject::invokeMethod(this, &HttpConnection::read, Qt::QueuedConnection);
}

void HttpConnection::linger()
{
    m_state = State::Lingering;
    m_deadline.start(std::min(m_requestTimeout, kLingerTime));
    ::shutdown(static_cast<int>(m_socket->socketDescriptor()), SHUT_WR);
    read();
}

void HttpConnection::timedOut()
{
    if (m_state == State::Reading && m_headBegun) {
        refuse(plainResponse(408, "The request's head did not arrive in time."));
        return;
    }
    m_socket->abort();
}

} // namespace relay
