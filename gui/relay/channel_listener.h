#pragma once

#include "gui/relay/event_stream_parser.h"

#include <QNetworkAccessManager>
#include <QObject>
#include <QTimer>
#include <QUrl>

namespace relay::gui {

/// A message of a channel, or a note that messages are missing.
struct ChannelMessage
{
    enum class Kind {
        Text,
        Binary,
        Gap
    };
    Kind kind = Kind::Text;
    qint64 offset = 0;
    double time = 0; ///< seconds since 1970-01-01 UTC; 0: not known
    QByteArray payload;
};

/// Listens to one channel by EventSource: its history first, then live messages. After a lost connection it
/// reconnects and resumes. Its User-Agent is ownUserAgent().
///
/// Thread: the window's; nothing blocks.
/// Limits: EventStreamParser's; a relay that sends faster than the window reads waits.
/// Errors: are reported by problemChanged().
class ChannelListener : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    /// Leaves the current channel and listens to this one. An empty URL: listens to none.
    void listen(const QUrl &channel);
    /// Reconnects now, and resumes. Does nothing when it listens to none.
    void resume();
    [[nodiscard]] QUrl url() const { return m_url; }
    /// Whether the relay has accepted the connection: it is one of the relay's clients.
    [[nodiscard]] bool isListening() const { return m_isListening; }

Q_SIGNALS:
    void messageReceived(const relay::gui::ChannelMessage &message);
    /// Empty: it listens.
    void problemChanged(const QString &problem);
    void listeningChanged(bool isListening);

private:
    void open();
    void close();
    void readMore();
    void ended();
    void take(const StreamEvent &event);
    void setListening(bool isListening);

    QNetworkAccessManager m_network;
    QNetworkReply *m_reply = nullptr;
    EventStreamParser m_parser;
    QTimer m_retry;
    QUrl m_url;
    QByteArray m_lastId;
    bool m_isListening = false;
};

} // namespace relay::gui
