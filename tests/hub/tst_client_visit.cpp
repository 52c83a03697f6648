#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QDeadlineTimer>
#include <QRandomGenerator>
#include <QTest>
#include <QThread>

#include <algorithm>
#include <deque>
#include <set>

using namespace std::chrono_literals;
using relay::ClientId;
using relay::ClientSnapshot;
using relay::Hub;
using relay::HubOptions;
using relay::test::HubEvent;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WebClients;
using relay::test::WorkerHold;

namespace {

/// More than two slices for one worker.
constexpr int kStayers = 1100;
/// During one visit.
constexpr int kLeavers = 60;

HubOptions manyClients(int workers)
{
    HubOptions options = testOptions(workers);
    options.limits.connections = 3000;
    options.closeTimeout = 1s;
    return options;
}

/// Begins to connect; it may join whenever the relay comes to it.
std::unique_ptr<PacedClient> newcomer(quint16 port)
{
    auto client = std::make_unique<PacedClient>(port);
    return client->send(PacedClient::upgradeRequest()) ? std::move(client) : nullptr;
}

/// So many who have joined, no more at once than wait in the listening socket's queue; none when one of
/// them was not let in.
std::vector<std::unique_ptr<PacedClient>> newcomers(TestHub &relay, int count)
{
    const int before = relay.hub().clientCount();
    std::vector<std::unique_ptr<PacedClient>> clients;
    for (int i = 1; i <= count; ++i) {
        clients.push_back(newcomer(relay.port()));
        const bool isWaited = i % 100 == 0 || i == count;
        if (!clients.back() || (isWaited && !relay.waitForClients(before + i))) {
            return {};
        }
    }
    return clients;
}

/// All clients, as a list of ids: one that was met twice is there twice.
std::optional<std::vector<ClientId>> survey(Hub &hub, const std::function<void()> &meanwhile = {})
{
    std::optional<std::vector<ClientId>> ids;
    hub.surveyClients([&ids](const std::vector<ClientSnapshot> &clients) {
        ids.emplace();
        for (const ClientSnapshot &client : clients) {
            ids->push_back(client.id);
        }
    });
    const bool isDone = waitFor([&] {
        if (!ids && meanwhile) {
            meanwhile();
        }
        return ids.has_value();
    });
    return isDone ? ids : std::nullopt;
}

/// Tells where it was destroyed, and whether anybody called what holds it before.
struct Witness
{
    explicit Witness(const QThread *&destroyedOn)
        : thread(destroyedOn)
    {}
    Witness(const Witness &) = delete;
    Witness &operator=(const Witness &) = delete;
    ~Witness() { thread = QThread::currentThread(); }

    const QThread *&thread;
};

} // namespace

/// Who watches the relay meets every client, and keeps none of them from being served.
class TestClientVisit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whoMovesIsMetExactlyOnce();
    void whoStaysIsMetExactlyOnce();
    void onlyWhoHasJoinedIsMet();
    void visitsTakeTurns();
    void socketsAreShownOfWhoWasAskedFor();
    void disconnectsOneClient();
    void hubThatEndsLetsGoOfWhatWasAsked();
    void hubThatClosesLetsGoOfWhatWasAsked();
    void closedHubLetsGoAtOnce();
    void drainIsSpreadOverItsTime();
    void drainedHubTakesNobody();
    void secondDrainReplacesTheFirst();
};

