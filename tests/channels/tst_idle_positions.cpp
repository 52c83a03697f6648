#include "channels/channel_registry.h"

#include "fixtures.h"
#include "support/test_main.h"

#include <QRandomGenerator>
#include <QSet>
#include <QTest>

#include <array>
#include <latch>
#include <map>
#include <set>
#include <thread>

using namespace std::chrono_literals;
using relay::ChannelHandle;
using relay::ChannelRegistry;
using relay::Epoch;
using relay::IdleLimits;
using relay::Position;
using relay::Replay;
using relay::Resumed;
using relay::TimePoint;
using relay::test::allocatedBytes;
using relay::test::everything;
using relay::test::keeping;
using relay::test::kNoLimit;
using relay::test::kStart;
using relay::test::messageOf;
using relay::test::named;
using relay::test::patternOf;
using relay::test::payloadsOf;
using relay::test::since;

namespace {

constexpr int kEveryChannel = 1 << 30;

/// Keeps no messages: a channel vanishes when its publisher lets go of it.
struct IdleRelay
{
    explicit IdleRelay(const IdleLimits &limits = {}, int messages = 0)
        : channels({}, keeping(messages, 60s), kNoLimit, limits)
    {}

    struct Sent
    {
        Position position;
        quint64 sequence;
    };
    Sent publish(const QByteArray &name, const QByteArray &payload = "x")
    {
        const ChannelHandle channel = channels.acquire(named(name));
        const auto message = messageOf(payload);
        const Position position = channels.publish(*channel, message).position;
        return {position, message->sequence};
    }
    Position positionOf(const QByteArray &name)
    {
        return channels.acquire(named(name))->state().position;
    }
    Replay resume(const QByteArray &name, const Position &position)
    {
        return channels.acquire(named(name))->read(everything(), since(position)).replay;
    }
    Resumed resumePattern(const QByteArray &match, quint64 sequence)
    {
        const Position position{channels.patterns().epoch(), sequence};
        return channels.read(patternOf(match), everything(), since(position)).replay.resumed;
    }

    ChannelRegistry channels;
};

} // namespace

/// What is left of a channel that vanished, so that nobody is told of a gap who missed nothing.
class TestIdlePositions : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aChannelWithoutMessagesKeepsItsEpoch();
    void epochsAreOfOneProcess();
    void aChannelThatComesBackGoesOn();
    void aPositionIsKeptForItsAge();
    void beforeTheFirstTickNothingAges();
    void theOldestOfTooManyGoesFirst();
    void aForgottenNameBeginsAnotherEpoch();
    void whatIsForgottenIsAGapOnlyForWhoMissedIt();
    void aPatternMissesNothingOfAChannelThatItSaw();
    void manyNamesCostWhatIsSaid();
    void noPositionIsGivenTwice();
};

// A page that is opened on a new channel and reloaded has missed nothing: the epoch is the same, though
// the channel was gone in between and nothing was kept of it.
void TestIdlePositions::aChannelWithoutMessagesKeepsItsEpoch()
{
    IdleRelay relay;
    const Position first = relay.positionOf("a");
    QCOMPARE(first.offset, 0U);
    QVERIFY(first.epoch != Epoch());
    QCOMPARE(relay.channels.channelCount(), std::size_t{0});
    QCOMPARE(relay.channels.idlePositions(), 0);
    QCOMPARE(relay.positionOf("a"), first);
    QCOMPARE(relay.resume("a", first).resumed, Resumed::Exactly);
    QVERIFY(relay.positionOf("b").epoch != first.epoch);
    QVERIFY(relay.positionOf("/").epoch != first.epoch);
    // What it has seen, which is nothing, is where its stream begins.
    const Position sent = relay.publish("a").position;
    QCOMPARE(sent, (Position{first.epoch, 1}));
    QCOMPARE(relay.resume("a", first).resumed, Resumed::WithGap); // nothing is kept here
}

// After a restart a listener may have missed something: no epoch is the same.
void TestIdlePositions::epochsAreOfOneProcess()
{
    IdleRelay before;
    IdleRelay after;
    const Position position = before.positionOf("a");
    QVERIFY(after.positionOf("a").epoch != position.epoch);
    QCOMPARE(after.resume("a", position).resumed, Resumed::Unknown);
}

