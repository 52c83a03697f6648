#include "ops/http_connection.h"

#include "net/peer_address.h"
#include "ops/router.h"
#include "wire/html_error.h"

#include <QHostAddress>
#include <QLoggingCategory>
#include <QPointer>

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcOps, "relay.ops")

/// How long a peer has to read a last answer and close. Longer than a few lost packets' repetition,
/// short enough that peers which never close do not fill the connection limit.
constexpr std::chrono::milliseconds kLingerTime{2000};

/// What is read at once: a head of the usual kind and more.
constexpr qint64 kReadBytes = 16384;

} // namespace

/// Ends with the request that it is the reply to, or with its connection, whichever is first.
class HttpConnection::PendingReply final : public Reply
{
public:
    explicit PendingReply(HttpConnection &connection)
        : m_connection(&connection)
    {}
    PendingReply(const PendingReply &) = delete;
    PendingReply &operator=(const PendingReply &) = delete;
    ~PendingReply() override
    {
        PendingReply::send(plainResponse(503, "The relay cannot answer this now."));
    }

    void send(const HttpResponse &response) override
    {
        if (isAwaited()) {
            m_connection->write(response, m_connection->m_isHead);
        }
        m_connection.clear();
    }
    void beginStream(const HttpResponse &head) override
    {
        if (isAwaited()) {
            m_connection->beginStream(head);
        }
    }
    bool write(const QByteArray &bytes) override
    {
        return m_connection && m_connection->writeStream(bytes);
    }

private:
    [[nodiscard]] bool isAwaited() const
    {
        return m_connection && m_connection->m_state == State::Waiting && m_connection->isOpen();
    }

    QPointer<HttpConnection> m_connection;
};

