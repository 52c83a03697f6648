#include "channels/channel_registry.h"

#include "fixtures.h"
#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <algorithm>
#include <atomic>
#include <latch>
#include <malloc.h>
#include <map>
#include <thread>

using namespace std::chrono_literals;
using relay::ChannelHandle;
using relay::ChannelName;
using relay::ChannelOptions;
using relay::ChannelPattern;
using relay::ChannelRegistry;
using relay::ChannelRule;
using relay::HistoryLedger;
using relay::MessagePtr;
using relay::Resumed;
using relay::TimePoint;
using relay::test::allocatedBytes;
using relay::test::costOf;
using relay::test::everything;
using relay::test::keeping;
using relay::test::kNoLimit;
using relay::test::kStart;
using relay::test::messageOf;
using relay::test::named;
using relay::test::newest;
using relay::test::patternOf;
using relay::test::payloadsOf;
using relay::test::Recorder;
using relay::test::since;

namespace {

constexpr int kAll = 1 << 30;

void publish(ChannelRegistry &registry,
             const QByteArray &name,
             const QByteArray &payload,
             TimePoint now = kStart)
{
    const ChannelHandle channel = registry.acquire(named(name));
    (void)registry.publish(*channel, messageOf(payload, now));
}

QByteArrayList kept(ChannelRegistry &registry, const QByteArray &name, TimePoint now = kStart)
{
    const ChannelHandle channel = registry.find(named(name));
    return channel ? payloadsOf(channel->read(everything(now), newest(kAll)).replay.messages)
                   : QByteArrayList();
}

// What many threads do at once; each returns what was wrong.

QByteArray publishAndGo(ChannelRegistry &registry, const ChannelName &name, TimePoint now)
{
    const ChannelHandle channel = registry.acquire(name);
    if (registry.publish(*channel, messageOf("x", now)).position.epoch != channel->epoch()) {
        return "of another epoch";
    }
    return registry.find(name).get() == channel.get() ? "" : "two channels of one name";
}

QByteArray visit(ChannelRegistry &registry, const ChannelName &name, TimePoint now)
{
    const ChannelHandle channel = registry.acquire(name);
    Recorder recorder;
    quint64 offset = channel->join(recorder, 1, everything(now), {}).value().replay.start.offset;
    const auto mine = messageOf("x", now);
    (void)registry.publish(*channel, mine);
    channel->leave(recorder, 0);
    bool isMineThere = false;
    for (const MessagePtr &message : recorder.taken) {
        if (message->offset != ++offset || message->epoch != channel->epoch()) {
            return "a hole";
        }
        isMineThere = isMineThere || message == mine;
    }
    return isMineThere ? "" : "without its own message";
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kManyNames = 100'000;
#else
constexpr int kManyNames = 1'000'000;
#endif

} // namespace

class TestChannelRegistry : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void makesAChannelAtItsFirstUse();
    void keepsAChannelWhileItKeepsMessages();
    void expiresALittleAtATime();
    void aChannelThatComesBackIsAnother();
    void theFirstRuleThatMatchesHolds_data();
    void theFirstRuleThatMatchesHolds();
    void dropsTheOldestOfAllPastItsBudget();
    void theBudgetIsExact_data();
    void theBudgetIsExact();
    void keepsWhatAnObviousBudgetWould();
    void manyNamesLeaveNothingBehind_data();
    void manyNamesLeaveNothingBehind();
    void countsWhatHistoriesReallyTake();
    void namesThatComeAndGoOnManyThreads();
};

