#pragma once

#include "base/mutex.h"
#include "hub/hub.h"

#include "support/web_client.h"

#include <QUrl>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <vector>

class QThread;

namespace relay::test {

/// Options for a test: a port of the system's choice, and limits that no case reaches by accident.
HubOptions testOptions(int workers = 1);
/// The same, and every channel keeps so many messages.
HubOptions optionsKeeping(int messages);

/// A signal of the hub, and the thread that emitted it.
struct HubEvent
{
    enum class Kind {
        Connected,
        Message,
        Disconnected
    };
    Kind kind = Kind::Connected;
    ClientId client{};
    QByteArray text; ///< Connected: the peer's address; Message: the payload; else the reason
    QByteArray channel = {}; ///< of a client, it may be a pattern
    MessageKind messageKind = MessageKind::Text;
    quint16 closeCode = 0;
    const QThread *thread = nullptr;
};

/// A hub that listens, and all that its signals have said.
///
/// Thread: the test's, which must run its event loop (waitFor()): the hub accepts there.
class TestHub
{
public:
    enum class Follow {
        Connections,
        MessagesToo
    };
    /// Aborts when it cannot listen. Follow::Connections leaves Hub::messageReceived unconnected.
    explicit TestHub(HubOptions options = testOptions(), Follow follow = Follow::Connections);
    ~TestHub();
    TestHub(const TestHub &) = delete;
    TestHub &operator=(const TestHub &) = delete;

    Hub &hub() { return *m_hub; }
    /// Destroys the hub; its events can still be asked for.
    void destroy() { m_hub.reset(); }
    [[nodiscard]] quint16 port() const { return m_hub->port(); }
    [[nodiscard]] QUrl url() const;

    /// Connects that many clients; an empty vector when one of them was not let in.
    [[nodiscard]] WebClients connectClients(int count);

    [[nodiscard]] std::vector<HubEvent> events() const;
    [[nodiscard]] std::vector<HubEvent> events(HubEvent::Kind kind) const;
    [[nodiscard]] bool waitForEvents(HubEvent::Kind kind, std::size_t count) const;
    /// Until the hub counts so many, and its signals have told of each that came and went: a worker
    /// counts first and tells then.
    [[nodiscard]] bool waitForClients(int count) const;
    /// Requests that were answered so.
    [[nodiscard]] quint64 answered(HttpMethod method, int status) const;
    [[nodiscard]] bool waitForCounters(const std::function<bool(const RelaySnapshot &)> &condition);

private:
    [[nodiscard]] bool tellsOfClients(int count) const;
    void note(HubEvent event);

    mutable Mutex m_mutex;
    std::vector<HubEvent> m_events RELAY_GUARDED_BY(m_mutex);
    quint64 m_come RELAY_GUARDED_BY(m_mutex) = 0; // those told of
    quint64 m_gone RELAY_GUARDED_BY(m_mutex) = 0;
    std::unique_ptr<Hub> m_hub;
};

/// Connections that failed for this reason until now.
[[nodiscard]] quint64 failures(TestHub &relay, HandshakeFailure failure);

/// Publishes as the relay's own program does; returns the message's position, as text.
QByteArray publish(TestHub &relay,
                   const QByteArray &channel,
                   const QByteArray &payload,
                   MessageKind kind = MessageKind::Text);

/// Holds up the worker that reads a message with a certain payload, until it is released: what is
/// sent meanwhile comes to that worker in one turn.
///
/// The relay's worker waits in a receiver of Hub::messageReceived, which stays for the hub's life:
/// once released it lets all pass.
/// Thread: the test's.
/// Owner: a test, in which it ends before the hub.
class WorkerHold
{
public:
    WorkerHold(Hub &hub, const QByteArray &payload);
    ~WorkerHold();
    WorkerHold(const WorkerHold &) = delete;
    WorkerHold &operator=(const WorkerHold &) = delete;

    [[nodiscard]] bool waitUntilHeld();
    void release();

private:
    struct Gate
    {
        std::atomic<bool> isHeld{false};
        std::latch released{1};
    };
    std::shared_ptr<Gate> m_gate; // also the receiver's
    bool m_isReleased = false;
};

} // namespace relay::test
