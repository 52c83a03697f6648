#include "ops/event_feed.h"

#include "hub/disconnect.h"
#include "hub/hub.h"
#include "ops/relay_sampler.h"
#include "wire/close_code.h"
#include "wire/event_stream.h"

#include <QDateTime>
#include <QJsonDocument>

#include <algorithm>
#include <utility>

namespace relay {

namespace {

constexpr qint64 kRetryMilliseconds = 2000;

double wallSeconds()
{
    return static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000.0;
}

template <JsonStruct T>
QByteArray eventOf(const QByteArray &type, const T &value)
{
    return toEvent({}, type, QJsonDocument(toJson(value)).toJson(QJsonDocument::Compact));
}

EventFeed::Refused refusedSoFar(const Hub &hub)
{
    const RelaySnapshot counters = hub.counters();
    return {.connections = static_cast<qint64>(counters.handshakeFailures[static_cast<std::size_t>(
                HandshakeFailure::ConnectionLimit)]),
            .channelClients = static_cast<qint64>(
                counters.limitHits[static_cast<std::size_t>(LimitHit::ChannelClients)])};
}

QLatin1String textOf(DisconnectReason reason)
{
    return QLatin1String(describe(reason).text);
}

/// Which kind of end it was, as far as its code and reason say. A client that closes may say any.
QString kindOf(quint16 closeCode, const QString &reason)
{
    if (reason.startsWith(textOf(DisconnectReason::PeerClosed))) {
        return QStringLiteral("disconnect");
    }
    if (reason == textOf(DisconnectReason::QueueFull)
        || reason == textOf(DisconnectReason::SlowTooLong))
    {
        return QStringLiteral("slow");
    }
    const bool isLimit = closeCode == close_code::kMessageTooBig
                         || reason == textOf(DisconnectReason::ControlFrames)
                         || reason == textOf(DisconnectReason::KeepaliveTimeout);
    return isLimit ? QStringLiteral("limit") : QStringLiteral("disconnect");
}

} // namespace

EventFeed::EventFeed(Hub &hub, RelaySampler &sampler, int maxListeners, QObject *parent)
    : QObject(parent)
    , m_hub(hub)
    , m_sampler(sampler)
    , m_maxListeners(static_cast<std::size_t>(maxListeners))
{
    connect(&m_sampler, &RelaySampler::sampled, this, &EventFeed::tick);
    m_take.setInterval(kLatency);
    connect(&m_take, &QTimer::timeout, this, [this] { tell(m_inbox->take()); });
    connectHub();
}

EventFeed::~EventFeed()
{
    m_inbox->setOpen(false);
}

/// Called on the workers. The connections stay until the hub ends, so that none is taken away from
/// under a worker; a closed inbox makes nothing of them.
void EventFeed::connectHub()
{
    const auto note = [inbox = m_inbox](ClientId client, const QString &peer,
                                        const QString &channel, const auto &complete) {
        if (inbox->isOpen()) {
            RelayEvent event;
            event.time = wallSeconds();
            event.client = static_cast<qint64>(toNumber(client));
            event.address = peer;
            event.channel = channel;
            complete(event);
            inbox->push(std::move(event));
        }
    };
    connect(&m_hub, &Hub::clientConnected,
            [note](ClientId client, const QString &peer, const QString &channel) {
                note(client, peer, channel,
                     [](RelayEvent &event) { event.type = QStringLiteral("connect"); });
            });
    connect(&m_hub, &Hub::clientBecameSlow,
            [note](ClientId client, const QString &peer, const QString &channel) {
                note(client, peer, channel, [](RelayEvent &event) {
                    event.type = QStringLiteral("slow");
                    event.reason =
                        QStringLiteral("more than half of limits.queue_size waits for it");
                });
            });
    connect(&m_hub, &Hub::clientDisconnected,
            [note](ClientId client, quint16 closeCode, const QString &reason, const QString &peer,
                   const QString &channel) {
                note(client, peer, channel, [&](RelayEvent &event) {
                    event.type = kindOf(closeCode, reason);
                    event.closeCode = closeCode;
                    event.reason = reason;
                });
            });
}

void EventFeed::listen(const ReplyPtr &reply)
{
    if (m_listeners.size() >= m_maxListeners) {
        reply->send(errorResponse(503, "busy",
                                  "Half of metrics.connections are listeners already: end one, or "
                                  "raise it."));
        return;
    }
    HttpResponse head;
    head.contentType = "text/event-stream";
    head.fields = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
    reply->beginStream(head);
    if (reply->write(toEventPreamble({}, kRetryMilliseconds)
                     + eventOf("overview", m_sampler.overview())))
    {
        m_listeners.push_back(reply);
        follow(true);
    }
}

void EventFeed::follow(bool wanted)
{
    if (wanted == m_inbox->isOpen()) {
        return;
    }
    m_inbox->setOpen(wanted);
    if (wanted) {
        m_refused = refusedSoFar(m_hub);
        m_take.start();
    } else {
        m_take.stop();
        (void)m_inbox->endSecond();
    }
}

void EventFeed::tell(const std::vector<RelayEvent> &events)
{
    for (const RelayEvent &event : events) {
        write(eventOf(event.type.toLatin1(), event));
    }
}

void EventFeed::tick()
{
    if (m_listeners.empty()) {
        return;
    }
    const EventInbox::Second second = m_inbox->endSecond();
    tell(second.events);
    if (second.skipped > 0) {
        RelayEvent event;
        event.type = QStringLiteral("skipped");
        event.time = wallSeconds();
        event.count = second.skipped;
        write(eventOf("skipped", event));
    }
    const Refused before = std::exchange(m_refused, refusedSoFar(m_hub));
    tellRefused("limits.connections", m_refused.connections - before.connections);
    tellRefused("max_clients", m_refused.channelClients - before.channelClients);
    write(eventOf("overview", m_sampler.overview()));
}

/// They are no clients, and many when there are any: one event tells of a second's.
void EventFeed::tellRefused(const char *limit, qint64 count)
{
    if (count == 0) {
        return;
    }
    RelayEvent event;
    event.type = QStringLiteral("limit");
    event.time = wallSeconds();
    event.reason = QStringLiteral("%1: refused %2").arg(QLatin1String(limit)).arg(count);
    event.count = count;
    write(eventOf("limit", event));
}

void EventFeed::write(const QByteArray &event)
{
    std::erase_if(m_listeners, [&](const ReplyPtr &listener) { return !listener->write(event); });
    if (m_listeners.empty()) {
        follow(false);
    }
}

} // namespace relay