/// Whoever ends between two slices leaves his place to the last one, who was met there already: he is
/// not met again, and nobody is missed in his stead.
void TestClientVisit::whoMovesIsMetExactlyOnce()
{
    TestHub relay(manyClients(1));
    const WebClients speakers = relay.connectClients(1);
    QCOMPARE(speakers.size(), std::size_t{1});
    // In the places that are visited last.
    auto leavers = newcomers(relay, kLeavers);
    QCOMPARE(leavers.size(), std::size_t{kLeavers});
    const auto stayers = newcomers(relay, kStayers);
    QCOMPARE(stayers.size(), std::size_t{kStayers});
    // The worker visits its first slice at the end of this turn, and learns of the ends in the next.
    WorkerHold hold(relay.hub(), "hold");
    speakers.front()->sendText("hold");
    QVERIFY(hold.waitUntilHeld());
    const auto met = survey(relay.hub(), [&] {
        leavers.clear();
        hold.release();
    });
    QVERIFY(met);
    const auto staying = survey(relay.hub());
    QVERIFY(staying);
    QCOMPARE(staying->size(), std::size_t{kStayers + 1});
    const std::set<ClientId> once(met->begin(), met->end());
    const std::set<ClientId> stay(staying->begin(), staying->end());
    QCOMPARE(once.size(), met->size());
    QVERIFY(std::includes(once.begin(), once.end(), stay.begin(), stay.end()));
}

/// While others come and go on every worker, nobody is missed and nobody is met twice.
void TestClientVisit::whoStaysIsMetExactlyOnce()
{
    TestHub relay(manyClients(3));
    const auto stayers = newcomers(relay, kStayers);
    QCOMPARE(stayers.size(), std::size_t{kStayers});
    const auto staying = survey(relay.hub());
    QVERIFY(staying);
    const std::set<ClientId> stay(staying->begin(), staying->end());
    QCOMPARE(stay.size(), std::size_t{kStayers});

    std::deque<std::unique_ptr<PacedClient>> leavers;
    QRandomGenerator random(1);
    for (int round = 0; round < 20; ++round) {
        // As many as the workers keep up with: a longer queue only makes their turns longer.
        int comers = 0;
        const auto met = survey(relay.hub(), [&] {
            for (int i = 0; i < 5 && comers < kLeavers; ++i, ++comers) {
                leavers.push_back(newcomer(relay.port()));
            }
            while (leavers.size() > kLeavers) {
                leavers.erase(leavers.begin() + random.bounded(static_cast<int>(leavers.size())));
            }
        });
        QVERIFY(met);
        const std::set<ClientId> once(met->begin(), met->end());
        QCOMPARE(once.size(), met->size());
        QVERIFY(std::includes(once.begin(), once.end(), stay.begin(), stay.end()));
    }
}

/// A connection that has not said yet what it wants is no client.
void TestClientVisit::onlyWhoHasJoinedIsMet()
{
    TestHub relay;
    const WebClients clients = relay.connectClients(3);
    QCOMPARE(clients.size(), std::size_t{3});
    const PacedClient silent(relay.port());
    const auto met = survey(relay.hub());
    QVERIFY(met);
    QCOMPARE(met->size(), std::size_t{3});
}

/// However many ask at once, a worker's turn has a slice of one visit: who asked second is shown what
/// has happened until the first was answered.
void TestClientVisit::visitsTakeTurns()
{
    TestHub relay;
    WebClients clients = relay.connectClients(2);
    QCOMPARE(clients.size(), std::size_t{2});
    auto leaver = newcomer(relay.port());
    QVERIFY(relay.waitForClients(3));
    std::vector<std::size_t> met;
    for (int i = 0; i < 2; ++i) {
        relay.hub().surveyClients(
            [&met](const std::vector<ClientSnapshot> &found) { met.push_back(found.size()); });
    }
    // Meanwhile the hub's thread does nothing that would answer the first.
    const auto spinUntil = [](const auto &condition) {
        const QDeadlineTimer deadline(10s);
        while (!condition() && !deadline.hasExpired()) {
            QThread::yieldCurrentThread();
        }
        return condition();
    };
    QCOMPARE(relay.hub().publish("after the visit", relay::MessageKind::Text).status,
             Hub::Published::Accepted);
    QVERIFY(spinUntil([&] { return relay.hub().counters().deliveries == 3; }));
    leaver.reset();
    QVERIFY(spinUntil([&] { return relay.hub().clientCount() == 2; }));
    QVERIFY(met.empty());
    QVERIFY(waitFor([&] { return met.size() == 2; }));
    QCOMPARE(met[0], std::size_t{3});
    QCOMPARE(met[1], std::size_t{2});
}

