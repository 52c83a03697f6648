#pragma once

#include <QByteArray>
#include <QHash>
#include <QList>
#include <QPointer>
#include <QTcpServer>
#include <QTcpSocket>

namespace relay::gui {

/// A server that a test speaks for: it notes requests, and answers byte by byte what it is told.
///
/// Thread: the test's, which runs its event loop.
class FakeOpsServer
{
public:
    struct Request
    {
        QByteArray method;
        QByteArray target;
        QHash<QByteArray, QByteArray> fields; ///< by name in lower case
        QByteArray body;
    };

    FakeOpsServer();

    /// Listens again on the port that it had.
    void open();
    /// Ends every connection, and refuses new ones.
    void close();
    [[nodiscard]] quint16 port() const { return m_port; }

    /// Answers to "GET /-/api/clients", by method and path, in full; 404 for others.
    void answer(const QByteArray &methodAndPath, int status, const QByteArray &json);
    /// The same, with the head: what is not to be a relay's.
    void answerRaw(const QByteArray &methodAndPath, const QByteArray &bytes);
    /// To all streams that are open.
    void sendToStreams(const QByteArray &bytes);
    [[nodiscard]] int streamCount() const;

    [[nodiscard]] const QList<Request> &requests() const { return m_requests; }

private:
    void serve(QTcpSocket &socket);
    void reply(QTcpSocket &socket, const Request &request);

    QTcpServer m_server;
    quint16 m_port = 0;
    QHash<QByteArray, QByteArray> m_answers;
    QList<Request> m_requests;
    QList<QPointer<QTcpSocket>> m_streams;
};

} // namespace relay::gui
