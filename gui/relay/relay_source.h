#pragma once

#include "base/result.h"
#include "ops/model/channel_row.h"
#include "ops/model/client_row.h"
#include "ops/model/overview.h"
#include "ops/model/page.h"
#include "ops/model/relay_event.h"
#include "ops/table_query.h"

#include <QDateTime>
#include <QObject>
#include <QPointer>
#include <QString>
#include <QUrl>

#include <functional>
#include <optional>
#include <utility>

namespace relay::gui {

/// Whether the relay answers, and if not, since when, why, and when the next attempt is.
struct LinkState
{
    enum class Link {
        Connecting, ///< for the first time
        Live,
        Gone, ///< an attempt failed, or the connection broke; more attempts follow
    };
    Link link = Link::Connecting;
    QDateTime since;   ///< of this state; further attempts do not change it
    QDateTime retryAt; ///< Gone: time of the next attempt; not valid during an attempt
    QString problem;   ///< Gone: why
};

/// A relay as the pages see it: what it reports by itself, and what it is asked for.
///
/// An answer comes later, by `done`, once, on the same thread. It does not come when `context` has been destroyed in
/// the meantime.
/// Thread: the window's.
/// Owner: main().
/// Errors: are answers, as sentences for the operator.
class RelaySource : public QObject
{
    Q_OBJECT

public:
    template <typename T>
    using Done = std::function<void(Result<T>)>;

    struct Receipt
    {
        qint64 offset = 0;
        int clients = 0; ///< that the message was handed to
    };

    using QObject::QObject;

    /// Which relay it is: its address, and whether it runs in this program.
    [[nodiscard]] virtual QString title() const = 0;
    [[nodiscard]] virtual LinkState link() const = 0;
    /// Begins to watch. Call it once, after connecting to the signals.
    virtual void start() = 0;
    /// Tries to reconnect now. Does nothing unless the relay is gone.
    virtual void retryNow() = 0;
    /// Where clients join this channel by HTTP; empty while it is not known.
    [[nodiscard]] virtual QUrl channelUrl(const QString &channel) const = 0;
    /// How many clients are this window's own connections. They are not counted in the overviews.
    void setOwnClients(int count) { m_ownClients = count; }
    [[nodiscard]] int ownClients() const { return m_ownClients; }

    virtual void
    fetchClients(const TableQuery &query, QObject *context, Done<Page<ClientRow>> done) = 0;
    virtual void
    fetchChannels(const TableQuery &query, QObject *context, Done<Page<ChannelRow>> done) = 0;
    /// The overview with the settings in force, which the signal's does not contain.
    virtual void fetchOverview(QObject *context, Done<Overview> done) = 0;
    virtual void disconnectClient(qint64 id, QObject *context, Done<std::monostate> done) = 0;
    virtual void publish(const QString &channel,
                         const QByteArray &payload,
                         bool isText,
                         QObject *context,
                         Done<Receipt> done) = 0;
    virtual void
    clearHistory(const QString &channel, QObject *context, Done<std::monostate> done) = 0;
    /// Disconnects all clients, spread over so many seconds. The relay accepts no more.
    virtual void drain(int withinSeconds, QObject *context, Done<std::monostate> done) = 0;

Q_SIGNALS:
    void overviewChanged(const relay::Overview &overview); ///< about once a second
    void eventHappened(const relay::RelayEvent &event);
    void linkChanged(const relay::gui::LinkState &link);

private:
    int m_ownClients = 0;
};

} // namespace relay::gui
