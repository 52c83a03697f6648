#pragma once

#include "gui/relay/event_stream_parser.h"

#include <QNetworkAccessManager>
#include <QObject>
#include <QTimer>
#include <QUrl>

namespace relay::gui {

/// A message of a channel, or a note that some are missing.
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

/// Listens to one channel by EventSource: its history first, then what is live. A connection that
/// ends is made again, and goes on where it ended.
///
/// Thread: the window's; nothing blocks.
/// Limits: EventStreamParser's; a relay that sends faster than is read waits.
/// Errors: problemChanged() says them.
class ChannelListener : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    /// Leaves the channel that is listened to, if one is. An empty URL: listens to none.
    void listen(const QUrl &channel);
    /// Connects again at once, and goes on where it was; nothing when it listens to none.
    void resume();
    [[nodiscard]] QUrl url() const { return m_url; }

Q_SIGNALS:
    void messageReceived(const relay::gui::ChannelMessage &message);
    /// Empty: it listens.
    void problemChanged(const QString &problem);

private:
    void open();
    void close();
    void readMore();
    void ended();
    void take(const StreamEvent &event);

    QNetworkAccessManager m_network;
    QNetworkReply *m_reply = nullptr;
    EventStreamParser m_parser;
    QTimer m_retry;
    QUrl m_url;
    QByteArray m_lastId;
};

} // namespace relay::gui
