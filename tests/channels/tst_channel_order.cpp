#include "channels/channel_order.h"

#include "fixtures.h"
#include "support/test_main.h"

#include <QTest>

#include <array>
#include <atomic>
#include <limits>
#include <set>
#include <thread>

using relay::ChannelName;
using relay::ChannelOrder;
using relay::test::named;
using relay::test::patternOf;

namespace {

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max() / 2;

/// So many channels "0", "1", …, none of which has had a message.
struct Channels
{
    explicit Channels(int count)
        : places(static_cast<std::size_t>(count))
    {
        for (int i = 0; i < count; ++i) {
            names.push_back(named(QByteArray::number(i)));
        }
        for (std::size_t i = 0; i < places.size(); ++i) {
            places[i].nameIt(names[i]);
        }
    }
    quint64 say(int channel) { return order.number(places[static_cast<std::size_t>(channel)]); }
    void sayInEach()
    {
        for (ChannelOrder::Place &place : places) {
            (void)order.number(place);
        }
    }

    std::vector<ChannelName> names;
    std::vector<ChannelOrder::Place> places;
    ChannelOrder order;
};

QByteArrayList texts(const std::vector<ChannelName> &names)
{
    QByteArrayList list;
    for (const ChannelName &name : names) {
        list.append(name.bytes());
    }
    return list;
}

QByteArrayList walked(ChannelOrder &order, quint64 downTo, const QByteArray &match = "**")
{
    ChannelOrder::Walk walk(order, downTo);
    std::vector<ChannelName> names;
    while (!walk.next(patternOf(match), kAnyNumber, names).isDone) {
    }
    return texts(names);
}

} // namespace

class TestChannelOrder : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void numbersGrowByOne();
    void numbersOnlyForTheListenersThatAreKnown();
    void theNewestComesFirst();
    void goesASliceAtATime();
    void stopsWhereItIsTold();
    void whoMovesIsNotMissed();
    void twoWalksDoNotMeetEachOther();
    void nobodyIsMissedWhileOthersMove();
};

// One order for all, also for messages that nobody may hear.
void TestChannelOrder::numbersGrowByOne()
{
    Channels channels(2);
    QCOMPARE(channels.order.lastSequence(), 0U);
    QCOMPARE(channels.say(0), 1U);
    QCOMPARE(channels.say(1), 2U);
    QCOMPARE(channels.order.numberUnheard(), 3U);
    QCOMPARE(channels.say(0), 4U);
    QCOMPARE(channels.order.lastSequence(), 4U);
    QCOMPARE(channels.order.sequenceOf(channels.places[0]), 4U);
    QCOMPARE(channels.order.sequenceOf(channels.places[1]), 2U);
}

// A listener is told the last number; who numbers by what was known before is refused, and the channel
// stays where it was.
void TestChannelOrder::numbersOnlyForTheListenersThatAreKnown()
{
    Channels channels(2);
    QCOMPARE(channels.order.number(channels.places[0], 1), 1U);
    QCOMPARE(channels.order.number(channels.places[1], 1), 2U);
    QCOMPARE(channels.order.listenersChanged(2), 2U);
    QVERIFY(!channels.order.number(channels.places[0], 1));
    QCOMPARE(channels.order.lastSequence(), 2U);
    QCOMPARE(walked(channels.order, 0), (QByteArrayList{"1", "0"}));
    QCOMPARE(channels.order.number(channels.places[0], 2), 3U);
    QCOMPARE(walked(channels.order, 0), (QByteArrayList{"0", "1"}));
}

// By the newest message; who had none, who is gone, who does not match, and who has nothing new is not
// there.
void TestChannelOrder::theNewestComesFirst()
{
    Channels channels(5);
    QCOMPARE(walked(channels.order, 0), QByteArrayList());
    for (const int channel : {0, 1, 2, 0, 3, 3}) {
        (void)channels.say(channel);
    }
    QCOMPARE(walked(channels.order, 0), (QByteArrayList{"3", "0", "2", "1"}));
    QCOMPARE(walked(channels.order, 3), (QByteArrayList{"3", "0"}));
    QCOMPARE(walked(channels.order, 4), QByteArrayList{"3"});
    QCOMPARE(walked(channels.order, 6), QByteArrayList());
    QCOMPARE(walked(channels.order, 0, "2"), QByteArrayList{"2"});
    channels.order.remove(channels.places[0]);
    channels.order.remove(channels.places[4]); // which was never there
    QCOMPARE(walked(channels.order, 0), (QByteArrayList{"3", "2", "1"}));
}

