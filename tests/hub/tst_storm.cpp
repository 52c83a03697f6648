#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>
#include <array>

using relay::test::HubEvent;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
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

/// One who sends a numbered big message whenever one of its own has come back, and reads all.
class Looper
{
public:
    static constexpr int kCount = 10;
    static constexpr int kAtOnce = 2;
    static constexpr int kMessages = 8; // of each
    static constexpr qsizetype kPayloadBytes = 200 * 1024;
    /// Several messages: who reads less at each turn falls behind by himself.
    static constexpr qsizetype kReadBytes = 1024 * 1024;

    Looper(quint16 port, int number)
        : m_client(port)
        , m_number(number)
    {}

    bool start()
    {
        const bool isLetIn = m_client.upgrade();
        for (int i = 0; i < kAtOnce; ++i) {
            enqueue();
        }
        return isLetIn;
    }
    /// Sends and reads some; false once it has got all, or something that it should not.
    bool goOn()
    {
        m_outgoing.remove(0, m_client.sendSome(m_outgoing));
        m_client.read(kReadBytes);
        while (const auto frame = m_client.takeFrame()) {
            takeIn(*frame);
        }
        return !hasAll() && !m_isTorn && !m_client.hasEnded();
    }
    [[nodiscard]] bool hasAll() const { return m_received == kCount * kMessages; }

private:
    void enqueue()
    {
        if (m_sent < kMessages) {
            QByteArray payload(kPayloadBytes, 'x');
            payload[0] = static_cast<char>(m_number);
            payload[1] = static_cast<char>(m_sent++);
            m_outgoing += relay::test::clientFrame(relay::test::Op::Binary, payload);
        }
    }
    void takeIn(const relay::test::ServerFrame &frame)
    {
        if (frame.payload.size() != kPayloadBytes) {
            m_isTorn = true;
            return;
        }
        const int sender = frame.payload[0];
        m_isTorn = m_isTorn || frame.payload[1] != m_next.at(static_cast<std::size_t>(sender))++;
        ++m_received;
        if (sender == m_number) {
            enqueue();
        }
    }

    PacedClient m_client;
    int m_number;
    int m_sent = 0;
    int m_received = 0;
    bool m_isTorn = false;
    std::array<int, kCount> m_next{};
    QByteArray m_outgoing;
};

} // namespace

class TestStorm : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void thoseWhoAreThereNoticeNothing_data();
    void thoseWhoAreThereNoticeNothing();
    void aClosedLoopOfBigMessagesLosesNobody_data();
    void aClosedLoopOfBigMessagesLosesNobody();
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

void TestStorm::aClosedLoopOfBigMessagesLosesNobody_data()
{
    thoseWhoAreThereNoticeNothing_data();
}

// All are busy, and what is on its way at once just fits into what may wait for one client: with the
// limits that a relay has by default nobody is closed, however late he is scheduled.
void TestStorm::aClosedLoopOfBigMessagesLosesNobody()
{
    QFETCH(int, workers);
    relay::HubOptions options;
    options.port = 0;
    options.workers = workers;
    constexpr qint64 kOnTheWay = Looper::kCount * Looper::kAtOnce * Looper::kPayloadBytes;
    QVERIFY(kOnTheWay < options.limits.queueSize && 2 * kOnTheWay > options.limits.queueSize);
    TestHub relay(options);
    std::vector<std::unique_ptr<Looper>> loopers;
    for (int i = 0; i < Looper::kCount; ++i) {
        loopers.push_back(std::make_unique<Looper>(relay.port(), i));
        QVERIFY(loopers.back()->start());
    }
    QVERIFY(waitFor([&] {
        std::size_t busy = Looper::kCount;
        for (int turn = 0; turn < 32 && busy == Looper::kCount; ++turn) {
            busy = static_cast<std::size_t>(std::count_if(
                loopers.begin(), loopers.end(), [](const auto &looper) { return looper->goOn(); }));
        }
        return busy == 0 || !relay.events(HubEvent::Kind::Disconnected).empty();
    }));
    for (const auto &looper : loopers) {
        QVERIFY(looper->hasAll());
    }
    QCOMPARE(relay.hub().clientCount(), Looper::kCount);
}

RELAY_TEST(TestStorm)
#include "tst_storm.moc"
