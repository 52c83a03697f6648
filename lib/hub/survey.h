#pragma once

#include "hub/channel_snapshot.h"
#include "hub/client_snapshot.h"
#include "hub/client_visit.h"

#include <QObject>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

namespace relay {

class ChannelRegistry;
class Worker;

/// What those who watch a relay ask of its clients and channels: answered without keeping it from
/// relaying.
///
/// Clients are visited for one question after the other: however many ask, a worker's turn has one
/// slice of a visit. Channels are looked at a part of their registry a turn of the hub's thread.
/// Thread: the hub's; visitors are called on the workers'. What `done` holds never goes to a worker:
/// it is called, or let go of, on the hub's thread.
/// Owner: Hub.
class Survey
{
public:
    using ClientsDone = std::function<void(std::vector<ClientSnapshot>)>;
    using ChannelsDone = std::function<void(std::vector<ChannelSnapshot>)>;

    /// `hub` receives what the workers post; it and the registry must outlive this.
    Survey(QObject &hub, ChannelRegistry &channels);

    /// Once, when there are workers; before, no client is found.
    void begin(std::vector<Worker *> workers);
    /// When the workers have ended: who waits is let go of, and nobody is visited any more.
    void end();

    void visitClients(ClientVisit::Visitor visitor, std::function<void()> done);
    /// Of all clients.
    void takeClients(ClientsDone done);
    /// Of those of these ids, with the kernel's view of their sockets.
    void takeClients(const std::vector<ClientId> &ids, ClientsDone done);
    void takeChannels(ChannelsDone done);

private:
    struct Visit
    {
        ClientVisit::Visitor visitor;
        std::function<void()> done;
    };

    void startVisit();
    void visitDone();
    void takeChannelsFrom(std::size_t part,
                          std::shared_ptr<std::vector<ChannelSnapshot>> snapshots,
                          ChannelsDone done);

    QObject &m_hub;
    ChannelRegistry &m_channels;
    std::vector<Worker *> m_workers;
    std::deque<Visit> m_visits; // the first is under way, the others wait
    // Visits that have ended: what the workers wrote during one is read once it counts.
    std::atomic<quint64> m_endedVisits{0};
    bool m_hasEnded = false;
};

} // namespace relay
