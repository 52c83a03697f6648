#include "support/web_client.h"

#include <QSslConfiguration>

#include <algorithm>
#include <iterator>

namespace relay::test {

WebClient::WebClient(const QUrl &url, const QSslConfiguration *tls)
{
    QObject::connect(&m_socket, &QWebSocket::textMessageReceived, &m_socket,
                     [this](const QString &text) {
                         m_received.push_back({MessageKind::Text, text.toUtf8()});
                     });
    QObject::connect(&m_socket, &QWebSocket::binaryMessageReceived, &m_socket,
                     [this](const QByteArray &bytes) {
                         m_received.push_back({MessageKind::Binary, bytes});
                     });
    QObject::connect(&m_socket, &QWebSocket::disconnected, &m_socket,
                     [this] { m_hasEnded = true; });
    if (tls != nullptr) {
        m_socket.setSslConfiguration(*tls);
    }
    m_socket.open(url);
}

WebClient::~WebClient()
{
    m_socket.disconnect(); // it closes itself, and has nobody to tell any more
}

void WebClient::send(const Message &message)
{
    if (message.kind == MessageKind::Text) {
        sendText(message.payload);
    } else {
        sendBinary(message.payload);
    }
}

std::vector<QByteArray> WebClient::payloads() const
{
    std::vector<QByteArray> payloads;
    std::transform(m_received.begin(), m_received.end(), std::back_inserter(payloads),
                   [](const Message &message) { return message.payload; });
    return payloads;
}

bool waitForAll(const WebClients &clients, std::size_t count)
{
    return waitFor([&] {
        return std::all_of(clients.begin(), clients.end(), [count](const auto &client) {
            return client->received().size() >= count;
        });
    });
}

} // namespace relay::test
