#include "net/open_file_limit.h"
#include "ops/model/client_row.h"
#include "ops/model/page.h"

#include "admin_relay.h"
#include "support/paced_client.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>
#include <set>

using namespace relay;
using namespace relay::test;
using namespace std::chrono_literals;

namespace {

QByteArray eventStreamRequest(const QByteArray &path)
{
    return "GET " + path
           + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nUser-Agent: "
             "ears/1.0\r\n\r\n";
}

std::vector<std::unique_ptr<PacedClient>> connectMany(TestHub &relay, int count)
{
    std::vector<std::unique_ptr<PacedClient>> clients;
    while (static_cast<int>(clients.size()) < count) {
        // No more at once than wait in the listening socket's queue.
        for (int i = 0; i < 100 && static_cast<int>(clients.size()) < count; ++i) {
            clients.push_back(std::make_unique<PacedClient>(relay.port()));
            if (!clients.back()->send(PacedClient::upgradeRequest())) {
                return {};
            }
        }
        if (!relay.waitForClients(static_cast<int>(clients.size()))) {
            return {};
        }
    }
    return clients;
}

/// The only client that there is.
std::optional<ClientRow> onlyClient(const AdminRelay &admin)
{
    const auto page = admin.get<Page<ClientRow>>("/-/api/clients");
    return page && page->rows.size() == 1 ? std::optional(page->rows[0]) : std::nullopt;
}

} // namespace

/// Who is connected, as an operator sees it.
class TestAdminClients : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void clientsShowWhatTheyAre();
    void clientsAreFilteredAndSorted();
    void thousandsOfClientsAreAPage();
    void pagesFitTogether();
    void pingIsMeasured();
    void slowClientIsSeenBeforeItIsClosed();
};

/// Each kind of client, with what it has sent and been given, and how the kernel sees it.
void TestAdminClients::clientsShowWhatTheyAre()
{
    AdminRelay admin;
    WebClients clients;
    WebClient &speaker = connectTo(clients, admin.relay, "/chat/1?echo=0");
    QVERIFY(speaker.waitUntilConnected());
    HttpClient listener(admin.relay.port());
    listener.send(eventStreamRequest("/chat/*"));
    QVERIFY(admin.relay.waitForClients(2));
    speaker.sendText("hello");
    speaker.sendBinary("you");
    QVERIFY(admin.relay.waitForCounters(
        [](const RelaySnapshot &counters) { return counters.deliveries == 2; }));

    const auto page = admin.get<Page<ClientRow>>("/-/api/clients?sort=id");
    QVERIFY(page);
    QCOMPARE(page->total, 2);
    QCOMPARE(page->rows.size(), 2);
    const ClientRow &first = page->rows[0];
    QCOMPARE(first.channel, QStringLiteral("chat/1"));
    QCOMPARE(first.transport, QStringLiteral("websocket"));
    QCOMPARE(first.messagesIn, 2);
    QCOMPARE(first.messagesOut, 0);
    QVERIFY(first.bytesIn > 0 && first.bytesOut > 0); // its upgrade
    const ClientRow &second = page->rows[1];
    QCOMPARE(second.channel, QStringLiteral("chat/*"));
    QCOMPARE(second.transport, QStringLiteral("eventsource"));
    QCOMPARE(second.userAgent, QStringLiteral("ears/1.0"));
    QCOMPARE(second.messagesIn, 0);
    QCOMPARE(second.messagesOut, 2);
    const double now = static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000;
    for (const ClientRow &row : page->rows) {
        QVERIFY(row.address.startsWith(QStringLiteral("127.0.0.1:")));
        QVERIFY(row.connectedAt <= now && row.connectedAt > now - 60);
        QCOMPARE(row.queuedMessages, 0);
        QVERIFY(!row.slowForSeconds);
        QVERIFY(row.socket);
        QVERIFY(row.socket->rttSeconds > 0 && row.socket->rttSeconds < 1);
    }
}

void TestAdminClients::clientsAreFilteredAndSorted()
{
    AdminRelay admin;
    WebClients clients;
    for (const char *path : {"/b", "/a", "/c", "/A/deep"}) {
        QVERIFY(connectTo(clients, admin.relay, path).waitUntilConnected());
    }
    QVERIFY(admin.relay.waitForClients(4));
    const auto channels = [&](const QByteArray &query) -> QString {
        QStringList names;
        const auto page = admin.get<Page<ClientRow>>("/-/api/clients?" + query);
        for (const ClientRow &row : page ? page->rows : QList<ClientRow>()) {
            names.append(row.channel);
        }
        return names.join(QLatin1Char(' ')) + QStringLiteral(" of %1").arg(page ? page->total : -1);
    };
    QCOMPARE(channels("sort=channel"), QStringLiteral("A/deep a b c of 4"));
    QCOMPARE(channels("sort=channel&order=desc"), QStringLiteral("c b a A/deep of 4"));
    QCOMPARE(channels("sort=channel&filter=A%2FD"), QStringLiteral("A/deep of 1"));
    QCOMPARE(channels("sort=channel&offset=1&limit=2"), QStringLiteral("a b of 4"));
    QCOMPARE(channels("filter=nothing"), QStringLiteral(" of 0"));
    QCOMPARE(channels("offset=4"), QStringLiteral(" of 4"));
    QCOMPARE(channels("limit=0"), QStringLiteral(" of 4"));
    const auto all = admin.get<Page<ClientRow>>("/-/api/clients?filter=127.0.0.1&sort=id");
    QCOMPARE(all->total, 4);
    const auto one =
        admin.get<Page<ClientRow>>("/-/api/clients?filter=" + QByteArray::number(all->rows[2].id));
    QVERIFY(one->total >= 1); // an id may also be a part of somebody's address
    QVERIFY(std::any_of(one->rows.begin(), one->rows.end(),
                        [&](const ClientRow &row) { return row.id == all->rows[2].id; }));
}

