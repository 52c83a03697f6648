#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <memory>
#include <numeric>
#include <vector>

using namespace std::chrono_literals;
using relay::ChannelName;
using relay::DropReason;
using relay::Hub;
using relay::HubOptions;
using relay::MessageKind;
using relay::RelaySnapshot;
using relay::test::Op;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;

namespace {

/// Longer than what is copied together: each message is written by itself, and counts by itself.
constexpr qsizetype kMessageBytes = 16'000;
constexpr int kTinyWindow = 4096;
constexpr int kSteps = 250;
constexpr std::size_t kMostClients = 12;

quint64 sumOf(const std::array<quint64, relay::kDropReasonLabels.size()> &numbers)
{
    return std::accumulate(numbers.begin(), numbers.end(), quint64{0});
}

/// What became of the messages for each client, as the counters have it.
quint64 handedOut(const RelaySnapshot &counters)
{
    return counters.deliveries + sumOf(counters.neverQueued);
}

HubOptions accountedOptions(HubOptions::SlowClientPolicy policy)
{
    HubOptions options = testOptions(2);
    options.limits.messageSize = kMessageBytes;
    options.limits.queueSize = 20 * kMessageBytes;
    options.slowClients.policy = policy;
    options.slowClients.grace = 10min;
    options.closeTimeout =
        10min; // who is closed as slow gets all the time to read what was written
    return options;
}

/// Clients that come, read, stop reading and go as chance has it, and what each of them has got.
class Script
{
public:
    Script(HubOptions::SlowClientPolicy policy, bool withResets, quint32 seed)
        : m_relay(accountedOptions(policy))
        , m_random(seed)
        , m_withResets(withResets)
    {}

    bool run();
    RelaySnapshot counters() { return m_relay.hub().counters(); }
    /// By the clients that are gone or have read everything.
    [[nodiscard]] quint64 received() const { return m_received; }

private:
    struct Member
    {
        std::unique_ptr<PacedClient> client;
        bool isReading = true;
    };

    bool come();
    bool publish();
    bool leave(std::size_t member);
    bool readAll();
    void read(PacedClient &client);

    TestHub m_relay;
    QRandomGenerator m_random;
    bool m_withResets;
    std::vector<Member> m_members;
    quint64 m_handedOut = 0;
    quint64 m_received = 0;
};

bool Script::come()
{
    const quint64 before = counters().connections;
    auto client = std::make_unique<PacedClient>(m_relay.port(), kTinyWindow);
    const bool hasCome =
        client->upgrade() && waitFor([&] { return counters().connections == before + 1; });
    m_members.push_back({std::move(client), m_random.bounded(3) > 0});
    return hasCome;
}

/// One message, and waits until every worker has given it to its clients.
bool Script::publish()
{
    const Hub::Receipt receipt =
        m_relay.hub().publish(ChannelName(), QByteArray(kMessageBytes, 'm'), MessageKind::Binary);
    m_handedOut += static_cast<quint64>(receipt.clients);
    return receipt.status == Hub::Published::Accepted
           && m_relay.waitForCounters([this](const RelaySnapshot &counters) {
                  return handedOut(counters) == m_handedOut;
              });
}

void Script::read(PacedClient &client)
{
    while (client.read() > 0) {
    }
    while (const auto frame = client.takeFrame()) {
        m_received += frame->opcode == Op::Binary ? 1 : 0;
        if (frame->opcode == Op::Close) {
            (void)client.sendClose(1000);
        }
    }
}

bool Script::leave(std::size_t member)
{
    PacedClient &client = *m_members[member].client;
    const auto ended = m_relay.hub().counters().disconnections;
    if (m_withResets && m_random.bounded(2) == 0) {
        read(client);
        client.reset();
    } else {
        (void)client.sendClose(1000); // fails if it was closed as slow meanwhile
        if (!waitFor([&] {
                read(client);
                return client.hasEnded();
            }))
        {
            return false;
        }
    }
    m_members.erase(m_members.begin() + static_cast<std::ptrdiff_t>(member));
    return waitFor([&] { return m_relay.hub().counters().disconnections > ended; });
}

bool Script::run()
{
    for (int step = 0; step < kSteps; ++step) {
        const quint32 dice = m_random.bounded(100U);
        const std::size_t member =
            m_members.empty() ? 0 : m_random.bounded(static_cast<quint32>(m_members.size()));
        bool isGood = true;
        if (m_members.empty() || (dice < 8 && m_members.size() < kMostClients)) {
            isGood = come();
        } else if (dice < 12) {
            isGood = leave(member);
        } else if (dice < 16) {
            m_members[member].isReading = !m_members[member].isReading;
        } else {
            isGood = publish();
        }
        if (!isGood) {
            return false;
        }
        for (const Member &each : m_members) {
            if (each.isReading) {
                read(*each.client);
            }
        }
    }
    return readAll();
}

/// Those who are there read on until nothing waits for them, and then leave with a close frame.
bool Script::readAll()
{
    for (const Member &member : m_members) {
        (void)member.client->sendClose(1000);
    }
    return waitFor([&] {
        bool haveEnded = true;
        for (const Member &member : m_members) {
            read(*member.client);
            haveEnded = haveEnded && member.client->hasEnded();
        }
        return haveEnded && m_relay.hub().clientCount() == 0;
    });
}

} // namespace

