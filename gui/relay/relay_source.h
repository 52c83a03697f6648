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

/// Whether the relay can be seen, and if not, since when and what comes next.
struct LinkState
{
    enum class Link {
        Connecting, ///< for the first time
        Live,
        Gone, ///< it was tried, and is tried again
    };
    Link link = Link::Connecting;
    QDateTime since;   ///< of this state; while it is tried again and again that does not change
    QDateTime retryAt; ///< Gone: when it is tried next; not valid while it is being tried
    QString problem;   ///< Gone: why
};

/// A relay as the pages see it: what it tells by itself, and what it is asked for.
///
/// Answers come later, by `done`, once, on the same thread; never when `context` has been destroyed
/// meanwhile.
/// Thread: the window's.
/// Owner: main().
/// Errors: are answers, in words for the operator.
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

    /// Which relay it is: an address, or that it runs in this process.
    [[nodiscard]] virtual QString title() const = 0;
    [[nodiscard]] virtual LinkState link() const = 0;
    /// Begins to watch; call once, with the signals connected.
    virtual void start() = 0;
    /// Tries at once what would be tried later. Nothing when it is not gone.
    virtual void retryNow() = 0;
    /// Where clients join this channel by HTTP; empty while it is not known.
    [[nodiscard]] virtual QUrl channelUrl(const QString &channel) const = 0;

    virtual void
    fetchClients(const TableQuery &query, QObject *context, Done<Page<ClientRow>> done) = 0;
    virtual void
    fetchChannels(const TableQuery &query, QObject *context, Done<Page<ChannelRow>> done) = 0;
    /// The overview with the settings in force, which the signal's has not.
    virtual void fetchOverview(QObject *context, Done<Overview> done) = 0;
    virtual void disconnectClient(qint64 id, QObject *context, Done<std::monostate> done) = 0;
    virtual void publish(const QString &channel,
                         const QByteArray &payload,
                         bool isText,
                         QObject *context,
                         Done<Receipt> done) = 0;
    virtual void
    clearHistory(const QString &channel, QObject *context, Done<std::monostate> done) = 0;
    /// Sends all clients away, spread over so many seconds; the relay takes no more.
    virtual void drain(int withinSeconds, QObject *context, Done<std::monostate> done) = 0;

Q_SIGNALS:
    void overviewChanged(const relay::Overview &overview); ///< about once a second
    void eventHappened(const relay::RelayEvent &event);
    void linkChanged(const relay::gui::LinkState &link);
};

} // namespace relay::gui
