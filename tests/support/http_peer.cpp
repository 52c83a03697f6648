#include "support/http_peer.h"

#include <QJsonDocument>

namespace relay::test {

QJsonObject HttpAnswer::json() const
{
    return value("content-type") == "application/json" ? QJsonDocument::fromJson(body).object()
                                                       : QJsonObject();
}

QJsonArray HttpAnswer::jsonArray() const
{
    return value("content-type") == "application/json" ? QJsonDocument::fromJson(body).array()
                                                       : QJsonArray();
}

QByteArray HttpAnswer::error() const
{
    const QJsonObject object = json();
    const bool isError =
        object.size() == 2 && !object.value(QLatin1String("message")).toString().isEmpty();
    return isError ? object.value(QLatin1String("error")).toString().toUtf8() : QByteArray();
}

QByteArray
HttpPeer::request(const QByteArray &method, const QByteArray &target, const QByteArrayList &fields)
{
    QByteArray head = method + ' ' + target + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const QByteArray &field : fields) {
        head += field + "\r\n";
    }
    return head + "\r\n";
}

qint64 offsetOf(const HttpAnswer &answer)
{
    return answer.json().value(QLatin1String("offset")).toInteger(-1);
}

QByteArray HttpPeer::get(const QByteArray &target, const QByteArrayList &fields)
{
    return request("GET", target, fields);
}

QByteArray
HttpPeer::post(const QByteArray &target, const QByteArray &body, const QByteArrayList &fields)
{
    const QByteArray length = "Content-Length: " + QByteArray::number(body.size());
    return request("POST", target, QByteArrayList{length} + fields) + body;
}

QByteArray HttpPeer::postHead(qsizetype bodyBytes, const QByteArrayList &fields)
{
    const QByteArray length = "Content-Length: " + QByteArray::number(bodyBytes);
    return request("POST", "/a", QByteArrayList{length} + fields);
}

void HttpPeer::pull()
{
    while (m_client.read() > 0) {
    }
    m_unread += m_client.takeBytes();
}

HttpAnswer HttpPeer::answer(Body body)
{
    HttpAnswer answer;
    qsizetype end = -1;
    const bool hasHead = waitFor([&] {
        pull();
        end = m_unread.indexOf("\r\n\r\n");
        return end >= 0 || m_client.hasEnded();
    });
    if (!hasHead || end < 0) {
        return answer;
    }
    static_cast<AnswerHead &>(answer) = parseAnswerHead(m_unread.first(end));
    m_unread.remove(0, end + 4);
    if (body == Body::None || !answer.has("content-length")) {
        return answer;
    }
    const qsizetype length = answer.value("content-length").toLongLong();
    const bool hasBody = waitFor([&] {
        pull();
        return m_unread.size() >= length || m_client.hasEnded();
    });
    if (!hasBody || m_unread.size() < length) {
        return {};
    }
    answer.body = m_unread.first(length);
    m_unread.remove(0, length);
    return answer;
}

HttpAnswer HttpPeer::listen(const QByteArray &target, const QByteArrayList &fields)
{
    return ask(get(target, QByteArrayList{"Accept: text/event-stream"} + fields));
}

std::optional<StreamEvent> HttpPeer::nextEvent()
{
    std::optional<StreamEvent> event;
    const bool isDecided = waitForStream([&](EventReader &events) {
        event = events.next();
        return event.has_value() || m_client.hasEnded();
    });
    return isDecided ? event : std::nullopt;
}

QByteArray HttpPeer::bytes(qsizetype atLeast)
{
    const bool isThere = waitFor([&] {
        pull();
        return m_unread.size() >= atLeast || m_client.hasEnded();
    });
    return isThere ? std::exchange(m_unread, {}) : QByteArray();
}

bool HttpPeer::isSilent()
{
    pull();
    return m_unread.isEmpty() && !m_client.hasEnded();
}

} // namespace relay::test