// Made when it is first asked for, one for all who ask, gone with the last of them.
void TestChannelRegistry::makesAChannelAtItsFirstUse()
{
    ChannelRegistry registry({}, keeping(10, 60s), kNoLimit);
    QVERIFY(!registry.find(named("a")));
    QCOMPARE(registry.channelCount(), std::size_t{0});
    ChannelHandle first = registry.acquire(named("a"));
    QCOMPARE(registry.channelCount(), std::size_t{1});
    ChannelHandle second = registry.acquire(named("a"));
    ChannelHandle third = registry.find(named("a"));
    QCOMPARE(second.get(), first.get());
    QCOMPARE(third.get(), first.get());
    QCOMPARE(first->name(), named("a"));
    const ChannelHandle root = registry.acquire(ChannelName());
    QVERIFY(root.get() != first.get());
    QCOMPARE(registry.channelCount(), std::size_t{2});
    third.reset();
    first.reset();
    QCOMPARE(registry.find(named("a")).get(), second.get());
    second.reset();
    QVERIFY(!registry.find(named("a")));
    QCOMPARE(registry.channelCount(), std::size_t{1});
}

// What was said is there for who comes later, until its time is over; and then there is nothing.
void TestChannelRegistry::keepsAChannelWhileItKeepsMessages()
{
    ChannelRegistry registry({}, keeping(10, 60s), kNoLimit);
    publish(registry, "a", "1", kStart);
    publish(registry, "a", "2", kStart + 1s);
    QCOMPARE(registry.channelCount(), std::size_t{1});
    QCOMPARE(registry.historyBytes(), 2 * costOf(1) + HistoryLedger::kChannelCost);
    QVERIFY(!registry.expireHistory(kStart + 60s - 1ns, kAll));
    QCOMPARE(kept(registry, "a"), (QByteArrayList{"1", "2"}));
    QVERIFY(!registry.expireHistory(kStart + 60s, kAll));
    QCOMPARE(kept(registry, "a"), QByteArrayList{"2"});
    QCOMPARE(registry.historyBytes(), costOf(1) + HistoryLedger::kChannelCost);
    {
        const ChannelHandle member = registry.acquire(named("a"));
        (void)registry.expireHistory(kStart + 61s, kAll);
        QCOMPARE(registry.historyBytes(), 0);
        QCOMPARE(registry.channelCount(), std::size_t{1}); // somebody is there
        // A history that begins anew is filed anew.
        (void)registry.publish(*member, messageOf("3", kStart + 61s));
    }
    QCOMPARE(kept(registry, "a", kStart + 61s), QByteArrayList{"3"});
    (void)registry.expireHistory(kStart + 121s, kAll);
    QCOMPARE(registry.channelCount(), std::size_t{0});
    QCOMPARE(registry.historyBytes(), 0);

    ChannelRegistry forgetful({}, keeping(0, 60s), kNoLimit);
    publish(forgetful, "a", "1");
    QCOMPARE(forgetful.channelCount(), std::size_t{0});
    QCOMPARE(forgetful.historyBytes(), 0);
}

// A burst of expiries must not hold up the thread that looks after them: it does a part, and is
// told that there is more.
void TestChannelRegistry::expiresALittleAtATime()
{
    ChannelRegistry registry({}, keeping(10, 60s), kNoLimit);
    for (int i = 0; i < 10; ++i) {
        publish(registry, QByteArray::number(i), "x", kStart + std::chrono::milliseconds(i));
    }
    QVERIFY(registry.expireHistory(kStart + 120s, 3));
    QCOMPARE(registry.channelCount(), std::size_t{7});
    QVERIFY(kept(registry, "2").isEmpty()); // those that have been due for longest
    QCOMPARE(kept(registry, "3"), QByteArrayList{"x"});
    QVERIFY(registry.expireHistory(kStart + 120s, 6));
    QVERIFY(!registry.expireHistory(kStart + 120s, 3));
    QCOMPARE(registry.channelCount(), std::size_t{0});
    QVERIFY(!registry.expireHistory(kStart + 120s, 3));
}

// A name whose channel has gone begins a new stream: nobody may take the positions of the one for
// those of the other.
void TestChannelRegistry::aChannelThatComesBackIsAnother()
{
    ChannelRegistry registry({}, keeping(0, 60s), kNoLimit);
    const relay::Epoch first = registry.acquire(named("a"))->epoch();
    const ChannelHandle again = registry.acquire(named("a"));
    QVERIFY(again->epoch() != first);
    QCOMPARE(again->state().position.offset, 0U);
    QCOMPARE(again->read(everything(), since({first, 0})).replay.resumed, Resumed::Unknown);
}

