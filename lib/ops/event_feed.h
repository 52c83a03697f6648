#pragma once

#include "ops/event_inbox.h"
#include "ops/model/overview.h"
#include "ops/reply.h"

#include <QObject>
#include <QTimer>

#include <chrono>
#include <memory>
#include <vector>

namespace relay {

class Hub;
class RelaySampler;

/// `GET /-/api/stream`: an `overview` event each second, and what happens to clients as it happens.
///
/// Thread: the hub's.
/// Owner: AdminApi.
/// Limits: EventInbox'; what is past them is told as one "skipped". `maxListeners` at once, so
/// that connections are left to others; one more is answered 503. While nobody listens
/// nothing is noted.
class EventFeed : public QObject
{
    Q_OBJECT

public:
    /// How late an event is told at most.
    static constexpr std::chrono::milliseconds kLatency{50};

    EventFeed(Hub &hub, RelaySampler &sampler, int maxListeners, QObject *parent = nullptr);
    ~EventFeed() override;
    Q_DISABLE_COPY_MOVE(EventFeed)

    /// Clients that there was no room for, since the start.
    struct Refused
    {
        qint64 connections = 0;    ///< by limits.connections
        qint64 channelClients = 0; ///< by a channel's max_clients
    };

    void listen(const ReplyPtr &reply);
    [[nodiscard]] int listenerCount() const { return static_cast<int>(m_listeners.size()); }

private:
    void connectHub();
    void follow(bool wanted);
    void tell(const std::vector<RelayEvent> &events);
    void tick();
    void tellRefused(const char *limit, qint64 count);
    void write(const QByteArray &event);

    Hub &m_hub;
    RelaySampler &m_sampler;
    const std::size_t m_maxListeners;
    std::vector<ReplyPtr> m_listeners;
    const std::shared_ptr<EventInbox> m_inbox = std::make_shared<EventInbox>();
    QTimer m_take;
    Refused m_refused; ///< that were told, or were before anybody listened
};

} // namespace relay
