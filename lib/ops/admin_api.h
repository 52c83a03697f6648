#pragma once

#include "base/position.h"
#include "ops/event_feed.h"
#include "ops/model/client_row.h"
#include "ops/model/page.h"
#include "ops/ops_server.h"
#include "ops/relay_sampler.h"

#include <QHash>
#include <QObject>
#include <QString>

#include <chrono>
#include <optional>

namespace relay {

class Hub;

/// To see and steer a relay, by HTTP on the ops port; docs/admin-api.md is the reference.
///
///     GET    /-/api/overview                      Overview
///     GET    /-/api/clients?…                     Page<ClientRow>
///     GET    /-/api/channels?…                    Page<ChannelRow>
///     GET    /-/api/stream                        EventSource: overviews and RelayEvents
///     POST   /-/api/clients/<id>/disconnect
///     POST   /-/api/channels/<name>/publish       the body, as POST to the channel would
///     DELETE /-/api/channels/<name>/history
///     POST   /-/api/drain?within=30
///
/// Lists take sort, order, filter, offset and limit. They are made of snapshots that the workers
/// take in slices, so that nobody waits for them.
/// Thread: the hub's.
/// Owner: the program; hub and server must outlive it.
/// Errors: are answers, {"error":"…","message":"…"}.
class AdminApi : public QObject
{
    Q_OBJECT

public:
    /// Rows of a page, at most.
    static constexpr int kMaxRows = 1000;

    /// `config`: the settings in force, without secrets. Call before the server listens.
    AdminApi(Hub &hub, OpsServer &server, QString config, QObject *parent = nullptr);

Q_SIGNALS:
    /// POST /-/api/drain was called; readyz says so, and the hub drains.
    void drainRequested();

private:
    void addRoutes();
    void listClients(const RoutedRequest &request, const ReplyPtr &reply);
    void showSockets(const Page<ClientRow> &page, const ReplyPtr &reply);
    void listChannels(const RoutedRequest &request, const ReplyPtr &reply);
    void changeClient(const RoutedRequest &request, const ReplyPtr &reply);
    [[nodiscard]] HttpResponse publish(const RoutedRequest &request);
    [[nodiscard]] HttpResponse clearHistory(const RoutedRequest &request);
    [[nodiscard]] HttpResponse drain(const RoutedRequest &request);

    /// A channel when its rate was worked out.
    struct Look
    {
        Position position;
        std::chrono::steady_clock::time_point at;
        std::optional<double> messagesPerSecond;
    };
    [[nodiscard]] Look look(const QString &name, const Position &position) const;

    Hub &m_hub;
    OpsServer &m_server;
    const QString m_config;
    RelaySampler m_sampler;
    EventFeed m_feed;
    QHash<QString, Look> m_looks; ///< by channel
};

} // namespace relay
