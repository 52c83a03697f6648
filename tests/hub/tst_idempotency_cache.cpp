#include "hub/idempotency_cache.h"

#include "support/test_main.h"

#include <QTest>

#include <array>
#include <atomic>
#include <latch>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using relay::ChannelName;
using relay::Epoch;
using relay::IdempotencyCache;
using relay::TimePoint;
using Begun = IdempotencyCache::Begun;
using State = IdempotencyCache::State;

Q_DECLARE_METATYPE(relay::IdempotencyCache::State)

namespace {

constexpr TimePoint kCacheStart = TimePoint() + 1h;
const ChannelName kChannel = ChannelName::fromText("chat").value();

QByteArray keyOf(int number)
{
    return "key-" + QByteArray::number(number);
}

/// Begins, and answers if it is the first; returns how it was taken.
State ask(IdempotencyCache &cache, const QByteArray &key, TimePoint now = kCacheStart)
{
    const Begun begun = cache.begin(kChannel, key, "payload", now);
    if (begun.state == State::First) {
        cache.complete(begun.token, {{Epoch{7}, 42}, 3});
    }
    return begun.state;
}

} // namespace

class TestIdempotencyCache : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void answersTheSameAgain();
    void tellsRequestsApart_data();
    void tellsRequestsApart();
    void oneIsPublishedAtATime();
    void whatWasNotPublishedMayBeTriedAgain();
    void forgetsByAge_data();
    void forgetsByAge();
    void forgetsTheOldestPastTheLimit();
    void anAbandonedKeyThatBeganAgainIsKept();
    void isBoundedWhateverIsAbandoned();
    void remembersNothingWithoutRoom();
    void onlyOneThreadIsFirst();
};

// A client that did not get its answer sends the request again, and gets the one that it missed.
void TestIdempotencyCache::answersTheSameAgain()
{
    IdempotencyCache cache(5min, 10);
    const Begun first = cache.begin(kChannel, "k", "payload", kCacheStart);
    QCOMPARE(first.state, State::First);
    cache.complete(first.token, {{Epoch{7}, 42}, 3});
    for (int i = 0; i < 2; ++i) {
        const Begun again = cache.begin(kChannel, "k", "payload", kCacheStart + 1s);
        QCOMPARE(again.state, State::Answered);
        QCOMPARE(again.answer.position, (relay::Position{Epoch{7}, 42}));
        QCOMPARE(again.answer.clients, 3);
    }
    QCOMPARE(cache.size(), std::size_t{1});
}