// However many there are, the lock is held for a bounded number.
void TestChannelOrder::goesASliceAtATime()
{
    constexpr int kSlice = ChannelOrder::Walk::kSlice;
    Channels channels(3 * kSlice);
    channels.sayInEach();
    ChannelOrder::Walk walk(channels.order, 0);
    std::vector<ChannelName> names;
    int slices = 0;
    for (bool isDone = false; !isDone; ++slices) {
        const auto slice = walk.next(patternOf("nobody"), kAnyNumber, names);
        QVERIFY(slice.looked <= kSlice);
        isDone = slice.isDone;
    }
    QVERIFY(names.empty());
    QCOMPARE(slices, 4);

    ChannelOrder::Walk one(channels.order, 0);
    QCOMPARE(one.next(patternOf("**"), 1, names).looked, 1);
    QCOMPARE(texts(names), QByteArrayList{QByteArray::number(3 * kSlice - 1)});
    QCOMPARE(one.unseenUpTo(), quint64{3 * kSlice - 1});
}

// Who has found enough says so, and is done.
void TestChannelOrder::stopsWhereItIsTold()
{
    Channels channels(100);
    channels.sayInEach();
    ChannelOrder::Walk walk(channels.order, 0);
    std::vector<ChannelName> names;
    QVERIFY(!walk.next(patternOf("**"), 1, names).isDone);
    walk.stopAt(98);
    const auto rest = walk.next(patternOf("**"), kAnyNumber, names);
    QVERIFY(rest.isDone);
    QCOMPARE(rest.looked, 1);
    QCOMPARE(texts(names), (QByteArrayList{"99", "98"}));
}

// A channel that gets a message while the walk is under way moves past it; it is looked at in the end.
void TestChannelOrder::whoMovesIsNotMissed()
{
    Channels channels(10);
    channels.sayInEach();
    ChannelOrder::Walk walk(channels.order, 0);
    std::vector<ChannelName> names;
    QVERIFY(!walk.next(patternOf("**"), 5, names).isDone);
    QCOMPARE(texts(names), (QByteArrayList{"9", "8", "7", "6", "5"}));
    QVERIFY(!walk.isLookingAgain());
    (void)channels.say(2);
    channels.order.remove(channels.places[4]); // as a position that is forgotten
    names.clear();
    while (!walk.next(patternOf("**"), kAnyNumber, names).isDone) {
    }
    QCOMPARE(texts(names), (QByteArrayList{"3", "1", "0", "2"}));
    QVERIFY(walk.isLookingAgain());
}

// Each has a bookmark in the same list, which is no channel to the other.
void TestChannelOrder::twoWalksDoNotMeetEachOther()
{
    Channels channels(6);
    channels.sayInEach();
    ChannelOrder::Walk first(channels.order, 0);
    ChannelOrder::Walk second(channels.order, 0);
    std::vector<ChannelName> names;
    std::vector<ChannelName> others;
    for (std::size_t most : {2, 3}) {
        (void)first.next(patternOf("**"), most, names);
        QCOMPARE(first.unseenUpTo(), 6 - names.size());
        (void)second.next(patternOf("**"), 2, others);
        QCOMPARE(second.unseenUpTo(), 6 - others.size());
    }
    QCOMPARE(texts(names), (QByteArrayList{"5", "4", "3", "2", "1"}));
    QCOMPARE(texts(others), (QByteArrayList{"5", "4", "3", "2"}));
    while (!first.next(patternOf("**"), kAnyNumber, names).isDone) {
    }
    QCOMPARE(texts(names), (QByteArrayList{"5", "4", "3", "2", "1", "0"}));
    (void)channels.say(0);
    QCOMPARE(walked(channels.order, 0).size(), 6);
}

// A replay rests on it: whoever was there when the walk began is seen, though others of them move all
// the time.
void TestChannelOrder::nobodyIsMissedWhileOthersMove()
{
    constexpr int kChannels = 500;
    constexpr int kWalks = 200;
    constexpr int kMovers = 2;
    Channels channels(kChannels);
    channels.sayInEach();
    std::atomic<bool> isDone{false};
    std::vector<std::thread> movers;
    movers.reserve(kMovers);
    for (int mover = 0; mover < kMovers; ++mover) {
        movers.emplace_back([&, mover] {
            for (int i = 0; !isDone; ++i) {
                (void)channels.say((i * 7 + mover * kChannels / 2) % kChannels);
                std::this_thread::yield();
            }
        });
    }
    std::array<std::size_t, kWalks> seen{};
    for (std::size_t &count : seen) {
        ChannelOrder::Walk walk(channels.order, 0);
        std::vector<ChannelName> names;
        while (!walk.next(patternOf("**"), kAnyNumber, names).isDone) {
        }
        const QByteArrayList all = texts(names);
        count = std::set<QByteArray>(all.begin(), all.end()).size();
    }
    isDone = true;
    for (std::thread &mover : movers) {
        mover.join();
    }
    for (const std::size_t count : seen) {
        QCOMPARE(count, std::size_t{kChannels});
    }
}

RELAY_TEST(TestChannelOrder)
#include "tst_channel_order.moc"
