#pragma once

#include "gui/relay/event_stream_parser.h"
#include "gui/relay/relay_source.h"

#include <QNetworkAccessManager>
#include <QTimer>

#include <chrono>

class QNetworkReply;

namespace relay::gui {

/// Where a relay's ops port is, and the token for it.
struct Endpoint
{
    QUrl url;         ///< http://host:port, without a path
    QByteArray token; ///< empty: none
};

/// A relay seen through its admin API: GET /-/api/stream for what happens, requests for the rest.
///
/// A stream that ends, or is silent for longer than `silence` (an overview comes each second), means
/// that the relay is gone. The next attempt follows after `firstRetry`, then after twice as long each time,
/// up to `lastRetry`. The token is sent to that host only: redirects are not followed.
/// Thread: the window's; nothing blocks.
/// Limits: EventStreamParser's, and kReadAtOnce bytes of the stream that wait to be read; `answer` for a
/// request, whose answer has at most kMaxAnswerBytes.
/// Errors: see RelaySource.
class RemoteRelay : public RelaySource
{
    Q_OBJECT

public:
    struct Times
    {
        std::chrono::milliseconds firstRetry = std::chrono::seconds(1);
        std::chrono::milliseconds lastRetry = std::chrono::seconds(15);
        std::chrono::milliseconds silence = std::chrono::seconds(6);
        std::chrono::milliseconds answer = std::chrono::seconds(10);
    };
    static constexpr qint64 kMaxAnswerBytes = qint64{16} << 20;
    /// A relay that sends faster than the window reads waits. The window is served between two reads.
    static constexpr qint64 kReadAtOnce = qint64{64} << 10;

    RemoteRelay(Endpoint endpoint, Times times, QObject *parent = nullptr);
    explicit RemoteRelay(Endpoint endpoint, QObject *parent = nullptr);
    ~RemoteRelay() override;
    Q_DISABLE_COPY_MOVE(RemoteRelay)

    [[nodiscard]] QString title() const override;
    [[nodiscard]] LinkState link() const override { return m_link; }
    void start() override;
    void retryNow() override;
    [[nodiscard]] QUrl channelUrl(const QString &channel) const override;

    void
    fetchClients(const TableQuery &query, QObject *context, Done<Page<ClientRow>> done) override;
    void
    fetchChannels(const TableQuery &query, QObject *context, Done<Page<ChannelRow>> done) override;
    void fetchOverview(QObject *context, Done<Overview> done) override;
    void disconnectClient(qint64 id, QObject *context, Done<std::monostate> done) override;
    void publish(const QString &channel,
                 const QByteArray &payload,
                 bool isText,
                 QObject *context,
                 Done<Receipt> done) override;
    void clearHistory(const QString &channel, QObject *context, Done<std::monostate> done) override;
    void drain(int withinSeconds, QObject *context, Done<std::monostate> done) override;

private:
    using GotJson = Done<QJsonObject>;

    // The stream
    void openStream();
    void readStream();
    void streamEnded();
    void take(const StreamEvent &event);
    void setGone(const QString &problem);
    void setLive();

    // Requests
    [[nodiscard]] QNetworkRequest requestTo(const QByteArray &path, const QByteArray &query) const;
    void whenAnswered(QNetworkReply *reply, QObject *context, GotJson done);

    const Endpoint m_endpoint;
    const Times m_times;
    QNetworkAccessManager m_network;
    QNetworkReply *m_stream = nullptr; ///< a child of m_network
    EventStreamParser m_parser;
    QTimer m_retry;
    QTimer m_silence;
    std::chrono::milliseconds m_nextRetry;
    LinkState m_link;
    void noteClientPort(const Overview &overview);

    QUrl m_clientUrl; ///< as of the last overview; empty: not known
};

} // namespace relay::gui
