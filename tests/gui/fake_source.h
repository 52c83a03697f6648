#pragma once

#include "gui/relay/relay_source.h"

#include <QStringList>

#include <algorithm>

namespace relay::gui {

/// A relay that a test speaks for: it answers at once, from its own lists, and notes what was asked.
class FakeSource : public RelaySource
{
    Q_OBJECT

public:
    explicit FakeSource(int clientCount = 0)
    {
        for (int id = 1; id <= clientCount; ++id) {
            ClientRow row;
            row.id = id;
            row.address = QStringLiteral("10.0.0.%1:4000").arg(id % 250);
            row.channel = QStringLiteral("chat/%1").arg(id % 7);
            row.messagesOut = id;
            clients.append(row);
        }
    }

    [[nodiscard]] QString title() const override { return QStringLiteral("fake"); }
    [[nodiscard]] LinkState link() const override { return state; }
    void start() override { asked.append(QStringLiteral("start")); }
    void retryNow() override { asked.append(QStringLiteral("retry")); }
    [[nodiscard]] QUrl channelUrl(const QString &) const override { return messagesAt; }

    void fetchClients(const TableQuery &query, QObject *, Done<Page<ClientRow>> done) override
    {
        lastQuery = query;
        const auto page = std::get<Page<ClientRow>>(pageOf(clients, query));
        ++fetches;
        mostRows = std::max(mostRows, page.rows.size());
        done(page);
    }
    void fetchChannels(const TableQuery &query, QObject *, Done<Page<ChannelRow>> done) override
    {
        done(std::get<Page<ChannelRow>>(pageOf(channels, query)));
    }
    void fetchOverview(QObject *, Done<Overview> done) override { done(Overview{}); }
    void disconnectClient(qint64 id, QObject *, Done<std::monostate> done) override
    {
        asked.append(QStringLiteral("disconnect %1").arg(id));
        done(success());
    }
    void publish(const QString &channel,
                 const QByteArray &payload,
                 bool,
                 QObject *,
                 Done<Receipt> done) override
    {
        asked.append(QStringLiteral("publish %1 %2").arg(channel, QString::fromUtf8(payload)));
        done(Receipt{5, 2});
    }
    void clearHistory(const QString &channel, QObject *, Done<std::monostate> done) override
    {
        asked.append(QStringLiteral("clear %1").arg(channel));
        done(success());
    }
    void drain(int seconds, QObject *, Done<std::monostate> done) override
    {
        asked.append(QStringLiteral("drain %1").arg(seconds));
        done(success());
    }

    QList<ClientRow> clients;
    QList<ChannelRow> channels;
    LinkState state;
    QUrl messagesAt; ///< of any channel
    QStringList asked;
    TableQuery lastQuery;   ///< of clients
    int fetches = 0;        ///< of clients
    qsizetype mostRows = 0; ///< that a fetch of clients brought
};

} // namespace relay::gui
