#pragma once

#include "wire/http_date.h"
#include "wire/http_request_reader.h"
#include "wire/http_response.h"

#include <QObject>
#include <QTcpSocket>
#include <QTimer>

#include <chrono>
#include <memory>
#include <optional>

namespace relay {

class Router;

/// One HTTP/1 connection to the ops port: reads requests one after the other and writes what the
/// router answers.
///
/// Thread: main.
/// Owner: OpsServer, which deletes it after ended().
/// Limits: HttpLimits for a head, the route's for a body; `requestTimeout` as OpsOptions says. One
/// answer at a time: while bytes of it wait to be taken by the kernel nothing more is read, so that
/// a peer that sends and never reads costs one answer and two reads of memory; who listens to a
/// stream and leaves kMaxStreamBacklogBytes unread is cut off.
/// Errors: are answered (400, 408, 413, 431, 501) and end the connection; a peer that vanishes ends it
/// silently, and so does one that ends its sending side once the answer to its first request is
/// written (QTcpSocket cannot be half open).
class HttpConnection : public QObject
{
    Q_OBJECT

public:
    static constexpr qint64 kMaxStreamBacklogBytes = 1 << 20;
    static constexpr std::chrono::milliseconds kMaxIdleWhenFull{1000};

    /// `router` and `date` must outlive the connection.
    HttpConnection(std::unique_ptr<QTcpSocket> socket,
                   const Router &router,
                   DateField &date,
                   std::chrono::milliseconds requestTimeout,
                   QObject *parent);
    ~HttpConnection() override;
    Q_DISABLE_COPY_MOVE(HttpConnection)

    enum class Service {
        All,
        HealthOnly ///< one request, which is answered if it is a health check, else 503
    };
    /// Serves requests until the peer or a limit ends the connection.
    void serve(Service service);
    [[nodiscard]] Service service() const { return m_service; }

    /// Gives this answer without having read a request, and ends the connection.
    void refuse(const HttpResponse &response);

    /// Whether the last answer is given, and only the peer's end is awaited.
    [[nodiscard]] bool isLingering() const { return m_state == State::Lingering; }
    /// Ends a connection that lingers.
    bool endLingering();
    /// Ends the connection if it has waited for a request, or for the rest of a head, for `leastWait` or half of its time.
    /// Returns whether it did.
    bool giveWay(std::chrono::milliseconds leastWait);

Q_SIGNALS:
    /// Emitted once, as the last.
    void ended();

private:
    class PendingReply;

    enum class State {
        Idle,        ///< waits for a request
        ReadingHead, ///< waits for the rest of a head
        ReadingBody, ///< waits for the rest of a body
        Waiting,     ///< for a handler that cannot answer at once
        Streaming,   ///< gives an answer without an end
        Answering,   ///< waits until the kernel has taken the answer
        Lingering,   ///< has said its last, and reads to the end: closing over unread bytes would
                     ///< destroy the answer on its way
    };

    /// Takes the next request, if it is there and the last one is answered.
    void read();
    /// Takes the next request out of what was read, and answers it; false when it did.
    bool needsMore();
    /// False when it answered instead.
    bool acceptBody();
    [[nodiscard]] std::optional<HttpResponse> refusalOf(const HttpRequest &head) const;
    void answer();
    void beginStream(const HttpResponse &head);
    [[nodiscard]] bool writeStream(const QByteArray &bytes);
    [[nodiscard]] bool isOpen() const;
    void enter(State state);
    void write(const HttpResponse &response, bool headOnly = false);
    void goOnWhenWritten();
    void linger();
    void timedOut();

    std::unique_ptr<QTcpSocket> m_socket;
    const Router &m_router;
    DateField &m_date;
    HttpRequestReader m_reader{HttpLimits{}};
    std::chrono::milliseconds m_requestTimeout;
    const QString m_peer; ///< for the log
    QTimer m_deadline;
    State m_state = State::Idle;
    Service m_service = Service::All;
    std::optional<HttpResponse> m_refusal; ///< of the request that is being read
    bool m_isHead = false;                 ///< HEAD: the answer goes without its body
    bool m_wantsPage = false;              ///< a browser asks: errors are pages
    bool m_keepAlive =
        true; ///< whether the connection goes on after the answer that is being written
};

} // namespace relay
