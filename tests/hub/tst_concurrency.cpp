#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>
#include <map>
#include <thread>

using namespace std::chrono_literals;
using relay::Hub;
using relay::HubOptions;
using relay::MessageKind;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::waitForAll;
using relay::test::WebClients;

namespace {

/// "<sender>:<number>", filled up to `bytes`.
QByteArray messageOf(std::size_t sender, int number, qsizetype bytes = 0)
{
    QByteArray payload = QByteArray::number(static_cast<qulonglong>(sender)) + ':';
    payload += QByteArray::number(number) + ' ';
    return payload.leftJustified(bytes, '.');
}

/// What is wrong with what a client received of `senders` who sent `count` messages each; empty
/// when it has each once, every sender's in order.
QByteArray flawOf(const std::vector<QByteArray> &received, std::size_t senders, int count)
{
    std::map<QByteArray, int> next;
    for (const QByteArray &payload : received) {
        const qsizetype colon = payload.indexOf(':');
        int &expected = next[payload.first(colon)];
        const int number = payload.mid(colon + 1, payload.indexOf(' ') - colon - 1).toInt();
        if (number != expected) {
            return "sender " + payload.first(colon) + ": " + QByteArray::number(number)
                   + " instead of " + QByteArray::number(expected);
        }
        ++expected;
    }
    if (received.size() != senders * static_cast<std::size_t>(count)) {
        return QByteArray::number(static_cast<qulonglong>(received.size())) + " messages";
    }
    return {};
}

} // namespace

class TestConcurrency : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyoneSeesOneOrder_data();
    void everyoneSeesOneOrder();
    void publishersAndClientsShareOneOrder();
    void publishingFromManyThreadsWhileClientsComeAndGo();
    void aFullInboxPausesItsSenders();
    void clientsAreSpreadOverTheWorkers();
};

void TestConcurrency::everyoneSeesOneOrder_data()
{
    QTest::addColumn<int>("workers");
    QTest::addColumn<int>("clients");
    QTest::newRow("one worker") << 1 << 20;
    QTest::newRow("three workers") << 3 << 20;
    QTest::newRow("more workers than clients") << 4 << 3;
}

// The promise of order: many send at once, and all receive the same messages in the same order,
// none missing, none twice.
void TestConcurrency::everyoneSeesOneOrder()
{
    QFETCH(int, workers);
    QFETCH(int, clients);
    constexpr int kMessages = 50;
    TestHub relay(testOptions(workers));
    const WebClients all = relay.connectClients(clients);
    QCOMPARE(all.size(), static_cast<std::size_t>(clients));
    for (int i = 0; i < kMessages; ++i) {
        for (std::size_t sender = 0; sender < all.size(); ++sender) {
            all[sender]->sendText(messageOf(sender, i));
        }
        QCoreApplication::processEvents(); // what was sent leaves; what comes back interleaves
    }
    const std::size_t expected = all.size() * kMessages;
    QVERIFY(waitForAll(all, expected));
    QCOMPARE(relay.hub().publish("end", MessageKind::Text).status, Hub::Published::Accepted);
    QVERIFY(waitForAll(all, expected + 1)); // what was sent twice would have come before it
    std::vector<QByteArray> order = all.front()->payloads();
    for (const auto &client : all) {
        QVERIFY(client->payloads() == order);
    }
    QCOMPARE(order.back(), QByteArray("end"));
    order.pop_back();
    QCOMPARE(flawOf(order, all.size(), kMessages), QByteArray());
    // Counted after it is written: a client may have it before.
    QTRY_COMPARE(relay.hub().counters().messages, expected + 1);
    QTRY_COMPARE(relay.hub().counters().deliveries, (expected + 1) * all.size());
}

// Hub::publish() takes its place in the same order, from any thread.
void TestConcurrency::publishersAndClientsShareOneOrder()
{
    constexpr int kMessages = 200;
    constexpr std::size_t kThreads = 3;
    constexpr std::size_t kSenders = 5;
    TestHub relay(testOptions(3));
    const WebClients all = relay.connectClients(static_cast<int>(kSenders));
    QCOMPARE(all.size(), kSenders);
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&relay, thread] {
            for (int i = 0; i < kMessages; ++i) {
                while (
                    relay.hub().publish(messageOf(kSenders + thread, i), MessageKind::Text).status
                    != Hub::Published::Accepted)
                {
                    std::this_thread::yield();
                }
            }
        });
    }
    for (int i = 0; i < kMessages; ++i) {
        for (std::size_t sender = 0; sender < kSenders; ++sender) {
            all[sender]->sendText(messageOf(sender, i));
        }
        QCoreApplication::processEvents();
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    QVERIFY(waitForAll(all, (kSenders + kThreads) * kMessages));
    const std::vector<QByteArray> order = all.front()->payloads();
    QCOMPARE(flawOf(order, kSenders + kThreads, kMessages), QByteArray());
    for (const auto &client : all) {
        QVERIFY(client->payloads() == order);
    }
}