HttpConnection::HttpConnection(std::unique_ptr<QTcpSocket> socket,
                               const Router &router,
                               DateField &date,
                               std::chrono::milliseconds requestTimeout,
                               QObject *parent)
    : QObject(parent)
    , m_socket(std::move(socket))
    , m_router(router)
    , m_date(date)
    , m_requestTimeout(requestTimeout)
    , m_peer(PeerAddress(m_socket->peerAddress(), m_socket->peerPort()).toString())
{
    m_socket->setParent(nullptr);
    m_socket->setReadBufferSize(kReadBytes);
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

void HttpConnection::serve(Service service)
{
    m_service = service;
    if (service == Service::HealthOnly) {
        m_requestTimeout = std::min(m_requestTimeout, kMaxIdleWhenFull);
    }
    enter(State::Idle);
    read();
}

void HttpConnection::refuse(const HttpResponse &response)
{
    m_keepAlive = false;
    write(response);
}

bool HttpConnection::endLingering()
{
    if (!isLingering()) {
        return false;
    }
    m_socket->abort();
    return true;
}

bool HttpConnection::giveWay(std::chrono::milliseconds leastWait)
{
    // A coarse timer may have more left than it was given: nobody has waited for less than nothing.
    const auto waited = std::max(std::chrono::milliseconds(0),
                                 m_requestTimeout - m_deadline.remainingTimeAsDuration());
    const bool isIdle = m_state == State::Idle || m_state == State::ReadingHead;
    if (!isIdle || waited < std::min(leastWait, m_requestTimeout / 2)) {
        return false;
    }
    m_socket->abort();
    return true;
}

void HttpConnection::read()
{
    if (!isOpen()) {
        return; // ended since it was asked to be read
    }
    if (m_state == State::Lingering || m_state == State::Streaming) {
        m_socket->skip(m_socket->bytesAvailable());
        return;
    }
    // What came together with the last request is used up first.
    while (m_state != State::Answering && m_state != State::Waiting && needsMore()
           && m_socket->bytesAvailable() > 0)
    {
        m_reader.append(m_socket->read(kReadBytes));
    }
}

bool HttpConnection::needsMore()
{
    while (true) {
        switch (m_reader.next()) {
        case HttpRequestReader::Status::NeedMore:
            if (m_state == State::Idle && !m_reader.isIdle()) {
                enter(State::ReadingHead);
            }
            return true;
        case HttpRequestReader::Status::HeadComplete:
            if (!acceptBody()) {
                return false;
            }
            break;
        case HttpRequestReader::Status::Complete:
            answer();
            return false;
        case HttpRequestReader::Status::Failed:
            if (m_state != State::ReadingBody) {
                qCInfo(lcOps).noquote()
                    << "ops port:" << m_peer << "refused:" << m_reader.failureStatus()
                    << m_reader.problem();
            }
            refuse(m_state == State::ReadingBody && m_reader.failureStatus() == 413
                       ? m_router.bodyTooLong(m_reader.request())
                       : plainResponse(m_reader.failureStatus(), m_reader.problem()));
            return false;
        }
    }
}

bool HttpConnection::acceptBody()
{
    const HttpRequest &head = m_reader.request();
    m_isHead = head.method == "HEAD";
    m_wantsPage = prefersPage(head);
    if (const auto refused = refusalOf(head)) {
        // A body is not read, so what follows the head is no request.
        m_keepAlive = head.keepAlive && !m_reader.hasBody() && m_service == Service::All;
        if (m_keepAlive) {
            m_refusal = *refused;
            m_reader.acceptBody(0);
            return true;
        }
        write(*refused, m_isHead);
        return false;
    }
    enter(State::ReadingBody);
    m_reader.acceptBody(m_router.maxBodyBytes(head));
    if (m_reader.expectsContinue()) {
        m_socket->write(kContinueAnswer.data(), kContinueAnswer.size());
    }
    return true;
}

std::optional<HttpResponse> HttpConnection::refusalOf(const HttpRequest &head) const
{
    if (m_service == Service::HealthOnly && !m_router.isHealthCheck(head)) {
        return plainResponse(503, "Too many connections to this port (metrics.connections).");
    }
    auto refused = m_router.refuse(head, m_reader.hasBody());
    if (refused && (refused->status == 401 || refused->status == 403)) {
        qCWarning(lcOps).noquote() << "refused with" << refused->status << describe(head, m_peer);
    }
    return refused;
}

void HttpConnection::answer()
{
    const HttpRequest head = m_reader.request();
    const QByteArray body = m_reader.body();
    m_reader.finish();
    m_keepAlive = head.keepAlive && m_service == Service::All;
    if (const auto refusal = std::exchange(m_refusal, std::nullopt)) {
        write(*refusal, m_isHead);
        return;
    }
    enter(State::Waiting);
    m_router.answer(head, body, m_peer, std::make_shared<PendingReply>(*this));
}

void HttpConnection::beginStream(const HttpResponse &head)
{
    HttpResponse dated = head;
    dated.date = m_date.value();
    m_socket->write(dated.serializeStreamHead());
    if (m_isHead) {
        m_keepAlive = false;
        enter(State::Answering);
        m_socket->flush();
        goOnWhenWritten();
        return;
    }
    m_state = State::Streaming;
    m_deadline.stop();
}

bool HttpConnection::writeStream(const QByteArray &bytes)
{
    if (m_state != State::Streaming || !isOpen()) {
        return false;
    }
    if (m_socket->bytesToWrite() + bytes.size() > kMaxStreamBacklogBytes) {
        qCWarning(lcOps).noquote() << "listener" << m_peer << "disconnected: it left more than"
                                   << kMaxStreamBacklogBytes << "bytes of its stream unread";
        m_socket->abort();
        return false;
    }
    m_socket->write(bytes);
    return true;
}

bool HttpConnection::isOpen() const
{
    return m_socket->state() == QAbstractSocket::ConnectedState;
}

void HttpConnection::enter(State state)
{
    m_state = state;
    m_deadline.start(state == State::Lingering ? std::min(m_requestTimeout, kLingerTime)
                                               : m_requestTimeout);
}

void HttpConnection::write(const HttpResponse &response, bool headOnly)
{
    HttpResponse complete = shownTo(m_wantsPage, response);
    complete.date = m_date.value();
    complete.keepAlive = m_keepAlive;
    enter(State::Answering);
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
    m_wantsPage = false;
    enter(State::Idle);
    // In a turn of its own: a long pipeline must not hold up the thread, nor grow the stack.
    QMetaObject::invokeMethod(this, &HttpConnection::read, Qt::QueuedConnection);
}

void HttpConnection::linger()
{
    enter(State::Lingering);
    ::shutdown(static_cast<int>(m_socket->socketDescriptor()), SHUT_WR);
    read();
}

void HttpConnection::timedOut()
{
    if (m_state == State::ReadingHead) {
        refuse(plainResponse(408, "The request's head did not arrive in time."));
    } else if (m_state == State::ReadingBody) {
        refuse(plainResponse(408, "The request's body did not arrive in time."));
    } else if (m_state == State::Waiting) {
        refuse(plainResponse(503, "The relay took too long to answer this."));
    } else {
        m_socket->abort();
    }
}

} // namespace relay