void TestChannelRegistry::theFirstRuleThatMatchesHolds_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<int>("maxClients"); // tells the rules apart
    QTest::newRow("the first, though others match") << QByteArray("chat/42") << 1;
    QTest::newRow("the second, a wider one") << QByteArray("chat/43") << 2;
    QTest::newRow("the third, below") << QByteArray("chat/43/x") << 3;
    QTest::newRow("what ** matches at once") << QByteArray("chat") << 3;
    QTest::newRow("none") << QByteArray("news") << 99;
    QTest::newRow("none for the root") << QByteArray("/") << 99;
}

// channels: in relay.yaml is read from the top.
void TestChannelRegistry::theFirstRuleThatMatchesHolds()
{
    QFETCH(QByteArray, name);
    QFETCH(int, maxClients);
    const auto rule = [](const QByteArray &match, int number) {
        ChannelRule made{patternOf(match), {}};
        made.options.maxClients = number;
        return made;
    };
    ChannelOptions others;
    others.maxClients = 99;
    ChannelRegistry registry(
        {rule("chat/42", 1), rule("chat/*", 2), rule("chat/**", 3), rule("chat/42", 4)}, others,
        kNoLimit);
    QCOMPARE(registry.optionsOf(named(name)).maxClients, maxClients);
    QCOMPARE(registry.acquire(named(name))->options().maxClients, maxClients);
}

// history.total_size: the oldest message of all goes first, whose channel it ever is; a channel that
// is left with nothing goes, too.
void TestChannelRegistry::dropsTheOldestOfAllPastItsBudget()
{
    ChannelRegistry registry({}, keeping(100, 60s),
                             2 * HistoryLedger::kChannelCost + 4 * costOf(1));
    publish(registry, "a", "1");
    publish(registry, "b", "2");
    publish(registry, "b", "3");
    publish(registry, "a", "4");
    QCOMPARE(kept(registry, "a"), (QByteArrayList{"1", "4"})); // at the limit
    QCOMPARE(kept(registry, "b"), (QByteArrayList{"2", "3"}));
    publish(registry, "b", "5"); // one past
    QCOMPARE(kept(registry, "a"), QByteArrayList{"4"});
    QCOMPARE(kept(registry, "b"), (QByteArrayList{"2", "3", "5"}));
    publish(registry, "b", "6");
    publish(registry, "b", "7");
    publish(registry, "b", "8");
    QCOMPARE(kept(registry, "a"), QByteArrayList{});
    QVERIFY(!registry.find(named("a")));
    // Its room, overhead included, is the others'.
    const qint64 room = HistoryLedger::kChannelCost / costOf(1);
    for (int i = 0; i < 20; ++i) {
        publish(registry, "b", "x");
    }
    QCOMPARE(kept(registry, "b").size(), 4 + room);
}

void TestChannelRegistry::theBudgetIsExact_data()
{
    QTest::addColumn<qint64>("less"); // than two messages and their channel cost
    QTest::addColumn<int>("messages");
    QTest::newRow("a byte more") << qint64{-1} << 2;
    QTest::newRow("at the limit") << qint64{0} << 2;
    QTest::newRow("a byte less") << qint64{1} << 1;
    QTest::newRow("at the limit for one") << costOf(10) << 1;
    QTest::newRow("a byte less than one") << costOf(10) + 1 << 0;
}

void TestChannelRegistry::theBudgetIsExact()
{
    QFETCH(qint64, less);
    QFETCH(int, messages);
    ChannelRegistry registry({}, keeping(100, 60s),
                             HistoryLedger::kChannelCost + 2 * costOf(10) - less);
    publish(registry, "a", "0123456789");
    publish(registry, "a", "0123456789");
    QCOMPARE(kept(registry, "a").size(), messages);
    QCOMPARE(registry.channelCount(), messages > 0 ? std::size_t{1} : std::size_t{0});
}

