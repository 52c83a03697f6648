#include "gui/relay/channel_listener.h"

#include "gui/look/foreign_text.h"
#include "gui/relay/own_client.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkReply>

#include <utility>

namespace relay::gui {

namespace {

constexpr int kReplayed = 100;
constexpr qint64 kReadAtOnce = qint64{64} << 10;
constexpr std::chrono::milliseconds kRetry{2000};

} // namespace

void ChannelListener::listen(const QUrl &channel)
{
    close();
    m_lastId.clear();
    m_url = channel;
    m_retry.setSingleShot(true);
    m_retry.callOnTimeout(this, &ChannelListener::open, Qt::UniqueConnection);
    if (!channel.isEmpty()) {
        open();
    }
}

void ChannelListener::resume()
{
    if (!m_url.isEmpty()) {
        close();
        open();
    }
}

void ChannelListener::close()
{
    m_retry.stop();
    if (QNetworkReply *reply = std::exchange(m_reply, nullptr)) {
        reply->disconnect(this);
        reply->abort();
        reply->deleteLater();
    }
    setListening(false);
}

void ChannelListener::setListening(bool isListening)
{
    if (std::exchange(m_isListening, isListening) != isListening) {
        Q_EMIT listeningChanged(isListening);
    }
}

void ChannelListener::open()
{
    m_parser.reset();
    QUrl url = m_url;
    // With meta=1 each message has a head line with its offset and time.
    url.setQuery(m_lastId.isEmpty() ? QStringLiteral("meta=1&last=%1").arg(kReplayed)
                                    : QStringLiteral("meta=1"));
    QNetworkRequest request(url);
    request.setRawHeader("Accept", "text/event-stream");
    request.setRawHeader("User-Agent", ownUserAgent());
    if (!m_lastId.isEmpty()) {
        request.setRawHeader("Last-Event-ID", m_lastId);
    }
    request.setAttribute(QNetworkRequest::CacheLoadControlAttribute,
                         QNetworkRequest::AlwaysNetwork);
    request.setAttribute(QNetworkRequest::RedirectPolicyAttribute,
                         QNetworkRequest::ManualRedirectPolicy);
    m_reply = m_network.get(request);
    m_reply->setReadBufferSize(kReadAtOnce);
    connect(m_reply, &QNetworkReply::metaDataChanged, this, [this] {
        if (m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt() == 200) {
            setListening(true);
            Q_EMIT problemChanged({});
        }
    });
    connect(m_reply, &QNetworkReply::readyRead, this, &ChannelListener::readMore);
    connect(m_reply, &QNetworkReply::finished, this, &ChannelListener::ended);
}

void ChannelListener::readMore()
{
    if (m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt() != 200) {
        if (m_reply->bytesAvailable() >= kReadAtOnce) {
            ended(); // an error's text may have no end
        }
        return; // ended() reads the error
    }
    const QNetworkReply *reply = m_reply;
    const QList<StreamEvent> events = m_parser.feed(m_reply->readAll());
    for (const StreamEvent &event : events) {
        take(event);
        if (m_reply != reply) {
            return; // a receiver listens to another channel
        }
    }
}

void ChannelListener::ended()
{
    const QJsonObject body = QJsonDocument::fromJson(m_reply->peek(kReadAtOnce)).object();
    QString problem = visibleWord(body.value(QLatin1String("message")).toString());
    if (problem.isEmpty()) {
        problem = m_reply->error() == QNetworkReply::NoError ? tr("the connection was closed")
                                                             : m_reply->errorString();
    }
    close();
    m_retry.start(kRetry);
    Q_EMIT problemChanged(problem);
}

void ChannelListener::take(const StreamEvent &event)
{
    m_lastId = event.id;
    ChannelMessage message;
    if (event.type == "gap") {
        message.kind = ChannelMessage::Kind::Gap;
        message.payload = event.data;
        Q_EMIT messageReceived(message);
        return;
    }
    const qsizetype headEnd = event.data.indexOf('\n');
    const QJsonObject head = QJsonDocument::fromJson(event.data.left(headEnd)).object();
    message.offset = head.value(QLatin1String("offset")).toInteger();
    message.time = head.value(QLatin1String("time")).toDouble() / 1000.0;
    message.payload = headEnd < 0 ? QByteArray() : event.data.mid(headEnd + 1);
    if (event.type == "binary") {
        message.kind = ChannelMessage::Kind::Binary;
        message.payload = QByteArray::fromBase64(message.payload);
    }
    Q_EMIT messageReceived(message);
}

} // namespace relay::gui