/// The numbers by which an operator says where messages went add up.
class TestAccounting : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyMessageIsAccountedFor_data();
    void everyMessageIsAccountedFor();
    void whatAClosedClientsQueueHeldIsCounted();
    void whatWaitsIsWhatTheClientsShow();
};

void TestAccounting::everyMessageIsAccountedFor_data()
{
    QTest::addColumn<HubOptions::SlowClientPolicy>("policy");
    QTest::addColumn<bool>("withResets");
    using Policy = HubOptions::SlowClientPolicy;
    QTest::newRow("disconnect") << Policy::Disconnect << false;
    QTest::newRow("drop_oldest") << Policy::DropOldest << false;
    QTest::newRow("disconnect, resets") << Policy::Disconnect << true;
    QTest::newRow("drop_oldest, resets") << Policy::DropOldest << true;
}

// After a run in which clients come, stall and go by chance: each message for each client that was
// there is a delivery or was never queued; and each delivery was received, or dropped from a queue.
// Only what a client that vanished had not read is not known.
void TestAccounting::everyMessageIsAccountedFor()
{
    QFETCH(HubOptions::SlowClientPolicy, policy);
    QFETCH(bool, withResets);
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    Script script(policy, withResets, seed);
    QVERIFY(script.run()); // in which the first half is held

    const RelaySnapshot counters = script.counters();
    QCOMPARE(counters.waiting(), 0U);
    const quint64 written = counters.deliveries - sumOf(counters.dropped);
    if (withResets) {
        QVERIFY(script.received() <= written);
    } else {
        QCOMPARE(script.received(), written);
    }
    QVERIFY(counters.deliveries > 0);
}

// A client that does not read and then vanishes: what its queue held is dropped, and is a part of its
// deliveries.
void TestAccounting::whatAClosedClientsQueueHeldIsCounted()
{
    HubOptions options = accountedOptions(HubOptions::SlowClientPolicy::Disconnect);
    options.limits.queueSize = 1000 * kMessageBytes;
    TestHub relay(options);
    PacedClient stalled(relay.port(), kTinyWindow);
    QVERIFY(stalled.upgrade());
    quint64 published = 0;
    while (relay.hub().counters().waiting() < 10) { // as many as the system takes, and these
        QCOMPARE(relay.hub().publish(QByteArray(kMessageBytes, 'm'), MessageKind::Binary),
                 Hub::Published::Accepted);
        ++published;
        QVERIFY(relay.waitForCounters([published](const RelaySnapshot &counters) {
            return counters.deliveries == published;
        }));
    }
    stalled.reset();
    QVERIFY(relay.waitForClients(0));
    const RelaySnapshot counters = relay.hub().counters();
    QCOMPARE(counters.waiting(), 0U);
    QCOMPARE(counters.deliveries, published);
    // The system may have taken some more of them since.
    const quint64 lost = counters.dropped[static_cast<std::size_t>(DropReason::Disconnected)];
    QVERIFY2(lost > 0 && lost <= 10, QByteArray::number(lost));
    QCOMPARE(sumOf(counters.dropped), lost);
    QCOMPARE(sumOf(counters.neverQueued), 0U);
}

// The gauge of what waits is the sum of what the clients' own numbers say.
void TestAccounting::whatWaitsIsWhatTheClientsShow()
{
    HubOptions options = accountedOptions(HubOptions::SlowClientPolicy::DropOldest);
    TestHub relay(options);
    PacedClient stalled(relay.port(), kTinyWindow);
    PacedClient alsoStalled(relay.port(), kTinyWindow);
    QVERIFY(stalled.upgrade() && alsoStalled.upgrade());
    quint64 published = 0;
    while (sumOf(relay.hub().counters().dropped) < 10) { // both queues are full, and overflow
        QCOMPARE(relay.hub().publish(QByteArray(kMessageBytes, 'm'), MessageKind::Binary),
                 Hub::Published::Accepted);
        published += 2;
        QVERIFY(relay.waitForCounters([published](const RelaySnapshot &counters) {
            return handedOut(counters) == published;
        }));
    }
    std::optional<quint64> shown;
    relay.hub().surveyClients([&](const std::vector<relay::ClientSnapshot> &clients) {
        shown = std::accumulate(clients.begin(), clients.end(), quint64{0},
                                [](quint64 before, const relay::ClientSnapshot &client) {
                                    return before + client.queuedMessages;
                                });
    });
    QVERIFY(waitFor([&] { return shown.has_value(); }));
    QVERIFY(*shown > 0);
    QCOMPARE(relay.hub().counters().waiting(), *shown);
}

RELAY_TEST(TestAccounting)
#include "tst_accounting.moc"
