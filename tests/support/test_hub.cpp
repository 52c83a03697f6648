#include "support/test_hub.h"

#include <QLoggingCategory>
#include <QThread>

#include <algorithm>
#include <iterator>
#include <utility>

namespace relay::test {

HubOptions testOptions(int workers)
{
    HubOptions options;
    options.port = 0;
    options.workers = workers;
    options.limits.connections = 1000;
    options.limits.inboxSize = qint64{64} << 20; // tests publish more at once than is wise
    return options;
}

HubOptions optionsKeeping(int messages)
{
    ChannelOptions channel;
    channel.history.messages = messages;
    HubOptions options = testOptions();
    options.channels = {ChannelRule{ChannelPattern::fromText("**").value(), channel}};
    return options;
}

TestHub::TestHub(HubOptions options, Follow follow)
    : m_hub(std::make_unique<Hub>(std::move(options)))
{
    QLoggingCategory::setFilterRules(QStringLiteral("relay.*.info=false"));
    Hub *hub = m_hub.get();
    QObject::connect(
        hub, &Hub::clientConnected, hub,
        [this](ClientId client, const QString &peer, const QString &channel) {
            note({.kind = HubEvent::Kind::Connected,
                  .client = client,
                  .text = peer.toUtf8(),
                  .channel = channel.toUtf8()});
        },
        Qt::DirectConnection);
    QObject::connect(
        hub, &Hub::clientDisconnected, hub,
        [this](ClientId client, quint16 code, const QString &reason, const QString & /*peer*/,
               const QString &channel) {
            note({.kind = HubEvent::Kind::Disconnected,
                  .client = client,
                  .text = reason.toUtf8(),
                  .channel = channel.toUtf8(),
                  .closeCode = code});
        },
        Qt::DirectConnection);
    if (follow == Follow::MessagesToo) {
        QObject::connect(
            hub, &Hub::messageReceived, hub,
            [this](ClientId client, const QByteArray &payload, MessageKind kind,
                   const QString &channel) {
                note({.kind = HubEvent::Kind::Message,
                      .client = client,
                      .text = payload,
                      .channel = channel.toUtf8(),
                      .messageKind = kind});
            },
            Qt::DirectConnection);
    }
    if (const Outcome listening = m_hub->listen(); !listening) {
        qFatal("%s", qPrintable(listening.error().message));
    }
}

TestHub::~TestHub() = default;

QUrl TestHub::url() const
{
    return QUrl(QStringLiteral("ws://127.0.0.1:%1/").arg(port()));
}

WebClients TestHub::connectClients(int count)
{
    const int before = m_hub->clientCount();
    WebClients clients;
    for (int i = 0; i < count; ++i) {
        clients.push_back(std::make_unique<WebClient>(url()));
    }
    const bool areConnected = waitFor([&] {
        return tellsOfClients(before + count)
               && std::all_of(clients.begin(), clients.end(),
                              [](const auto &client) { return client->isConnected(); });
    });
    return areConnected ? std::move(clients) : WebClients();
}

std::vector<HubEvent> TestHub::events() const
{
    const MutexLock lock(m_mutex);
    return m_events;
}

std::vector<HubEvent> TestHub::events(HubEvent::Kind kind) const
{
    std::vector<HubEvent> found;
    const std::vector<HubEvent> all = events();
    std::copy_if(all.begin(), all.end(), std::back_inserter(found),
                 [kind](const HubEvent &event) { return event.kind == kind; });
    return found;
}

bool TestHub::waitForEvents(HubEvent::Kind kind, std::size_t count) const
{
    return waitFor([&] { return events(kind).size() >= count; });
}

bool TestHub::waitForClients(int count) const
{
    return waitFor([&] { return tellsOfClients(count); });
}

bool TestHub::tellsOfClients(int count) const
{
    const RelaySnapshot counters = m_hub->counters();
    const quint64 come = counters.connections + counters.eventStreams;
    const quint64 gone = counters.disconnections + counters.eventStreamsEnded;
    const MutexLock lock(m_mutex);
    return come == gone + static_cast<quint64>(count) && m_come == come && m_gone == gone;
}

quint64 TestHub::answered(HttpMethod method, int status) const
{
    return m_hub->counters().httpRequests[static_cast<std::size_t>(method)][statusIndex(status)];
}

bool TestHub::waitForCounters(const std::function<bool(const RelaySnapshot &)> &condition)
{
    return waitFor([&] { return condition(m_hub->counters()); });
}

void TestHub::note(HubEvent event)
{
    event.thread = QThread::currentThread();
    const MutexLock lock(m_mutex);
    m_come += event.kind == HubEvent::Kind::Connected ? 1 : 0;
    m_gone += event.kind == HubEvent::Kind::Disconnected ? 1 : 0;
    m_events.push_back(std::move(event));
}

quint64 failures(TestHub &relay, HandshakeFailure failure)
{
    return relay.hub().counters().handshakeFailures[static_cast<std::size_t>(failure)];
}

QByteArray
publish(TestHub &relay, const QByteArray &channel, const QByteArray &payload, MessageKind kind)
{
    return relay.hub()
        .publish(ChannelName::fromText(channel).value(), payload, kind)
        .position.toText();
}

WorkerHold::WorkerHold(Hub &hub, const QByteArray &payload)
    : m_gate(std::make_shared<Gate>())
{
    QObject::connect(
        &hub, &Hub::messageReceived, &hub,
        [gate = m_gate, payload](ClientId, const QByteArray &received) {
            if (received == payload) {
                gate->isHeld = true;
                gate->released.wait();
            }
        },
        Qt::DirectConnection);
}

WorkerHold::~WorkerHold()
{
    release();
}

bool WorkerHold::waitUntilHeld()
{
    return waitFor([this] { return m_gate->isHeld.load(); });
}

void WorkerHold::release()
{
    if (!std::exchange(m_isReleased, true)) {
        m_gate->released.count_down();
    }
}

} // namespace relay::test