/// More clients than a slice, a page and a thousand: each is on exactly one page, and each page has
/// the sockets of its own.
void TestAdminClients::thousandsOfClientsAreAPage()
{
    const int count = std::min(5100, (openFileLimit() - 500) / 2);
    if (count < 1100) {
        QSKIP("too few descriptors");
    }
    HubOptions options = testOptions(2);
    options.limits.connections = 6000;
    AdminRelay admin(options);
    const auto clients = connectMany(admin.relay, count);
    QCOMPARE(static_cast<int>(clients.size()), count);
    std::set<qint64> ids;
    for (int offset = 0; offset < count; offset += 1000) {
        const auto page = admin.get<Page<ClientRow>>("/-/api/clients?sort=id&limit=5000&offset="
                                                     + QByteArray::number(offset));
        QVERIFY(page);
        QCOMPARE(page->total, count);
        QCOMPARE(page->rows.size(), std::min(AdminApi::kMaxRows, count - offset));
        for (const ClientRow &row : page->rows) {
            QVERIFY(ids.insert(row.id).second);
            QVERIFY(row.socket);
        }
    }
    QCOMPARE(static_cast<int>(ids.size()), count);
}

/// A table is read a page after the other: rows that are alike in what sorts them, or that nobody
/// sorts, have their places, too.
void TestAdminClients::pagesFitTogether()
{
    AdminRelay admin(testOptions(3));
    const WebClients clients = admin.relay.connectClients(12);
    QCOMPARE(clients.size(), std::size_t{12});
    for (const char *query : {"", "sort=channel&", "sort=messages_in&order=desc&"}) {
        std::vector<qint64> ids;
        for (int offset = 0; offset < 12; offset += 5) {
            const auto page =
                admin.get<Page<ClientRow>>(QByteArray("/-/api/clients?") + query
                                           + "limit=5&offset=" + QByteArray::number(offset));
            QVERIFY(page);
            for (const ClientRow &row : page->rows) {
                ids.push_back(row.id);
            }
        }
        QCOMPARE(ids.size(), std::size_t{12});
        QVERIFY(std::is_sorted(ids.begin(), ids.end()));
    }
}

/// The round trip is the one that was waited for, and it is there only once there was one.
void TestAdminClients::pingIsMeasured()
{
    HubOptions options = testOptions();
    options.keepalive.interval = 50ms;
    options.keepalive.timeout = 30s;
    const AdminRelay admin(options);
    PacedClient client(admin.relay.port());
    QVERIFY(client.upgrade());
    const auto ping = client.nextControlFrame();
    QVERIFY(ping);
    QCOMPARE(ping->opcode, Op::Ping);
    auto row = onlyClient(admin);
    QVERIFY(row);
    QVERIFY(!row->pingSeconds);
    QElapsedTimer sincePing;
    sincePing.start();
    QVERIFY(waitFor([&] { return sincePing.elapsed() >= 20; }));
    QVERIFY(client.sendFrame(Op::Pong, ping->payload));
    QVERIFY(waitFor([&] {
        row = onlyClient(admin);
        return row && row->pingSeconds;
    }));
    QVERIFY2(*row->pingSeconds >= 0.02, qPrintable(QString::number(*row->pingSeconds)));
    QVERIFY(*row->pingSeconds < 30);
}

/// What waits for a client that does not read is shown where it waits: in the relay, and in the
/// kernel; so is how long the relay has had enough of it.
void TestAdminClients::slowClientIsSeenBeforeItIsClosed()
{
    HubOptions options = testOptions();
    options.limits.messageSize = 16'000;
    options.limits.queueSize = 256'000;
    AdminRelay admin(options);
    PacedClient deaf(admin.relay.port(), 4096);
    QVERIFY(deaf.upgrade());
    std::optional<ClientRow> row;
    QVERIFY(waitFor([&] {
        (void)admin.relay.hub().publish(QByteArray(16'000, 'x'), MessageKind::Text);
        row = onlyClient(admin);
        return !row || row->slowForSeconds;
    }));
    QVERIFY(row);
    QVERIFY(row->queuedMessages > 0);
    QVERIFY2(row->queuedBytes > 128'000, qPrintable(QString::number(row->queuedBytes)));
    QVERIFY(*row->slowForSeconds >= 0 && *row->slowForSeconds < 30);
    QVERIFY(row->messagesOut > row->queuedMessages);
    QVERIFY(row->socket);
    QVERIFY(row->socket->unsentBytes + row->socket->unacknowledgedBytes > 0);
}

RELAY_TEST(TestAdminClients)
#include "tst_admin_clients.moc"