// A channel that had messages goes on where it was: its stream does not begin again only because
// nobody was there for a while.
void TestIdlePositions::aChannelThatComesBackGoesOn()
{
    IdleRelay relay({}, 10);
    const Position first = relay.publish("a", "1").position;
    const Position second = relay.publish("a", "2").position;
    (void)relay.channels.expire(kStart + 60s, kEveryChannel);
    QCOMPARE(relay.channels.channelCount(), std::size_t{0});
    QCOMPARE(relay.channels.idlePositions(), 1);
    QVERIFY(!relay.channels.find(named("a")));

    QCOMPARE(relay.positionOf("a"), second);
    QCOMPARE(relay.channels.idlePositions(), 1);
    QCOMPARE(relay.resume("a", second).resumed, Resumed::Exactly);
    QCOMPARE(relay.resume("a", first).resumed, Resumed::WithGap);
    QCOMPARE(relay.resume("a", {first.epoch, 3}).resumed, Resumed::Unknown);
    const ChannelHandle channel = relay.channels.acquire(named("a"));
    QCOMPARE(relay.channels.idlePositions(), 0);
    QCOMPARE(relay.publish("a", "3").position, (Position{first.epoch, 3}));
    QCOMPARE(payloadsOf(relay.resume("a", second).messages), QByteArrayList{"3"});
    QCOMPARE(relay.resume("a", first).resumed, Resumed::WithGap);
}

// history.position_age, by the clock that is told: not before, and then.
void TestIdlePositions::aPositionIsKeptForItsAge()
{
    IdleRelay relay({.positions = 100, .age = 24h});
    (void)relay.channels.expire(kStart, kEveryChannel);
    const Position early = relay.publish("early").position;
    (void)relay.channels.expire(kStart + 1h, kEveryChannel);
    const Position late = relay.publish("late").position;
    QVERIFY(!relay.channels.expire(kStart + 24h - 1ns, kEveryChannel));
    QCOMPARE(relay.channels.idlePositions(), 2);
    QVERIFY(!relay.channels.expire(kStart + 24h, kEveryChannel));
    QCOMPARE(relay.channels.idlePositions(), 1);
    QCOMPARE(relay.resume("early", early).resumed, Resumed::Unknown);
    // To be used makes it young again.
    QCOMPARE(relay.resume("late", late).resumed, Resumed::Exactly);
    QVERIFY(!relay.channels.expire(kStart + 25h, kEveryChannel));
    QCOMPARE(relay.channels.idlePositions(), 1);
    QVERIFY(!relay.channels.expire(kStart + 48h, kEveryChannel));
    QCOMPARE(relay.channels.idlePositions(), 0);
    QCOMPARE(relay.channels.droppedPositions(), 0U); // that counts what the limit costs

    // A burst is worked off a little at a time.
    for (int i = 0; i < 10; ++i) {
        (void)relay.publish(QByteArray::number(i));
    }
    QVERIFY(relay.channels.expire(kStart + 72h, 4));
    QCOMPARE(relay.channels.idlePositions(), 6);
}

// A relay that has just started has not been told the time yet.
void TestIdlePositions::beforeTheFirstTickNothingAges()
{
    IdleRelay relay({.positions = 100, .age = 24h});
    (void)relay.publish("a");
    (void)relay.channels.expire(kStart, kEveryChannel);
    (void)relay.channels.expire(kStart + 24h - 1ns, kEveryChannel);
    QCOMPARE(relay.channels.idlePositions(), 1);
    (void)relay.channels.expire(kStart + 24h, kEveryChannel);
    QCOMPARE(relay.channels.idlePositions(), 0);
}

// history.positions: at the limit all are there; one more drops the one that has been idle for
// longest, and is counted.
void TestIdlePositions::theOldestOfTooManyGoesFirst()
{
    IdleRelay relay({.positions = 3});
    const Position a = relay.publish("a").position;
    const Position b = relay.publish("b").position;
    (void)relay.publish("c");
    QCOMPARE(relay.channels.idlePositions(), 3);
    QCOMPARE(relay.channels.droppedPositions(), 0U);
    QCOMPARE(relay.resume("a", a).resumed, Resumed::Exactly); // which makes b the oldest
    (void)relay.publish("d");
    QCOMPARE(relay.channels.idlePositions(), 3);
    QCOMPARE(relay.channels.droppedPositions(), 1U);
    QCOMPARE(relay.resume("a", a).resumed, Resumed::Exactly);
    QCOMPARE(relay.resume("b", b).resumed, Resumed::Unknown);

    IdleRelay forgetful({.positions = 0});
    const Position gone = forgetful.publish("a").position;
    QCOMPARE(forgetful.channels.idlePositions(), 0);
    QCOMPARE(forgetful.channels.droppedPositions(), 1U);
    QCOMPARE(forgetful.resume("a", gone).resumed, Resumed::Unknown);
}