// Random messages to a few channels, against a list of all that is kept.
void TestChannelRegistry::keepsWhatAnObviousBudgetWould()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    QRandomGenerator random(seed);
    constexpr int kPerChannel = 6;
    constexpr qint64 kBudget = 12'000;
    ChannelRegistry registry({}, keeping(kPerChannel, 1s), kBudget);
    std::vector<std::pair<QByteArray, QByteArray>> oracle; // channel and payload, oldest first
    std::map<QByteArray, TimePoint> times;                 // by payload
    TimePoint now = kStart;
    const auto dropFirst = [&](const auto &condition) {
        const auto found = std::find_if(oracle.begin(), oracle.end(), condition);
        oracle.erase(found);
    };
    const auto bytes = [&] {
        qint64 sum = 0;
        std::map<QByteArray, int> channels;
        for (const auto &[name, payload] : oracle) {
            sum += costOf(payload.size());
            ++channels[name];
        }
        return sum + static_cast<qint64>(channels.size()) * HistoryLedger::kChannelCost;
    };
    for (int i = 0; i < 2000; ++i) {
        now += std::chrono::milliseconds(random.bounded(60));
        const QByteArray name(1, static_cast<char>('a' + random.bounded(10)));
        const QByteArray payload =
            QByteArray::number(i).rightJustified(random.bounded(4, 1200), '.');
        publish(registry, name, payload, now);
        (void)registry.expireHistory(now, kAll);

        oracle.emplace_back(name, payload);
        times[payload] = now;
        const auto isOfChannel = [&](const auto &entry) { return entry.first == name; };
        if (std::count_if(oracle.begin(), oracle.end(), isOfChannel) > kPerChannel) {
            dropFirst(isOfChannel);
        }
        // Publishing expires the channel's own, then comes the budget, then the clock.
        std::erase_if(oracle, [&](const auto &entry) {
            return entry.first == name && times[entry.second] + 1s <= now;
        });
        while (bytes() > kBudget) {
            oracle.erase(oracle.begin());
        }
        std::erase_if(oracle, [&](const auto &entry) { return times[entry.second] + 1s <= now; });

        QVERIFY2(registry.historyBytes() == bytes(),
                 qPrintable(QStringLiteral("seed %1, message %2").arg(seed).arg(i)));
        for (char letter = 'a'; letter < 'a' + 10; ++letter) {
            QByteArrayList expected;
            for (const auto &[channel, kept] : oracle) {
                if (channel.front() == letter) {
                    expected.append(kept);
                }
            }
            QCOMPARE(kept(registry, QByteArray(1, letter), now), expected);
        }
    }
}

void TestChannelRegistry::manyNamesLeaveNothingBehind_data()
{
    QTest::addColumn<bool>("arePublishedTo");
    QTest::addColumn<std::size_t>("atOnce");
    QTest::newRow("joined and left") << false << std::size_t{1000};
    QTest::newRow("many at once") << false << std::size_t{kManyNames / 10};
    QTest::newRow("published to, and expired") << true << std::size_t{1000};
}

