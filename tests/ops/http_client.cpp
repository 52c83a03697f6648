#include "http_client.h"

#include "support/wait_for.h"

#include <QHostAddress>

#include <sys/socket.h>

#include <utility>

namespace relay {

namespace {

constexpr std::chrono::seconds kPatience{10};

} // namespace

HttpClient::HttpClient(quint16 port)
{
    m_socket.setSocketOption(QAbstractSocket::LowDelayOption, 1);
    m_socket.connectToHost(QHostAddress(QHostAddress::LocalHost), port);
    m_socket.waitForConnected();
}

void HttpClient::send(const QByteArray &bytes)
{
    m_socket.write(bytes);
    m_socket.flush();
}

void HttpClient::finishSending()
{
    ::shutdown(static_cast<int>(m_socket.socketDescriptor()), SHUT_WR);
}

std::optional<Answer> HttpClient::answer(bool headOnly)
{
    std::optional<Answer> answer;
    (void)test::waitFor(
        [&] {
            m_received += m_socket.readAll();
            answer = takeAnswer(headOnly);
            return answer || m_socket.state() == QAbstractSocket::UnconnectedState;
        },
        kPatience);
    return answer;
}

bool HttpClient::endsSilently()
{
    const bool ended = test::waitFor(
        [this] { return m_socket.state() == QAbstractSocket::UnconnectedState; }, kPatience);
    m_received += m_socket.readAll();
    return ended && m_received.isEmpty();
}

std::optional<Answer> HttpClient::takeAnswer(bool headOnly)
{
    const qsizetype headEnd = m_received.indexOf("\r\n\r\n");
    if (headEnd < 0) {
        return std::nullopt;
    }
    Answer answer;
    const QByteArrayList lines = m_received.left(headEnd).split('\n');
    answer.status = lines.front().split(' ').value(1).toInt();
    for (const QByteArray &line : lines.mid(1)) {
        const qsizetype colon = line.indexOf(':');
        answer.fields.insert(line.left(colon).toLower(), line.mid(colon + 1).trimmed());
    }
    const qsizetype bodyBytes = headOnly ? 0 : answer.fields.value("content-length").toInt();
    if (m_received.size() < headEnd + 4 + bodyBytes) {
        return std::nullopt;
    }
    answer.body = m_received.mid(headEnd + 4, bodyBytes);
    m_received.remove(0, headEnd + 4 + bodyBytes);
    return answer;
}

QByteArray HttpClient::takeReceived()
{
    m_received += m_socket.readAll();
    return std::exchange(m_received, {});
}

std::optional<Answer>
request(quint16 port, const QByteArray &methodAndTarget, const QByteArray &fieldsAndBody)
{
    HttpClient client(port);
    client.send(methodAndTarget + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + (fieldsAndBody.isEmpty() ? QByteArray("\r\n") : fieldsAndBody));
    return client.answer(methodAndTarget.startsWith("HEAD "));
}

} // namespace relay