// Workers that gain their first member and lose their last while others publish: who stays misses
// nothing, and the count from any thread is never out of its bounds.
void TestConcurrency::publishingFromManyThreadsWhileClientsComeAndGo()
{
    constexpr int kVisitors = 60;
    TestHub relay(testOptions(3));
    const WebClients stayers = relay.connectClients(1);
    QCOMPARE(stayers.size(), std::size_t{1});
    std::atomic<bool> isDone{false};
    std::atomic<bool> isCountWrong{false};
    std::atomic<int> published{0};
    std::thread publisher([&] {
        while (!isDone) {
            if (relay.hub().publish(messageOf(0, published), MessageKind::Text).status
                == Hub::Published::Accepted)
            {
                ++published;
            }
            std::this_thread::yield();
            const int count = relay.hub().clientCount();
            isCountWrong = isCountWrong || count < 1 || count > 3;
        }
    });
    bool areVisitsGood = true;
    for (int i = 0; i < kVisitors && areVisitsGood; ++i) {
        // At most two at once, so that workers are often without any.
        PacedClient first(relay.port());
        PacedClient second(relay.port());
        areVisitsGood = first.upgrade() && second.upgrade() && second.nextFrame().has_value();
        first.reset();
        second.close();
        areVisitsGood = areVisitsGood && relay.waitForClients(1);
    }
    isDone = true;
    publisher.join();
    QVERIFY(areVisitsGood);
    QVERIFY(!isCountWrong);
    QVERIFY(stayers[0]->waitForMessages(static_cast<std::size_t>(published.load())));
    QCOMPARE(flawOf(stayers[0]->payloads(), 1, published), QByteArray());
}

// limits.inbox_size: when a worker cannot follow, senders are not read from until it has caught up.
// That is counted; nothing is lost and the order holds.
void TestConcurrency::aFullInboxPausesItsSenders()
{
    constexpr int kMessages = 60;
    constexpr qsizetype kBytes = 20'000;
    HubOptions options = testOptions(2);
    options.limits.inboxSize = 4 * kBytes;
    options.limits.queueSize = 256 * 1024 * 1024; // none of them counts as slow
    TestHub relay(options, TestHub::Follow::MessagesToo);
    const WebClients all = relay.connectClients(6);
    QCOMPARE(all.size(), std::size_t{6});
    relay::test::WorkerHold hold(relay.hub(), "hold");
    all[0]->sendText("hold"); // one of the two workers cannot follow
    QVERIFY(hold.waitUntilHeld());
    for (int i = 0; i < kMessages; ++i) {
        for (std::size_t sender = 0; sender < all.size(); ++sender) {
            all[sender]->sendText(messageOf(sender, i, kBytes));
        }
        QCoreApplication::processEvents();
    }
    QVERIFY(relay.waitForCounters([](const auto &counters) { return counters.inboxPauses > 0; }));
    // What was read before the pause is bounded: one turn beyond the limit, not the flood.
    QVERIFY(relay.hub().counters().messages < 3 * kMessages);
    QCOMPARE(relay.hub().publish("refused", MessageKind::Text).status, Hub::Published::Full);
    hold.release();
    QVERIFY(waitForAll(all, all.size() * kMessages + 1));
    std::vector<QByteArray> order = all.front()->payloads();
    for (const auto &client : all) {
        QVERIFY(client->payloads() == order);
    }
    order.erase(std::find(order.begin(), order.end(), "hold"));
    QCOMPARE(flawOf(order, all.size(), kMessages), QByteArray());
}

// Each connection goes to the worker with the fewest: all cores share the load.
void TestConcurrency::clientsAreSpreadOverTheWorkers()
{
    TestHub relay(testOptions(3));
    const WebClients all = relay.connectClients(9);
    QCOMPARE(all.size(), std::size_t{9});
    std::map<const QThread *, int> clients;
    for (const auto &event : relay.events()) {
        ++clients[event.thread];
    }
    QCOMPARE(clients.size(), std::size_t{3});
    for (const auto &[thread, count] : clients) {
        QCOMPARE(count, 3);
    }
}

RELAY_TEST(TestConcurrency)
#include "tst_concurrency.moc"
