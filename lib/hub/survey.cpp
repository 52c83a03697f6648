#include "hub/survey.h"

#include "channels/channel.h"
#include "channels/channel_registry.h"
#include "hub/client.h"

#include <utility>

namespace relay {

Survey::Survey(QObject &hub, ChannelRegistry &channels)
    : m_hub(hub)
    , m_channels(channels)
{}

void Survey::begin(std::vector<Worker *> workers)
{
    m_workers = std::move(workers);
}

void Survey::end()
{
    m_hasEnded = true;
    std::exchange(m_visits, {}).clear();
}

// Clients

void Survey::visitClients(ClientVisit::Visitor visitor, std::function<void()> done)
{
    if (m_hasEnded) {
        return;
    }
    m_visits.push_back({std::move(visitor), std::move(done)});
    if (m_visits.size() == 1) {
        startVisit();
    }
}

void Survey::startVisit()
{
    ClientVisit::start(m_workers, std::move(m_visits.front().visitor), [this] {
        m_endedVisits.fetch_add(1, std::memory_order_release);
        QMetaObject::invokeMethod(
            &m_hub, [this] { visitDone(); }, Qt::QueuedConnection);
    });
}

void Survey::visitDone()
{
    if (m_endedVisits.load(std::memory_order_acquire) == 0 || m_visits.empty()) {
        return; // it has ended meanwhile
    }
    const auto done = std::move(m_visits.front().done);
    m_visits.pop_front();
    if (!m_visits.empty()) {
        startVisit();
    }
    done();
}

void Survey::takeClients(ClientsDone done)
{
    auto snapshots = std::make_shared<std::vector<ClientSnapshot>>();
    visitClients([snapshots](Client &client) { snapshots->push_back(client.snapshot(false)); },
                 [snapshots, done = std::move(done)] { done(std::move(*snapshots)); });
}

void Survey::takeClients(const std::vector<ClientId> &ids, ClientsDone done)
{
    auto snapshots = std::make_shared<std::vector<ClientSnapshot>>();
    visitClients(
        [wanted = std::unordered_set<ClientId>(ids.begin(), ids.end()), snapshots](Client &client) {
            if (wanted.count(client.id()) > 0) {
                snapshots->push_back(client.snapshot(true));
            }
        },
        [snapshots, done = std::move(done)] { done(std::move(*snapshots)); });
}

// Channels

void Survey::takeChannels(ChannelsDone done)
{
    takeChannelsFrom(0, std::make_shared<std::vector<ChannelSnapshot>>(), std::move(done));
}

void Survey::takeChannelsFrom(std::size_t part,
                              std::shared_ptr<std::vector<ChannelSnapshot>> snapshots,
                              ChannelsDone done)
{
    if (part == ChannelRegistry::kParts) {
        done(std::move(*snapshots));
        return;
    }
    m_channels.visitPart(part, [&](const Channel &channel) {
        const Channel::State state = channel.state();
        snapshots->push_back({.name = channel.name(),
                              .position = state.position,
                              .clients = state.clients,
                              .historyMessages = state.historyMessages,
                              .historyBytes = state.historyBytes});
    });
    QMetaObject::invokeMethod(
        &m_hub,
        [this, part, snapshots = std::move(snapshots), done = std::move(done)]() mutable {
            takeChannelsFrom(part + 1, std::move(snapshots), std::move(done));
        },
        Qt::QueuedConnection);
}

} // namespace relay