// Anybody can make up names: what each has cost is given back, the tables' own memory included.
void TestChannelRegistry::manyNamesLeaveNothingBehind()
{
    QFETCH(bool, arePublishedTo);
    QFETCH(std::size_t, atOnce);
    constexpr qint64 kBudget = 8 << 20;
    const std::size_t before = allocatedBytes();
    {
        ChannelRegistry registry({}, keeping(10, 60s), kBudget);
        std::vector<ChannelHandle> present(atOnce);
        Recorder recorder;
        for (int i = 0; i < kManyNames; ++i) {
            ChannelHandle channel = registry.acquire(named("room/" + QByteArray::number(i)));
            if (arePublishedTo) {
                (void)registry.publish(*channel, messageOf("hello"));
            } else {
                (void)channel->join(recorder, 1, everything(), {});
                channel->leave(recorder, 0);
            }
            present[static_cast<std::size_t>(i) % present.size()] = std::move(channel);
        }
        QVERIFY(registry.historyBytes() <= kBudget);
        const qint64 keptChannels = kBudget / (HistoryLedger::kChannelCost + costOf(5));
        QVERIFY(registry.channelCount() <= present.size() + static_cast<std::size_t>(keptChannels));
        QVERIFY(registry.channelCount() >= present.size());
        present.clear();
        present.shrink_to_fit();
        (void)registry.expireHistory(kStart + 60s, kAll);
        QCOMPARE(registry.channelCount(), std::size_t{0});
        QCOMPARE(registry.historyBytes(), 0);
        QVERIFY(allocatedBytes() < before + (512 << 10));
    }
    QVERIFY(allocatedBytes() < before + (128 << 10));
}

// history.total_size is a promise about memory: what is counted for a channel and its messages is
// not much less than what they really take.
void TestChannelRegistry::countsWhatHistoriesReallyTake()
{
    if (allocatedBytes() == 0) {
        QSKIP("this allocator does not say what it has given out");
    }
    for (const int perChannel : {1, 20}) {
        ChannelRegistry registry({}, keeping(100, 60s), kNoLimit);
        const std::size_t before = allocatedBytes();
        for (int i = 0; i < 20'000 / perChannel; ++i) {
            const ChannelHandle channel = registry.acquire(named(QByteArray::number(i)));
            for (int message = 0; message < perChannel; ++message) {
                (void)registry.publish(*channel, messageOf("hello, everybody"));
            }
        }
        const auto taken = static_cast<double>(allocatedBytes() - before);
        const auto counted = static_cast<double>(registry.historyBytes());
        qInfo("%d a channel: %.0f bytes taken, %.0f counted", perChannel, taken, counted);
        QVERIFY(taken < counted * 1.1);
        QVERIFY(taken > counted * 0.4);
    }
}

// Few names, many threads that make, join, publish to and leave their channels, while the clock
// expires and the budget drops: no channel ends under somebody's feet, everyone who is there gets
// every message of its channel's one stream, and nothing is left in the end.
void TestChannelRegistry::namesThatComeAndGoOnManyThreads()
{
    constexpr int kThreads = 4;
    constexpr int kRounds = 1500;
    ChannelRegistry registry({}, keeping(3, 5ms), 6 * HistoryLedger::kChannelCost);
    std::atomic<int> milliseconds{0};
    std::atomic<int> running{kThreads};
    const auto now = [&] { return kStart + std::chrono::milliseconds(milliseconds.load()); };
    std::latch everyone(kThreads + 1);
    std::array<QByteArray, kThreads> flaws;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            QRandomGenerator random(static_cast<quint32>(thread + 1));
            everyone.arrive_and_wait();
            for (int i = 0; i < kRounds && flaws[thread].isEmpty(); ++i) {
                const ChannelName name = named(QByteArray::number(random.bounded(5)));
                flaws[thread] = random.bounded(2) == 0 ? visit(registry, name, now())
                                                       : publishAndGo(registry, name, now());
            }
            --running;
        });
    }
    everyone.arrive_and_wait();
    while (running > 0) {
        ++milliseconds;
        (void)registry.expireHistory(now(), 2);
        std::this_thread::yield();
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    for (const QByteArray &flaw : flaws) {
        QCOMPARE(flaw, QByteArray());
    }
    QVERIFY(registry.historyBytes() <= 6 * HistoryLedger::kChannelCost);
    (void)registry.expireHistory(now() + 5ms, kAll);
    QCOMPARE(registry.channelCount(), std::size_t{0});
    QCOMPARE(registry.historyBytes(), 0);
}

RELAY_TEST(TestChannelRegistry)
#include "tst_channel_registry.moc"
