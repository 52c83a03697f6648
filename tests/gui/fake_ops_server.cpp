#include "fake_ops_server.h"

#include <QHostAddress>

#include <algorithm>

namespace relay::gui {

FakeOpsServer::FakeOpsServer()
{
    QObject::connect(&m_server, &QTcpServer::newConnection, &m_server, [this] {
        QTcpSocket *socket = m_server.nextPendingConnection(); // the server's
        QObject::connect(socket, &QTcpSocket::readyRead, socket,
                         [this, socket] { serve(*socket); });
    });
    open();
}

void FakeOpsServer::open()
{
    if (!m_server.listen(QHostAddress::LocalHost, m_port)) {
        qFatal("cannot listen: %s", qPrintable(m_server.errorString()));
    }
    m_port = m_server.serverPort();
}

void FakeOpsServer::close()
{
    m_server.close();
    for (QTcpSocket *socket : m_server.findChildren<QTcpSocket *>()) {
        socket->abort();
    }
}

void FakeOpsServer::answer(const QByteArray &methodAndPath, int status, const QByteArray &json)
{
    m_answers[methodAndPath] = "HTTP/1.1 " + QByteArray::number(status)
                               + " Said\r\nContent-Type: application/json\r\nContent-Length: "
                               + QByteArray::number(json.size()) + "\r\n\r\n" + json;
}

void FakeOpsServer::answerRaw(const QByteArray &methodAndPath, const QByteArray &bytes)
{
    m_answers[methodAndPath] = bytes;
}

void FakeOpsServer::sendToStreams(const QByteArray &bytes)
{
    for (const QPointer<QTcpSocket> &stream : m_streams) {
        if (!stream.isNull() && stream->state() == QAbstractSocket::ConnectedState) {
            stream->write(bytes);
            stream->flush();
        }
    }
}

int FakeOpsServer::streamCount() const
{
    return static_cast<int>(
        std::count_if(m_streams.begin(), m_streams.end(), [](const QPointer<QTcpSocket> &stream) {
            return !stream.isNull() && stream->state() == QAbstractSocket::ConnectedState;
        }));
}

void FakeOpsServer::serve(QTcpSocket &socket)
{
    const QByteArray all = socket.peek(socket.bytesAvailable());
    const qsizetype headEnd = all.indexOf("\r\n\r\n");
    if (headEnd < 0) {
        return;
    }
    Request request;
    QList<QByteArray> lines = all.first(headEnd).split('\n');
    const QList<QByteArray> first = lines.takeFirst().split(' ');
    request.method = first.value(0);
    request.target = first.value(1);
    for (const QByteArray &line : std::as_const(lines)) {
        const qsizetype colon = line.indexOf(':');
        request.fields[line.first(colon).toLower()] = line.sliced(colon + 1).trimmed();
    }
    const qsizetype whole = headEnd + 4 + request.fields.value("content-length").toLongLong();
    if (all.size() < whole) {
        return;
    }
    request.body = all.sliced(headEnd + 4, whole - headEnd - 4);
    socket.skip(whole);
    m_requests.append(request);
    reply(socket, request);
}

void FakeOpsServer::reply(QTcpSocket &socket, const Request &request)
{
    if (socket.state() != QAbstractSocket::ConnectedState) {
        return;
    }
    const QByteArray path = request.target.split('?').first();
    const QByteArray key = request.method + ' ' + path;
    if (m_answers.contains(key)) {
        socket.write(m_answers[key]);
    } else if (path == "/-/api/stream") {
        socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        m_streams.append(&socket);
    } else {
        socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
}

} // namespace relay::gui