void TestIdempotencyCache::tellsRequestsApart_data()
{
    QTest::addColumn<QByteArray>("channel");
    QTest::addColumn<QByteArray>("key");
    QTest::addColumn<QByteArray>("payload");
    QTest::addColumn<State>("state");
    const auto row = [](const char *name, const char *channel, const QByteArray &key,
                        const QByteArray &payload, State state) {
        QTest::newRow(name) << QByteArray(channel) << key << payload << state;
    };
    row("the same", "ab", "cd", "payload", State::Answered);
    row("another key", "ab", "ce", "payload", State::First);
    row("a key in another case", "ab", "CD", "payload", State::First);
    row("another channel", "ac", "cd", "payload", State::First);
    row("the same bytes, parted elsewhere", "a", "bcd", "payload", State::First);
    row("the other way round", "abc", "d", "payload", State::First);
    row("another payload", "ab", "cd", "payloae", State::Different);
    row("an empty payload", "ab", "cd", "", State::Different);
    row("a longer key", "ab", QByteArray(10'000, 'k'), "payload", State::First);
}

// A key stands for one message to one channel. Whoever uses it for another is told, and what is no
// repetition is never taken for one: that message would be lost.
void TestIdempotencyCache::tellsRequestsApart()
{
    QFETCH(QByteArray, channel);
    QFETCH(QByteArray, key);
    QFETCH(QByteArray, payload);
    QFETCH(State, state);
    IdempotencyCache cache(5min, 10);
    const ChannelName first = ChannelName::fromText("ab").value();
    cache.complete(cache.begin(first, "cd", "payload", kCacheStart).token, {});
    const ChannelName name = ChannelName::fromText(channel).value();
    QCOMPARE(cache.begin(name, key, payload, kCacheStart).state, state);
}

// Two connections with the same request at the same time: one publishes, the other waits.
void TestIdempotencyCache::oneIsPublishedAtATime()
{
    IdempotencyCache cache(5min, 10);
    const Begun first = cache.begin(kChannel, "k", "payload", kCacheStart);
    QCOMPARE(cache.begin(kChannel, "k", "payload", kCacheStart).state, State::InProgress);
    QCOMPARE(cache.begin(kChannel, "k", "another", kCacheStart).state, State::Different);
    cache.complete(first.token, {});
    QCOMPARE(cache.begin(kChannel, "k", "payload", kCacheStart).state, State::Answered);
}

// A request that was refused (the relay was full) may succeed the next time.
void TestIdempotencyCache::whatWasNotPublishedMayBeTriedAgain()
{
    IdempotencyCache cache(5min, 10);
    const Begun first = cache.begin(kChannel, "k", "payload", kCacheStart);
    cache.abandon(first.token);
    QCOMPARE(cache.size(), std::size_t{0});
    QCOMPARE(cache.begin(kChannel, "k", "another", kCacheStart).state, State::First);
    QCOMPARE(cache.begin(kChannel, "k", "another", kCacheStart).state, State::InProgress);
}

void TestIdempotencyCache::forgetsByAge_data()
{
    QTest::addColumn<std::chrono::nanoseconds>("elapsed");
    QTest::addColumn<State>("state");
    QTest::newRow("at once") << std::chrono::nanoseconds(0) << State::Answered;
    QTest::newRow("just before the limit")
        << std::chrono::nanoseconds(5min - 1ns) << State::Answered;
    QTest::newRow("at the limit") << std::chrono::nanoseconds(5min) << State::First;
    QTest::newRow("long after") << std::chrono::nanoseconds(24h) << State::First;
}

// http.idempotency_age counts from the first time, however often the request is repeated.
void TestIdempotencyCache::forgetsByAge()
{
    QFETCH(std::chrono::nanoseconds, elapsed);
    QFETCH(State, state);
    IdempotencyCache cache(5min, 10);
    QCOMPARE(ask(cache, "k"), State::First);
    QCOMPARE(ask(cache, "k", kCacheStart + elapsed / 2),
             elapsed / 2 < 5min ? State::Answered : State::First);
    IdempotencyCache unasked(5min, 10);
    QCOMPARE(ask(unasked, "k"), State::First);
    QCOMPARE(ask(unasked, "k", kCacheStart + elapsed), state);
    if (elapsed / 2 < 5min) {
        QCOMPARE(ask(cache, "k", kCacheStart + elapsed), state);
    }
}

// http.idempotency_keys: at the limit all are known, however often they are asked for; one more
// costs the oldest its place, and no other.
void TestIdempotencyCache::forgetsTheOldestPastTheLimit()
{
    constexpr int kKeys = 5;
    IdempotencyCache cache(5min, kKeys);
    for (int i = 0; i < kKeys; ++i) {
        QCOMPARE(ask(cache, keyOf(i)), State::First);
    }
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < kKeys; ++i) {
            QCOMPARE(ask(cache, keyOf(i)), State::Answered);
        }
    }
    QCOMPARE(ask(cache, keyOf(kKeys)), State::First);
    QCOMPARE(cache.size(), std::size_t{kKeys});
    for (int i = 1; i <= kKeys; ++i) {
        QCOMPARE(ask(cache, keyOf(i)), State::Answered);
    }
    QCOMPARE(ask(cache, keyOf(0)), State::First);
}

// The place in the order that an abandoned key leaves behind is not its next life's.
void TestIdempotencyCache::anAbandonedKeyThatBeganAgainIsKept()
{
    IdempotencyCache cache(5min, 10);
    cache.abandon(cache.begin(kChannel, "k", "payload", kCacheStart).token);
    QCOMPARE(ask(cache, "k", kCacheStart + 4min), State::First);
    QCOMPARE(ask(cache, "k", kCacheStart + 6min), State::Answered);
    QCOMPARE(ask(cache, "k", kCacheStart + 9min), State::First);
}

// Refusals by the thousand leave nothing behind.
void TestIdempotencyCache::isBoundedWhateverIsAbandoned()
{
    IdempotencyCache cache(5min, 10);
    for (int i = 0; i < 1000; ++i) {
        const Begun begun = cache.begin(kChannel, keyOf(i), "payload", kCacheStart);
        QCOMPARE(begun.state, State::First);
        if (i % 2 == 0) {
            cache.abandon(begun.token);
        }
        QVERIFY(cache.size() <= 10);
    }
}

// http.idempotency_keys: 0. Nothing is known, and nothing is kept.
void TestIdempotencyCache::remembersNothingWithoutRoom()
{
    IdempotencyCache cache(5min, 0);
    QCOMPARE(ask(cache, "k"), State::First);
    QCOMPARE(ask(cache, "k"), State::First);
    QCOMPARE(cache.size(), std::size_t{0});
}

// Exactly once: of many threads with the same request one publishes it.
void TestIdempotencyCache::onlyOneThreadIsFirst()
{
    constexpr int kThreads = 4;
    constexpr int kKeys = 300;
    IdempotencyCache cache(5min, 10'000);
    std::array<std::atomic<int>, kKeys> firsts{};
    std::latch everyone(kThreads);
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&] {
            everyone.arrive_and_wait();
            for (std::size_t i = 0; i < kKeys; ++i) {
                const QByteArray key = keyOf(static_cast<int>(i));
                if (ask(cache, key) == State::First) {
                    ++firsts[i];
                }
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    for (const std::atomic<int> &count : firsts) {
        QCOMPARE(count.load(), 1);
    }
}

RELAY_TEST(TestIdempotencyCache)
#include "tst_idempotency_cache.moc"
