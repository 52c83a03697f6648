#pragma once

#include <QByteArray>
#include <QHash>
#include <QTcpSocket>

#include <optional>

namespace relay {

/// An answer as it came, taken apart without the code under test.
struct Answer
{
    int status = 0;
    QHash<QByteArray, QByteArray> fields; ///< by name in lower case
    QByteArray body;
};

/// A client that sends exactly the bytes that a test wants to have sent.
class HttpClient
{
public:
    /// Connects, and waits until the connection stands.
    explicit HttpClient(quint16 port);

    void send(const QByteArray &bytes);
    /// Says that nothing will follow, as `nc -N` does, and goes on reading.
    void finishSending();

    /// Waits for the next whole answer; none when the connection ends first, or after ten seconds.
    /// `headOnly`: to a HEAD request, which has no body whatever its Content-Length says.
    std::optional<Answer> answer(bool headOnly = false);

    /// Waits up to ten seconds for the server to end the connection. False, too, when bytes came
    /// that no answer() took.
    bool endsSilently();

    /// All that has come and was not taken, without waiting: of an answer that has no end.
    QByteArray takeReceived();

    QTcpSocket &socket() { return m_socket; }

private:
    std::optional<Answer> takeAnswer(bool headOnly);

    QTcpSocket m_socket;
    QByteArray m_received;
};

/// One request on a connection of its own: the text of its head's first line, without the version,
/// and what follows its first fields, the empty line included.
std::optional<Answer>
request(quint16 port, const QByteArray &methodAndTarget, const QByteArray &fieldsAndBody = {});

} // namespace relay
