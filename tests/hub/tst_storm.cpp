#include "support/paced_client.h"
#include "support/test_hub.h"

#include <QTest>

using relay::test::HubEvent;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitForAll;
using relay::test::WebClients;

namespace {

constexpr int kConnects = 2000;
/// At once: within what the system lets wait to be accepted, and a process has open by default.
constexpr int kWave = 100;
constexpr int kEstablished = 5;
constexpr int kMessagesPerWave = 4; // of each

/// How the connections of a storm come to their end.
enum class Ending {
    Quits,    ///< a client, which vanishes once it has its answer
    Vanishes, ///< asks, and does not wait for an answer
    IsMute,   ///< connects, and goes without a word
};
constexpr int kEndings = 3;

Ending endingOf(int number)
{
    return static_cast<Ending>(number % kEndings);
}

/// A wave of a storm; returns how many were let in, of those who waited for it.
int storm(quint16 port, int first)
{
    std::vector<std::unique_ptr<PacedClient>> wave;
    for (int i = 0; i < kWave; ++i) {
        wave.push_back(std::make_unique<PacedClient>(port));
        if (endingOf(first + i) == Ending::Vanishes) {
            (void)wave.back()->send(PacedClient::upgradeRequest());
            wave.back()->reset();
        }
    }
    int letIn = 0;
    for (int i = 0; i < kWave; ++i) {
        if (endingOf(first + i) == Ending::Quits) {
            letIn += wave[static_cast<std::size_t>(i)]->upgrade() ? 1 : 0;
        }
        wave[static_cast<std::size_t>(i)]->reset();
    }
    return letIn;
}

} // namespace

class TestStorm : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void thoseWhoAreThereNoticeNothing_data();
    void thoseWhoAreThereNoticeNothing();
};

void TestStorm::thoseWhoAreThereNoticeNothing_data()
{
    QTest::addColumn<int>("workers");
    QTest::newRow("one worker") << 1;
    QTest::newRow("three workers") << 3;
}

// Thousands who connect, ask, vanish and come again cost those who are there no message, and nobody
// who asks is left without an answer.
void TestStorm::thoseWhoAreThereNoticeNothing()
{
    QFETCH(int, workers);
    TestHub relay(testOptions(workers));
    const WebClients clients = relay.connectClients(kEstablished);
    QCOMPARE(clients.size(), std::size_t{kEstablished});
    int letIn = 0;
    int expected = 0;
    int sent = 0; // by each
    for (int first = 0; first < kConnects; first += kWave) {
        for (int i = 0; i < kMessagesPerWave; ++i, ++sent) {
            for (std::size_t who = 0; who < clients.size(); ++who) {
                clients[who]->sendText(QByteArray::number(static_cast<int>(who)) + ':'
                                       + QByteArray::number(sent));
            }
        }
        for (int i = 0; i < kWave; ++i) {
            expected += endingOf(first + i) == Ending::Quits ? 1 : 0;
        }
        letIn += storm(relay.port(), first);
    }
    QCOMPARE(letIn, expected);
    QVERIFY(waitForAll(clients, static_cast<std::size_t>(sent * kEstablished)));
    const std::vector<QByteArray> order = clients[0]->payloads();
    QCOMPARE(order.size(), static_cast<std::size_t>(sent * kEstablished));
    std::vector<int> next(kEstablished, 0);
    for (const QByteArray &payload : order) {
        const auto who = static_cast<std::size_t>(payload.front() - '0');
        QCOMPARE(payload.mid(2).toInt(), next[who]++);
    }
    for (const auto &client : clients) {
        QCOMPARE(client->payloads(), order);
        QVERIFY(client->isConnected());
    }
    // Of the storm nothing is left, and every one of its connections is accounted for.
    QVERIFY(relay.waitForClients(kEstablished));
    QVERIFY(relay.waitForCounters([](const relay::RelaySnapshot &counters) {
        quint64 seen = counters.disconnections;
        for (const quint64 failures : counters.handshakeFailures) {
            seen += failures;
        }
        return seen == kConnects;
    }));
    QCOMPARE(relay.events(HubEvent::Kind::Connected).size(),
             relay.events(HubEvent::Kind::Disconnected).size() + kEstablished);
}

QTEST_GUILESS_MAIN(TestStorm)
#include "tst_storm.moc"
