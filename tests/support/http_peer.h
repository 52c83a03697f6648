#pragma once

#include "support/event_reader.h"
#include "support/paced_client.h"
#include "support/raw_client.h"

#include <QJsonArray>
#include <QJsonObject>

namespace relay::test {

struct HttpAnswer : AnswerHead
{
    QByteArray body;

    /// Empty unless the answer says that it is JSON, and is.
    [[nodiscard]] QJsonObject json() const;
    [[nodiscard]] QJsonArray jsonArray() const;
    /// The code of {"error":"<code>","message":"<sentence>"}; empty for anything else.
    [[nodiscard]] QByteArray error() const;
};

/// What a successful publish answers as the message's offset; -1 in any other answer.
[[nodiscard]] qint64 offsetOf(const HttpAnswer &answer);

/// An HTTP client that sends exactly the bytes that a test wants to have sent, and takes the answers
/// apart without the code under test.
///
/// Thread: confined to one, whose event loop runs while it waits.
/// Errors: what was waited for and did not come is an answer of status 0, or no event.
class HttpPeer
{
public:
    /// As PacedClient's.
    explicit HttpPeer(quint16 port, int receiveBufferBytes = 0)
        : m_client(port, receiveBufferBytes)
    {}

    /// Whole requests in HTTP/1.1 to the host "localhost", with further header fields ("A: b").
    static QByteArray get(const QByteArray &target, const QByteArrayList &fields = {});
    static QByteArray
    request(const QByteArray &method, const QByteArray &target, const QByteArrayList &fields = {});
    static QByteArray
    post(const QByteArray &target, const QByteArray &body, const QByteArrayList &fields = {});

    /// A POST to "/a" without its body of so many bytes.
    static QByteArray postHead(qsizetype bodyBytes, const QByteArrayList &fields = {});

    bool send(const QByteArray &bytes) { return m_client.send(bytes); }
    enum class Body {
        Expected,
        None ///< the request was a HEAD
    };
    /// The next answer. One without Content-Length has no body, unless the connection ends.
    HttpAnswer answer(Body body = Body::Expected);
    HttpAnswer ask(const QByteArray &bytes) { return send(bytes) ? answer() : HttpAnswer(); }

    /// Asks for a channel's event stream, and reads the answer's head; events follow.
    HttpAnswer listen(const QByteArray &target, const QByteArrayList &fields = {});
    std::optional<StreamEvent> nextEvent();
    /// Of the events, without reading.
    [[nodiscard]] const EventReader &events() const { return m_events; }
    /// Reads until `condition` holds of what has come of the stream.
    template <typename Condition>
    bool waitForStream(Condition condition)
    {
        return waitFor([&] {
            pull();
            m_events.append(std::exchange(m_unread, {}));
            return condition(m_events);
        });
    }

    /// Reads until so many bytes have come, or the connection has ended; returns all that has come.
    QByteArray bytes(qsizetype atLeast);
    /// Whether nothing has come that was not taken, as far as can be seen without waiting.
    bool isSilent();
    bool waitForEnd() { return m_client.waitForEnd(); }
    PacedClient &connection() { return m_client; }

private:
    void pull();

    PacedClient m_client;
    QByteArray m_unread;
    EventReader m_events;
};

} // namespace relay::test