void TestClientVisit::socketsAreShownOfWhoWasAskedFor()
{
    TestHub relay(testOptions(2));
    const WebClients clients = relay.connectClients(4);
    QCOMPARE(clients.size(), std::size_t{4});
    const auto ids = survey(relay.hub());
    QVERIFY(ids);
    const auto inspect = [&](const std::vector<ClientId> &wanted) {
        std::optional<std::vector<ClientSnapshot>> found;
        relay.hub().inspectClients(
            wanted, [&](std::vector<ClientSnapshot> inspected) { found = std::move(inspected); });
        return waitFor([&] { return found.has_value(); }) ? *found : std::vector<ClientSnapshot>();
    };
    const auto found = inspect({ids->at(1), ids->at(3), ClientId{999'999}});
    QCOMPARE(found.size(), std::size_t{2});
    for (const ClientSnapshot &client : found) {
        QVERIFY(client.id == ids->at(1) || client.id == ids->at(3));
        QVERIFY(client.socket);
        QVERIFY(client.socket->rtt.count() > 0);
    }
    QVERIFY(inspect({}).empty());
}

/// The one who is meant is told why, everybody else stays, and who asks learns whether it was there.
void TestClientVisit::disconnectsOneClient()
{
    TestHub relay(testOptions(2));
    WebClients clients = relay.connectClients(3);
    QCOMPARE(clients.size(), std::size_t{3});
    const auto ids = survey(relay.hub());
    QVERIFY(ids);
    const auto disconnectOne = [&](ClientId id) {
        std::optional<bool> isFound;
        relay.hub().disconnectClient(id, [&](bool found) { isFound = found; });
        return waitFor([&] { return isFound.has_value(); }) && *isFound;
    };
    QVERIFY(disconnectOne(ids->at(0)));
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Disconnected, 1));
    const HubEvent event = relay.events(HubEvent::Kind::Disconnected).front();
    QCOMPARE(event.client, ids->at(0));
    QCOMPARE(event.closeCode, 1008);
    QCOMPARE(event.text, QByteArray("disconnected by the operator"));
    QVERIFY(!disconnectOne(ids->at(0)));
    QVERIFY(!disconnectOne(ClientId{0}));
    QCOMPARE(relay.hub().clientCount(), 2);
    QVERIFY(waitFor([&] {
        return std::count_if(clients.begin(), clients.end(),
                             [](const auto &client) { return client->closeCode() == 1008; })
               == 1;
    }));
}

/// A hub that is destroyed under who asked does not call him, and lets go of what he asked with on
/// his own thread: a worker must not destroy what belongs there.
void TestClientVisit::hubThatEndsLetsGoOfWhatWasAsked()
{
    TestHub relay(testOptions(2));
    const WebClients clients = relay.connectClients(8);
    QCOMPARE(clients.size(), std::size_t{8});
    std::array<const QThread *, 3> destroyedOn{};
    bool isCalled = false;
    const auto witness = [&](std::size_t i) {
        return [&isCalled, held = std::make_shared<Witness>(destroyedOn[i])](auto) {
            isCalled = true;
        };
    };
    relay.hub().surveyClients(witness(0));
    relay.hub().inspectClients({ClientId{1}}, witness(1));
    relay.hub().disconnectClient(ClientId{999}, witness(2));
    relay.destroy();
    QVERIFY(!isCalled);
    for (const QThread *thread : destroyedOn) {
        QCOMPARE(thread, QThread::currentThread());
    }
}

/// So does one that closes in order, before it says that it has.
void TestClientVisit::hubThatClosesLetsGoOfWhatWasAsked()
{
    for (int round = 0; round < 20; ++round) {
        TestHub relay(testOptions(2));
        const WebClients clients = relay.connectClients(4);
        QCOMPARE(clients.size(), std::size_t{4});
        const QThread *destroyedOn = nullptr;
        bool isClosed = false;
        bool wasFreeThen = false;
        QObject::connect(&relay.hub(), &Hub::closed, &relay.hub(), [&] {
            isClosed = true;
            wasFreeThen = destroyedOn == QThread::currentThread();
        });
        relay.hub().close(0ms);
        relay.hub().surveyClients([held = std::make_shared<Witness>(destroyedOn)](const auto &) {});
        QVERIFY(waitFor([&] { return isClosed; }));
        QVERIFY(wasFreeThen);
    }
}

void TestClientVisit::closedHubLetsGoAtOnce()
{
    TestHub relay;
    bool isClosed = false;
    QObject::connect(&relay.hub(), &Hub::closed, &relay.hub(), [&] { isClosed = true; });
    relay.hub().close(0ms);
    QVERIFY(waitFor([&] { return isClosed; }));
    const QThread *destroyedOn = nullptr;
    relay.hub().surveyClients([held = std::make_shared<Witness>(destroyedOn)](const auto &) {});
    QCOMPARE(destroyedOn, QThread::currentThread());
}

/// Few clients, too, leave one after the other for all of the time, not all in the beginning or at
/// the end; each is told 1001, and that it may come back.
void TestClientVisit::drainIsSpreadOverItsTime()
{
    constexpr int kClients = 10;
    constexpr auto kWithin = 2000ms;
    TestHub relay(testOptions(1));
    const WebClients clients = relay.connectClients(kClients);
    QCOMPARE(clients.size(), std::size_t{kClients});
    std::vector<std::chrono::steady_clock::time_point> ends; // on the one worker, until it is gone
    QObject::connect(
        &relay.hub(), &Hub::clientDisconnected, &relay.hub(),
        [&ends] { ends.push_back(std::chrono::steady_clock::now()); }, Qt::DirectConnection);
    const auto start = std::chrono::steady_clock::now();
    relay.hub().drain(kWithin);
    QVERIFY(relay.hub().isDraining());
    QVERIFY(relay.waitForEvents(HubEvent::Kind::Disconnected, kClients));
    const auto isGone = [&] { return relay.hub().clientCount() == 0; };
    QVERIFY(waitFor(isGone));
    for (const HubEvent &event : relay.events(HubEvent::Kind::Disconnected)) {
        QCOMPARE(event.closeCode, 1001);
    }
    relay.destroy();
    QVERIFY(ends.front() - start < kWithin * 3 / 4);
    QVERIFY(ends.back() - start > kWithin / 2);
    QVERIFY(ends.back() - ends.front() > kWithin / 2);
    // Never many at once: what is usual is one in 200 ms, and a stall makes up for itself.
    int together = 0;
    for (std::size_t i = 1; i < ends.size(); ++i) {
        together += ends[i] - ends[i - 1] < 20ms ? 1 : 0;
    }
    QVERIFY2(together <= kClients / 2, qPrintable(QString::number(together)));
}

void TestClientVisit::drainedHubTakesNobody()
{
    TestHub relay;
    const WebClients clients = relay.connectClients(2);
    QCOMPARE(clients.size(), std::size_t{2});
    relay.hub().drain(0ms);
    QVERIFY(relay.waitForClients(0));
    QVERIFY(!relay.hub().isListening() || relay.hub().isDraining());
    relay::test::WebClient late(QUrl(QStringLiteral("ws://127.0.0.1:%1/").arg(relay.port())));
    QVERIFY(late.waitUntilEnded());
    QCOMPARE(relay.events(HubEvent::Kind::Connected).size(), std::size_t{2});
}

/// A second time counts from the second call on, be it shorter or longer.
void TestClientVisit::secondDrainReplacesTheFirst()
{
    TestHub relay(testOptions(2));
    const WebClients clients = relay.connectClients(4);
    QCOMPARE(clients.size(), std::size_t{4});
    relay.hub().drain(1h);
    relay.hub().drain(0ms);
    QVERIFY(relay.waitForClients(0));
}

RELAY_TEST(TestClientVisit)
#include "tst_client_visit.moc"
