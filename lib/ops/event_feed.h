#pragma once

#include "ops/model/overview.h"
#include "ops/model/relay_event.h"
#include "ops/reply.h"

#include <QObject>
#include <QTimer>

#include <vector>

namespace relay {

class Hub;
class RelaySampler;

/// `GET /-/api/stream`: an `overview` event each second, and what happens to clients as it happens.
///
/// Thread: the hub's.
/// Owner: AdminApi.
/// Limits: kMaxEventsPerSecond; more are counted and told as one "skipped". `maxListeners` at once, so
/// that connections are left to others; one more is answered 503. While nobody listens the hub's
/// signals are not connected to.
class EventFeed : public QObject
{
    Q_OBJECT

public:
    static constexpr int kMaxEventsPerSecond = 200;

    EventFeed(Hub &hub, RelaySampler &sampler, int maxListeners, QObject *parent = nullptr);

    void listen(const ReplyPtr &reply);
    [[nodiscard]] int listenerCount() const { return static_cast<int>(m_listeners.size()); }

private:
    void follow(bool wanted);
    void tick();
    void tellRefusedConnections();
    void tell(const RelayEvent &event);
    void write(const QByteArray &event);

    Hub &m_hub;
    RelaySampler &m_sampler;
    const std::size_t m_maxListeners;
    std::vector<ReplyPtr> m_listeners;
    std::vector<QMetaObject::Connection> m_following;
    int m_eventsThisSecond = 0;
    qint64 m_skipped = 0;
    qint64 m_refusedConnections = 0; ///< that were told, or were before anybody listened
};

} // namespace relay
