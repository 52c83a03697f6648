#include "admin_relay.h"
#include "support/paced_client.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>
#include <map>

using namespace relay;
using namespace relay::test;
using namespace std::chrono_literals;

namespace {

/// Who listens to /-/api/stream, and all that it was told.
class Listener
{
public:
    explicit Listener(AdminRelay &admin)
        : m_client(admin.server.port())
    {
        m_client.send("GET /-/api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }

    /// Takes what has come; false when that is none of the format's.
    bool read()
    {
        m_unread += m_client.takeReceived();
        if (m_head.isEmpty()) {
            const qsizetype end = m_unread.indexOf("\r\n\r\n");
            if (end < 0) {
                return true;
            }
            m_head = m_unread.left(end);
            m_unread.remove(0, end + 4);
        }
        for (qsizetype end = m_unread.indexOf("\n\n"); end >= 0; end = m_unread.indexOf("\n\n")) {
            const QByteArrayList lines = m_unread.left(end).split('\n');
            m_unread.remove(0, end + 2);
            if (lines.size() != 2) {
                isSound = isSound && lines.front().startsWith("retry: ");
                continue;
            }
            takeEvent(lines);
        }
        return isSound;
    }

    /// Once it is known, whether it was let in.
    [[nodiscard]] bool isLetIn()
    {
        return waitFor([&] { return !read() || !m_head.isEmpty(); }) && m_head.contains(" 200 ");
    }
    [[nodiscard]] bool waitForOverviews(std::size_t count)
    {
        return waitFor([&] { return read() && overviews.size() >= count; });
    }
    /// `nth`: of this type, from 1 on.
    [[nodiscard]] std::optional<RelayEvent> waitForEvent(const char *type, int nth = 1)
    {
        std::optional<RelayEvent> found;
        (void)waitFor([&] {
            read();
            int count = 0;
            for (const RelayEvent &event : events) {
                if (event.type == QLatin1String(type) && ++count == nth) {
                    found = event;
                }
            }
            return found.has_value();
        });
        return found;
    }

    std::vector<Overview> overviews;
    std::vector<RelayEvent> events;
    std::vector<int> eventsBetween; ///< since each overview until the next
    bool isSound = true;
    [[nodiscard]] QByteArray head() const { return m_head; }
    HttpClient &client() { return m_client; }

private:
    /// Of its type's line and its data's.
    void takeEvent(const QByteArrayList &lines)
    {
        const QJsonObject data =
            QJsonDocument::fromJson(lines[1].mid(QByteArray("data: ").size())).object();
        if (lines[0] == "event: overview") {
            const auto overview = fromJson<Overview>(data);
            isSound = isSound && overview;
            overviews.push_back(overview ? overview.value() : Overview());
            eventsBetween.push_back(0);
            return;
        }
        const auto event = fromJson<RelayEvent>(data);
        isSound = isSound && event && lines[0] == "event: " + event.value().type.toLatin1();
        events.push_back(event ? event.value() : RelayEvent());
        if (!eventsBetween.empty() && events.back().type != QStringLiteral("skipped")) {
            ++eventsBetween.back();
        }
    }

    HttpClient m_client;
    QByteArray m_head;
    QByteArray m_unread;
};

} // namespace

/// What a dashboard hears of a relay as it happens.
class TestEventFeed : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void overviewComesAtOnceAndEachSecond();
    void clientsAreSeenToComeAndGo();
    void slowClientIsTold();
    void limitsAreTold();
    void clientsMayNotSayThatTheyWereEnded();
    void manyEventsAreSkippedAndCounted();
    void listenersThatGoAreForgotten();
    void headGetsNoStream();
    void listenersLeaveConnectionsToOthers();
    void refusedConnectionsAreTold();
};

void TestEventFeed::overviewComesAtOnceAndEachSecond()
{
    AdminRelay admin;
    Listener listener(admin);
    QVERIFY(listener.waitForOverviews(1));
    QVERIFY(listener.head().contains("200 OK"));
    QVERIFY(listener.head().contains("text/event-stream"));
    QVERIFY(listener.head().contains("no-store"));
    QVERIFY(listener.waitForOverviews(3)); // the second may follow the first at once
    const double seconds =
        listener.overviews[2].uptimeSeconds - listener.overviews[1].uptimeSeconds;
    QVERIFY2(seconds > 0.5, qPrintable(QString::number(seconds)));
    QVERIFY(!listener.overviews.front().config); // it does not change: GET has it
}

void TestEventFeed::clientsAreSeenToComeAndGo()
{
    AdminRelay admin;
    Listener listener(admin);
    QVERIFY(listener.waitForOverviews(1));
    WebClient client(admin.relay.url().resolved(QUrl(QStringLiteral("/chat/42"))));
    const auto connected = listener.waitForEvent("connect");
    QVERIFY(connected);
    QVERIFY(connected->client);
    QCOMPARE(connected->channel, QStringLiteral("chat/42"));
    QVERIFY(connected->address->startsWith(QStringLiteral("127.0.0.1:")));
    QVERIFY(!connected->closeCode && !connected->reason && !connected->count);
    const double now = static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000;
    QVERIFY(connected->time <= now && connected->time > now - 60);
    QVERIFY(client.waitUntilConnected());

    const QByteArray id = QByteArray::number(*connected->client);
    QVERIFY(!admin.json("POST /-/api/clients/" + id + "/disconnect").isEmpty());
    const auto gone = listener.waitForEvent("disconnect");
    QVERIFY(gone);
    QCOMPARE(gone->client, connected->client);
    QCOMPARE(gone->address, connected->address);
    QCOMPARE(gone->channel, connected->channel);
    QCOMPARE(gone->closeCode, 1008);
    QCOMPARE(gone->reason, QStringLiteral("disconnected by the operator"));
    QVERIFY(listener.isSound);
}

/// A client that does not read is told of when it falls behind, and when it is closed for that.
void TestEventFeed::slowClientIsTold()
{
    HubOptions options = testOptions();
    options.limits.messageSize = 16'000;
    options.limits.queueSize = 256'000;
    options.closeTimeout = 200ms;
    AdminRelay admin(options);
    Listener listener(admin);
    QVERIFY(listener.waitForOverviews(1));
    PacedClient deaf(admin.relay.port(), 4096);
    QVERIFY(deaf.upgrade());
    const QByteArray message(16'000, 'x');
    const auto isClosed = [&] {
        (void)admin.relay.hub().publish(message, MessageKind::Text);
        return admin.relay.hub().counters().limitHits[static_cast<std::size_t>(LimitHit::QueueSize)]
               == 1;
    };
    QVERIFY(waitFor(isClosed));
    const auto behind = listener.waitForEvent("slow");
    QVERIFY(behind);
    QVERIFY(behind->client && !behind->closeCode);
    QCOMPARE(behind->channel, QStringLiteral("/"));
    QVERIFY(behind->address->startsWith(QStringLiteral("127.0.0.1:")));
    QCOMPARE(behind->reason, QStringLiteral("more than half of limits.queue_size waits for it"));
    const auto slow = listener.waitForEvent("slow", 2);
    QVERIFY(slow);
    QCOMPARE(slow->client, behind->client);
    QCOMPARE(slow->closeCode, 1008);
    QCOMPARE(slow->reason, QStringLiteral("slow consumer"));
    QCOMPARE(admin.get<Overview>("/-/api/overview")->slowDisconnects, 1);
}

void TestEventFeed::limitsAreTold()
{
    HubOptions options = testOptions();
    options.limits.messageSize = 100;
    AdminRelay admin(options);
    Listener listener(admin);
    QVERIFY(listener.waitForOverviews(1));
    const WebClients clients = admin.relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    clients.front()->sendText(QByteArray(101, 'x'));
    const auto limit = listener.waitForEvent("limit");
    QVERIFY(limit);
    QCOMPARE(limit->closeCode, 1009);
    QCOMPARE(limit->reason, QStringLiteral("message exceeds the size limit"));
}

/// A client that says why it goes is not taken for one that the relay ended, whatever it says.
void TestEventFeed::clientsMayNotSayThatTheyWereEnded()
{
    AdminRelay admin;
    Listener listener(admin);
    QVERIFY(listener.waitForOverviews(1));
    const WebClients clients = admin.relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    clients.front()->socket().close(QWebSocketProtocol::CloseCodeTooMuchData,
                                    QStringLiteral("slow consumer"));
    const auto gone = listener.waitForEvent("disconnect");
    QVERIFY(gone);
    QCOMPARE(gone->closeCode, 1009);
    QCOMPARE(gone->reason, QStringLiteral("closed by the client: slow consumer"));
}

/// A storm of clients does not become a storm of events; how many were left out is said, so that the
/// sum is right.
void TestEventFeed::manyEventsAreSkippedAndCounted()
{
    constexpr qint64 kClients = 900;
    AdminRelay admin;
    Listener listener(admin);
    QVERIFY(listener.waitForOverviews(1));
    std::vector<std::unique_ptr<PacedClient>> clients;
    for (int i = 0; i < kClients; ++i) {
        clients.push_back(std::make_unique<PacedClient>(admin.relay.port()));
        QVERIFY(clients.back()->send(PacedClient::upgradeRequest()));
        if (i % 100 == 99) {
            QVERIFY(admin.relay.waitForClients(i + 1));
            QVERIFY(listener.read());
        }
    }
    QVERIFY(admin.relay.waitForClients(int{kClients}));
    clients.clear();
    QVERIFY(admin.relay.waitForClients(0));
    const auto sums = [&] {
        listener.read();
        std::map<QString, qint64> sum;
        for (const RelayEvent &event : listener.events) {
            sum[event.type] += event.count.value_or(1);
        }
        return sum;
    };
    QVERIFY(waitFor([&] {
        const auto sum = sums();
        qint64 all = 0;
        for (const auto &[type, count] : sum) {
            all += count;
        }
        return all >= 2 * kClients;
    }));
    auto sum = sums();
    QCOMPARE(sum[QStringLiteral("connect")] + sum[QStringLiteral("disconnect")]
                 + sum[QStringLiteral("skipped")],
             2 * kClients);
    QVERIFY(sum[QStringLiteral("skipped")] > 0);
    QVERIFY(*std::max_element(listener.eventsBetween.begin(), listener.eventsBetween.end())
            <= EventInbox::kMaxPerSecond);
    QVERIFY(listener.isSound);
}

void TestEventFeed::listenersThatGoAreForgotten()
{
    AdminRelay admin;
    Listener stays(admin);
    for (int i = 0; i < 3; ++i) {
        Listener goes(admin);
        QVERIFY(goes.waitForOverviews(1));
        goes.client().socket().abort();
        QVERIFY(waitFor([&] { return admin.server.connectionCount() == 1; }));
    }
    const WebClients clients = admin.relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    QVERIFY(stays.waitForEvent("connect"));
}

void TestEventFeed::headGetsNoStream()
{
    AdminRelay admin;
    HttpClient client(admin.server.port());
    client.send("HEAD /-/api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto answer = client.answer(true);
    QVERIFY(answer);
    QCOMPARE(answer->status, 200);
    QVERIFY(client.endsSilently());
    QVERIFY(waitFor([&] { return admin.server.connectionCount() == 0; }));
}

/// However many listen, whoever asks whether the relay is healthy is answered: it would be restarted
/// otherwise.
void TestEventFeed::listenersLeaveConnectionsToOthers()
{
    OpsOptions options = anyPort();
    options.limits.maxConnections = 4;
    AdminRelay admin(testOptions(), options);
    std::vector<std::unique_ptr<Listener>> listeners;
    for (int i = 0; i < 2; ++i) {
        listeners.push_back(std::make_unique<Listener>(admin));
        QVERIFY(listeners.back()->waitForOverviews(1));
    }
    const auto answer = request(admin.server.port(), "GET /-/api/stream");
    QVERIFY(answer);
    QCOMPARE(answer->status, 503);
    QVERIFY2(answer->body.contains("metrics.connections"), answer->body.constData());
    const auto health = request(admin.server.port(), "GET /-/healthz");
    QVERIFY(health);
    QCOMPARE(health->status, 200);
    // A place that became free is given again with the next event.
    listeners.pop_back();
    QVERIFY(waitFor([&] { return admin.server.connectionCount() == 1; }));
    const WebClients clients = admin.relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    QVERIFY(listeners.front()->waitForEvent("connect"));
    QVERIFY(Listener(admin).isLetIn());
}

/// Who is not let in at all is no client, but the operator learns of it.
void TestEventFeed::refusedConnectionsAreTold()
{
    HubOptions options = testOptions();
    options.limits.connections = 2;
    AdminRelay admin(options);
    Listener listener(admin);
    QVERIFY(listener.waitForOverviews(1));
    const WebClients clients = admin.relay.connectClients(2);
    QCOMPARE(clients.size(), std::size_t{2});
    for (int i = 0; i < 3; ++i) {
        PacedClient refused(admin.relay.port());
        QVERIFY(refused.upgrade()); // and is closed with 1013
    }
    const auto limit = listener.waitForEvent("limit");
    QVERIFY(limit);
    QVERIFY(!limit->client);
    QVERIFY(limit->count.value_or(0) > 0);
    QVERIFY2(limit->reason->contains(QStringLiteral("limits.connections")),
             qPrintable(*limit->reason));
    QVERIFY(waitFor([&] {
        listener.read();
        qint64 sum = 0;
        for (const RelayEvent &event : listener.events) {
            sum += event.type == QStringLiteral("limit") ? event.count.value_or(0) : 0;
        }
        return sum == 3;
    }));
}

RELAY_TEST(TestEventFeed)
#include "tst_event_feed.moc"