// Offsets begin again at 1, so the epoch must be one that the name never had: or a listener would be
// given what follows another message.
void TestIdlePositions::aForgottenNameBeginsAnotherEpoch()
{
    IdleRelay relay({.positions = 0});
    QSet<quint64> epochs;
    const Position others = relay.positionOf("b");
    for (int i = 0; i < 100; ++i) {
        const Position fresh = relay.positionOf("a");
        QCOMPARE(relay.positionOf("a"), fresh);
        const Position sent = relay.publish("a").position;
        QCOMPARE(sent, (Position{fresh.epoch, 1}));
        epochs.insert(static_cast<quint64>(sent.epoch));
    }
    QCOMPARE(epochs.size(), 100);
    QCOMPARE(relay.channels.droppedPositions(), 100U);
    // Another name has its own, unless it shares the counter: one of 16,384 does.
    if (relay.positionOf("b") != others) {
        IdleRelay again({.positions = 0});
        const Position before = again.positionOf("c");
        (void)again.publish("a");
        QCOMPARE(again.positionOf("c"), before);
    }
}

// A channel that is forgotten might have matched the pattern: a listener from before its last message
// is told of a gap, one from after it is not.
void TestIdlePositions::whatIsForgottenIsAGapOnlyForWhoMissedIt()
{
    IdleRelay relay({.positions = 1});
    const quint64 before = relay.publish("a").sequence;
    const quint64 last = relay.publish("a").sequence;
    QCOMPARE(relay.resumePattern("b/*", before), Resumed::Exactly); // it is known not to match
    (void)relay.publish("c");
    QCOMPARE(relay.channels.droppedPositions(), 1U);
    QCOMPARE(relay.resumePattern("b/*", before), Resumed::WithGap);
    QCOMPARE(relay.resumePattern("b/*", last), Resumed::Exactly);
}

// The position of a channel that vanished says what of it a pattern's listener has missed.
void TestIdlePositions::aPatternMissesNothingOfAChannelThatItSaw()
{
    IdleRelay relay;
    const quint64 first = relay.publish("a/1").sequence;
    const quint64 second = relay.publish("a/2").sequence;
    QCOMPARE(relay.resumePattern("a/*", second), Resumed::Exactly);
    QCOMPARE(relay.resumePattern("a/*", first), Resumed::WithGap);
    QCOMPARE(relay.resumePattern("*/1", first), Resumed::Exactly);
    QCOMPARE(relay.resumePattern("b/*", 0), Resumed::Exactly);
    QCOMPARE(relay.resumePattern("**", 0), Resumed::WithGap);
}

// The configuration says what a position costs; and all of it is given back.
void TestIdlePositions::manyNamesCostWhatIsSaid()
{
    constexpr int kNames = 20'000;
    constexpr int kNameBytes = 20;
    IdleRelay relay({.positions = kNames, .age = 1h});
    (void)relay.channels.expire(kStart, kEveryChannel);
    const std::size_t before = allocatedBytes();
    const auto publishAll = [&](char prefix) {
        for (int i = 0; i < kNames; ++i) {
            (void)relay.publish(prefix + QByteArray::number(i).rightJustified(kNameBytes - 1, '.'));
        }
    };
    publishAll('a');
    if (allocatedBytes() > 0) {
        const std::size_t each = (allocatedBytes() - before) / kNames;
        qInfo("%zu bytes for each position with a name of %d", each, kNameBytes);
        QVERIFY(each < 260);
    }
    publishAll('b');
    QCOMPARE(relay.channels.idlePositions(), kNames);
    QCOMPARE(relay.channels.droppedPositions(), quint64{kNames});
    (void)relay.channels.expire(kStart + 1h, kEveryChannel);
    QCOMPARE(relay.channels.idlePositions(), 0);
    QVERIFY(allocatedBytes() < before + (256 << 10));
}

// Many threads publish to few names, of which fewer are remembered: no two messages of a name ever get
// the same position, whatever was forgotten in between.
void TestIdlePositions::noPositionIsGivenTwice()
{
    constexpr int kThreads = 4;
    constexpr int kRounds = 3000;
    using Given = std::pair<int, QByteArray>; // the name's number, and the position
    IdleRelay relay({.positions = 2});
    std::array<std::vector<Given>, kThreads> given;
    std::latch everyone(kThreads);
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (std::vector<Given> &mine : given) {
        threads.emplace_back([&] {
            QRandomGenerator random(QRandomGenerator::global()->generate());
            everyone.arrive_and_wait();
            for (int i = 0; i < kRounds; ++i) {
                const int name = random.bounded(6);
                mine.emplace_back(name, relay.publish(QByteArray::number(name)).position.toText());
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    std::set<Given> all;
    for (const std::vector<Given> &mine : given) {
        all.insert(mine.begin(), mine.end());
    }
    QCOMPARE(all.size(), std::size_t{kThreads * kRounds});
    QVERIFY(relay.channels.droppedPositions() > 0);
    QVERIFY(relay.channels.idlePositions() <= 2);
}

RELAY_TEST(TestIdlePositions)
#include "tst_idle_positions.moc"
