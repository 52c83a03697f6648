#pragma once

#include "hub/hub.h"

#include "support/wait_for.h"

#include <QByteArray>
#include <QUrl>
#include <QWebSocket>

#include <memory>
#include <vector>

namespace relay::test {

struct Message
{
    MessageKind kind = MessageKind::Text;
    QByteArray payload;

    friend bool operator==(const Message &, const Message &) = default;
};

/// A QWebSocket that remembers what it was sent: the client that most programs are.
///
/// Thread: confined to one, which runs its event loop in waitFor().
class WebClient
{
public:
    /// Begins to connect; `tls` says what it trusts.
    explicit WebClient(const QUrl &url, const QSslConfiguration *tls = nullptr);
    ~WebClient();
    WebClient(const WebClient &) = delete;
    WebClient &operator=(const WebClient &) = delete;

    QWebSocket &socket() { return m_socket; }
    [[nodiscard]] bool isConnected() const
    {
        return m_socket.state() == QAbstractSocket::ConnectedState;
    }
    [[nodiscard]] bool waitUntilConnected()
    {
        return waitFor([this] { return isConnected(); });
    }
    [[nodiscard]] bool hasEnded() const { return m_hasEnded; }
    [[nodiscard]] bool waitUntilEnded()
    {
        return waitFor([this] { return m_hasEnded; });
    }
    [[nodiscard]] quint16 closeCode() const { return m_socket.closeCode(); }

    void sendText(const QByteArray &utf8) { m_socket.sendTextMessage(QString::fromUtf8(utf8)); }
    void sendBinary(const QByteArray &bytes) { m_socket.sendBinaryMessage(bytes); }
    void send(const Message &message);

    [[nodiscard]] const std::vector<Message> &received() const { return m_received; }
    [[nodiscard]] std::vector<QByteArray> payloads() const;
    [[nodiscard]] bool waitForMessages(std::size_t count)
    {
        return waitFor([this, count] { return m_received.size() >= count; });
    }
    void forget() { m_received.clear(); }

private:
    QWebSocket m_socket;
    std::vector<Message> m_received;
    bool m_hasEnded = false;
};

using WebClients = std::vector<std::unique_ptr<WebClient>>;

/// Whether every one of them comes to have received that many messages.
[[nodiscard]] bool waitForAll(const WebClients &clients, std::size_t count);

} // namespace relay::test
