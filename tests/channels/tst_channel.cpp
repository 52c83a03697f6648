#include "channels/channel.h"

#include "fixtures.h"
#include "support/test_main.h"

#include <QTest>

#include <chrono>
#include <latch>
#include <limits>
#include <thread>

using namespace std::chrono_literals;
using relay::Channel;
using relay::ChannelName;
using relay::ChannelOptions;
using relay::ChannelPattern;
using relay::Joined;
using relay::MessagePtr;
using relay::PatternListeners;
using relay::Position;
using relay::Publication;
using relay::Replay;
using relay::ReplayRequest;
using relay::Resumed;
using relay::test::costOf;
using relay::test::everything;
using relay::test::kStart;
using relay::test::messageOf;
using relay::test::newest;
using relay::test::payloadsOf;
using relay::test::Recorder;
using relay::test::since;

namespace {

const ChannelName kName = ChannelName::fromText("chat/42").value();

ChannelOptions optionsOf(int messages, std::chrono::milliseconds age = 0ms, int maxClients = 0)
{
    ChannelOptions options = relay::test::keeping(messages, age);
    options.maxClients = maxClients;
    return options;
}

/// A channel that nobody owns.
struct Room
{
    explicit Room(ChannelOptions given = optionsOf(5))
        : options(given)
    {}

    Publication publish(const QByteArray &payload) { return channel.publish(messageOf(payload)); }
    void publishNumbers(int first, int last)
    {
        for (int i = first; i <= last; ++i) {
            (void)publish(QByteArray::number(i));
        }
    }
    Joined join(Recorder &recorder, int clients = 1, const ReplayRequest &request = {})
    {
        return channel.join(recorder, clients, everything(), request).value();
    }

    const ChannelOptions options;
    PatternListeners patterns;
    Channel channel{kName, options, patterns};
};

/// Joins, leaves, and comes back with its last position, until it has so many messages; returns what
/// was wrong with them.
QByteArray comeAndGo(Room &room, quint64 messages)
{
    quint64 seen = 0;
    while (seen < messages) {
        Recorder recorder;
        const Joined joined = room.join(recorder, 1, since({room.channel.epoch(), seen}));
        std::this_thread::yield();
        room.channel.leave(recorder, 0);
        if (joined.replay.resumed != Resumed::Exactly) {
            return "not resumed exactly";
        }
        std::vector<MessagePtr> got = joined.replay.messages;
        got.insert(got.end(), recorder.taken.begin(), recorder.taken.end());
        for (const MessagePtr &message : got) {
            if (message->offset != ++seen) {
                return "offset " + QByteArray::number(message->offset) + " instead of "
                       + QByteArray::number(seen);
            }
        }
    }
    return {};
}

/// Looks into the channel when it is woken: a call that came with a lock held would never return.
class Sleeper final : public relay::Wakeable
{
public:
    explicit Sleeper(const Channel &channel)
        : m_channel(channel)
    {}
    void wake() const override
    {
        ++wakeUps;
        offset = m_channel.state().position.offset;
    }

    mutable int wakeUps = 0;
    mutable quint64 offset = 0;

private:
    const Channel &m_channel;
};

} // namespace

class TestChannel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void numbersItsMessages();
    void givesToThoseWhoHaveJoined();
    void countsWhoItHandsAMessageTo();
    void wakesWithNoLockHeld();
    void letsInNoMoreThanItMay();
    void tellsNothingToWhoMayNotListen();
    void replaysWhatIsAskedFor_data();
    void replaysWhatIsAskedFor();
    void replaysNoMoreBytesThanMayBe_data();
    void replaysNoMoreBytesThanMayBe();
    void replaysNothingThatIsTooOld();
    void resumesInAnEmptyHistory();
    void readsWithoutJoining();
    void collectsForPatterns();
    void everyoneHasTheSameOrder();
    void replayAndLiveMeet();
};

// Offsets are 1, 2, 3 without holes, in one epoch, whether a message is kept or not: by them a
// client sees that it has missed nothing.
void TestChannel::numbersItsMessages()
{
    Room room(optionsOf(0));
    const auto before = std::chrono::system_clock::now().time_since_epoch();
    QCOMPARE(room.channel.state().position, (Position{room.channel.epoch(), 0}));
    quint64 lastSequence = 0;
    for (quint64 i = 1; i <= 3; ++i) {
        const auto message = messageOf("x");
        const Publication published = room.channel.publish(message);
        QCOMPARE(published.position, (Position{room.channel.epoch(), i}));
        QCOMPARE(message->position(), published.position);
        QCOMPARE(message->channel, kName);
        QVERIFY(message->sequence > lastSequence);
        lastSequence = message->sequence;
        QVERIFY(std::chrono::milliseconds(message->time + 1) > before);
        QVERIFY(std::chrono::milliseconds(message->time)
                <= std::chrono::system_clock::now().time_since_epoch());
        QCOMPARE(room.channel.state().position.offset, i);
        QCOMPARE(room.channel.state().sequence, message->sequence);
    }
    QVERIFY(Room().channel.epoch() != room.channel.epoch());
}

// Who has joined gets all from then on until it leaves, and nothing else.
void TestChannel::givesToThoseWhoHaveJoined()
{
    Room room;
    Recorder a;
    Recorder b;
    (void)room.publish("before");
    QCOMPARE(room.join(a).replay.messages.size(), std::size_t{0}); // not asked for
    (void)room.publish("1");
    (void)room.join(b);
    (void)room.publish("2");
    room.channel.leave(a, 0);
    room.channel.leave(a, 0); // whoever is not there cannot leave
    (void)room.publish("3");
    QCOMPARE(payloadsOf(a.taken), (QByteArrayList{"1", "2"}));
    QCOMPARE(payloadsOf(b.taken), (QByteArrayList{"2", "3"}));
    // One that comes back is like one that comes.
    QCOMPARE(room.join(a, 1, since(a.taken.back()->position())).replay.messages.size(),
             std::size_t{1});
    (void)room.publish("4");
    QCOMPARE(payloadsOf(a.taken), (QByteArrayList{"1", "2", "4"}));
}

// A publisher is told how many clients its message was handed to: those of all members, and those
// who listen by a pattern that matches.
void TestChannel::countsWhoItHandsAMessageTo()
{
    Room room;
    Recorder a;
    Recorder b;
    Recorder matching;
    Recorder other;
    QCOMPARE(room.publish("1").clients, 0);
    QCOMPARE(room.join(a, 1).clients, 1);
    QCOMPARE(room.join(b, 1).clients, 2);
    QCOMPARE(room.join(b, 2).clients, 3);
    QCOMPARE(room.publish("2").clients, 3);
    (void)room.patterns.join(ChannelPattern::fromText("chat/*").value(), matching, 5);
    (void)room.patterns.join(ChannelPattern::fromText("news/*").value(), other, 7);
    QCOMPARE(room.publish("3").clients, 8);
    QCOMPARE(room.channel.state().clients, 3); // members only
    room.channel.leave(b, 1);
    QCOMPARE(room.publish("4").clients, 7);
    room.patterns.leave(ChannelPattern::fromText("chat/*").value(), matching);
    room.channel.leave(a, 0);
    QCOMPARE(room.publish("5").clients, 1);
    QCOMPARE(payloadsOf(matching.taken), (QByteArrayList{"3", "4"}));
    QVERIFY(other.taken.empty());
    QCOMPARE(payloadsOf(b.taken), (QByteArrayList{"2", "3", "4", "5"}));
}

// Sleepers are woken once the locks are free, after all have the message: a wake-up is a system
// call, and everyone else would wait for it.
void TestChannel::wakesWithNoLockHeld()
{
    Room room;
    const Sleeper sleeper(room.channel);
    Recorder member(&sleeper);
    Recorder listener(&sleeper);
    Recorder awake;
    (void)room.join(member);
    (void)room.join(awake);
    (void)room.patterns.join(ChannelPattern::fromText("**").value(), listener, 1);
    QCOMPARE(sleeper.wakeUps, 0);
    (void)room.publish("1");
    QCOMPARE(sleeper.wakeUps, 2);
    QCOMPARE(sleeper.offset, 1U);
    room.patterns.leave(ChannelPattern::fromText("**").value(), listener);
}

// channels[].max_clients: at the limit all are served, one more is not let in and gets nothing, and
// a place that becomes free is given again.
void TestChannel::letsInNoMoreThanItMay()
{
    Room room(optionsOf(5, 0ms, 3));
    Recorder a;
    Recorder b;
    (void)room.join(a, 1);
    (void)room.join(a, 2);
    QVERIFY(!room.channel.isFull());
    (void)room.join(b, 1);
    QVERIFY(room.channel.isFull());
    Recorder late;
    QVERIFY(!room.channel.join(late, 1, everything(), {}).has_value());
    QVERIFY(!room.channel.join(b, 2, everything(), {}).has_value()); // of a worker that has some
    QCOMPARE(room.publish("1").clients, 3);
    QVERIFY(late.taken.empty());
    room.channel.leave(a, 1);
    QVERIFY(!room.channel.isFull());
    QVERIFY(room.channel.join(late, 1, everything(), {}).has_value());
    QCOMPARE(room.publish("2").clients, 3);
    QCOMPARE(payloadsOf(late.taken), QByteArrayList{"2"});
}

// channels[].subscribe: false. Neither a member, which may only publish, nor a pattern, nor a replay
// brings out what is said there; its messages are numbered like all others.
void TestChannel::tellsNothingToWhoMayNotListen()
{
    ChannelOptions options = optionsOf(5);
    options.subscribe = false;
    Room room(options);
    const auto everywhere = ChannelPattern::fromText("**").value();
    Recorder member;
    Recorder listener;
    (void)room.join(member);
    (void)room.patterns.join(everywhere, listener, 1);
    for (quint64 i = 1; i <= 3; ++i) {
        const Publication published = room.publish("secret");
        QCOMPARE(published.position.offset, i);
        QCOMPARE(published.clients, 0);
    }
    QCOMPARE(room.patterns.lastSequence(), room.channel.state().sequence);
    Recorder late;
    const Position beginning{room.channel.epoch(), 0};
    for (const ReplayRequest &request : {newest(5), since(beginning), ReplayRequest{"x", 5}}) {
        QVERIFY(room.join(late, 1, request).replay.messages.empty());
        QVERIFY(room.channel.read(everything(), request).replay.messages.empty());
    }
    std::vector<MessagePtr> collected;
    QCOMPARE(room.channel.collect(0, room.patterns.lastSequence(), kStart, collected), 0U);
    for (const auto &heard : {member.taken, listener.taken, late.taken, collected}) {
        QVERIFY(heard.empty());
    }
    room.patterns.leave(everywhere, listener);
}

void TestChannel::replaysWhatIsAskedFor_data()
{
    // Of ten messages "1" to "10" the last five are kept.
    QTest::addColumn<QByteArray>("since"); // %: the epoch
    QTest::addColumn<int>("last");
    QTest::addColumn<int>("first"); // that is replayed; up to "10"
    QTest::addColumn<Resumed>("resumed");
    const auto row = [](const char *name, const char *since, int last, int first, Resumed resumed) {
        QTest::newRow(name) << QByteArray(since) << last << first << resumed;
    };
    constexpr int kMany = std::numeric_limits<int>::max();
    row("nothing asked for", "", 0, 11, Resumed::NotAsked);
    row("the last one", "", 1, 10, Resumed::NotAsked);
    row("one less than there are", "", 4, 7, Resumed::NotAsked);
    row("as many as there are", "", 5, 6, Resumed::NotAsked);
    row("one more than there are", "", 6, 6, Resumed::NotAsked);
    row("as many as can be asked for", "", kMany, 6, Resumed::NotAsked);
    row("since the newest", "%-10", 0, 11, Resumed::Exactly);
    row("since the last but one", "%-9", 0, 10, Resumed::Exactly);
    row("since just before the oldest", "%-5", 0, 6, Resumed::Exactly);
    row("since one before that", "%-4", 0, 6, Resumed::WithGap);
    row("since the beginning", "%-0", 0, 6, Resumed::WithGap);
    row("since the future", "%-11", 0, 6, Resumed::Unknown);
    row("since the end of time", "%-9007199254740991", 0, 6, Resumed::Unknown);
    row("since another epoch", "000000000001-9", 0, 6, Resumed::Unknown);
    row("since what is no position", "yesterday", 0, 6, Resumed::Unknown);
    row("since, whatever else is asked for", "%-8", 5, 9, Resumed::Exactly);
    row("since what is unknown, and the last one", "000000000001-9", 1, 6, Resumed::Unknown);
}

// A listener gets exactly what followed its position; or it is told of a gap, and gets all there
// is. Never silently less, nor anything twice.
void TestChannel::replaysWhatIsAskedFor()
{
    QFETCH(QByteArray, since);
    QFETCH(int, last);
    QFETCH(int, first);
    QFETCH(Resumed, resumed);
    Room room;
    room.publishNumbers(1, 10);
    since.replace('%', relay::toText(room.channel.epoch()));
    QByteArrayList expected;
    for (int i = first; i <= 10; ++i) {
        expected.append(QByteArray::number(i));
    }
    Recorder recorder;
    const Joined joined = room.join(recorder, 1, {since, last});
    QCOMPARE(payloadsOf(joined.replay.messages), expected);
    QCOMPARE(joined.replay.resumed, resumed);
    QCOMPARE(joined.replay.hasGap(), resumed == Resumed::WithGap || resumed == Resumed::Unknown);
    QCOMPARE(joined.replay.start,
             (Position{room.channel.epoch(), static_cast<quint64>(first) - 1}));
    QCOMPARE(joined.replay.gapEnd, joined.replay.start); // a channel's history has no holes
    QCOMPARE(joined.sequence, room.channel.state().sequence);
    (void)room.publish("11"); // and it goes on there
    QCOMPARE(payloadsOf(recorder.taken), QByteArrayList{"11"});
    QVERIFY(recorder.taken.front()->sequence > joined.sequence);
}

void TestChannel::replaysNoMoreBytesThanMayBe_data()
{
    QTest::addColumn<QByteArray>("since");
    QTest::addColumn<int>("last");
    QTest::addColumn<qint64>("bytes");
    QTest::addColumn<std::size_t>("replayed");
    QTest::addColumn<Resumed>("resumed");
    const qint64 cost = costOf(1);
    const auto row = [](const char *name, const char *since, int last, qint64 bytes,
                        std::size_t replayed, Resumed resumed) {
        QTest::newRow(name) << QByteArray(since) << last << bytes << replayed << resumed;
    };
    row("since: just enough", "%-2", 0, 3 * cost, 3, Resumed::Exactly);
    row("since: a byte too little", "%-2", 0, 3 * cost - 1, 2, Resumed::WithGap);
    row("since: room for none", "%-2", 0, cost - 1, 0, Resumed::WithGap);
    row("since: none needed", "%-5", 0, 0, 0, Resumed::Exactly);
    row("unknown: a byte too little", "x", 0, 5 * cost - 1, 4, Resumed::Unknown);
    row("last: just enough", "", 3, 3 * cost, 3, Resumed::NotAsked);
    row("last: a byte too little", "", 3, 3 * cost - 1, 2, Resumed::NotAsked);
}

// What a listener cannot take at once would close it as too slow before it has begun: it gets the
// newest that fit, and is told when that is less than what it asked to resume.
void TestChannel::replaysNoMoreBytesThanMayBe()
{
    QFETCH(QByteArray, since);
    QFETCH(int, last);
    QFETCH(qint64, bytes);
    QFETCH(std::size_t, replayed);
    QFETCH(Resumed, resumed);
    Room room;
    room.publishNumbers(1, 5);
    since.replace('%', relay::toText(room.channel.epoch()));
    const Replay replay = room.channel.read({.bytes = bytes, .now = kStart}, {since, last}).replay;
    QCOMPARE(replay.messages.size(), replayed);
    QCOMPARE(replay.resumed, resumed);
    QCOMPARE(replay.start.offset, 5 - replayed);
    if (replayed > 0) {
        QCOMPARE(replay.messages.back()->offset, 5U);
    }
}

// history.age holds for who asks, also before the clock has come by to drop what is too old.
void TestChannel::replaysNothingThatIsTooOld()
{
    Room room(optionsOf(100, 60s));
    for (int i = 0; i < 3; ++i) {
        (void)room.channel.publish(
            messageOf(QByteArray::number(i + 1), kStart + std::chrono::seconds(i)));
    }
    const Position beginning{room.channel.epoch(), 0};
    const auto readAt = [&](relay::TimePoint now, const ReplayRequest &request) {
        return room.channel.read(everything(now), request).replay;
    };
    QCOMPARE(readAt(kStart + 60s - 1ns, since(beginning)).resumed, Resumed::Exactly);
    QCOMPARE(readAt(kStart + 60s - 1ns, since(beginning)).messages.size(), std::size_t{3});
    QCOMPARE(readAt(kStart + 60s, since(beginning)).resumed, Resumed::WithGap);
    QCOMPARE(payloadsOf(readAt(kStart + 60s, since(beginning)).messages),
             (QByteArrayList{"2", "3"}));
    QCOMPARE(payloadsOf(readAt(kStart + 61s, newest(3)).messages), QByteArrayList{"3"});
    QVERIFY(readAt(kStart + 62s, newest(3)).messages.empty());
    QCOMPARE(readAt(kStart + 62s, since({beginning.epoch, 3})).resumed, Resumed::Exactly);
    QCOMPARE(readAt(kStart + 62s, since({beginning.epoch, 2})).resumed, Resumed::WithGap);
    // Who speaks in a channel drops it for good.
    const Publication published = room.channel.publish(messageOf("4", kStart + 62s));
    QCOMPARE(published.kept.grownBytes, costOf(1) - 3 * costOf(1));
    QCOMPARE(published.kept.oldestSequence, room.channel.state().sequence);
}

// A channel that keeps nothing can still say whether anything was missed.
void TestChannel::resumesInAnEmptyHistory()
{
    Room room(optionsOf(0));
    const auto resumed = [&](quint64 offset) {
        const Replay replay =
            room.channel.read(everything(), since({room.channel.epoch(), offset})).replay;
        return replay.messages.empty() ? replay.resumed : Resumed::NotAsked;
    };
    QCOMPARE(resumed(0), Resumed::Exactly);
    QCOMPARE(resumed(1), Resumed::Unknown);
    room.publishNumbers(1, 3);
    QCOMPARE(resumed(3), Resumed::Exactly);
    QCOMPARE(resumed(2), Resumed::WithGap);
    QCOMPARE(resumed(4), Resumed::Unknown);
}

// Who reads the history is no member, and what it reads is of one moment.
void TestChannel::readsWithoutJoining()
{
    Room room;
    Recorder member;
    (void)room.join(member, 2);
    room.publishNumbers(1, 7);
    const Channel::Past past = room.channel.read(everything(), newest(3));
    QCOMPARE(payloadsOf(past.replay.messages), (QByteArrayList{"5", "6", "7"}));
    QCOMPARE(past.state.position, (Position{room.channel.epoch(), 7}));
    QCOMPARE(past.state.clients, 2);
    QCOMPARE(past.state.sequence, past.replay.messages.back()->sequence);
    QVERIFY(past.state.forgottenSequence > 0);
    QVERIFY(past.state.forgottenSequence < past.replay.messages.front()->sequence);
    QCOMPARE(room.channel.state().clients, 2);
}

// Pattern listeners resume by sequence numbers: from behind `after` up to and with `upTo`, of what
// is not too old; and they are told the newest that this channel cannot give.
void TestChannel::collectsForPatterns()
{
    Room room(optionsOf(5, 60s));
    for (int i = 1; i <= 7; ++i) {
        (void)room.channel.publish(
            messageOf(QByteArray::number(i), kStart + std::chrono::seconds(i)));
    }
    const std::vector<MessagePtr> kept =
        room.channel.read(everything(kStart), newest(5)).replay.messages;
    const auto collect = [&](quint64 after, quint64 upTo, relay::TimePoint now) {
        std::vector<MessagePtr> into;
        const quint64 forgotten = room.channel.collect(after, upTo, now, into);
        return std::pair(payloadsOf(into), forgotten);
    };
    const quint64 first = kept.front()->sequence;
    const quint64 last = kept.back()->sequence;
    const quint64 forgotten = room.channel.state().forgottenSequence;
    QCOMPARE(collect(0, last, kStart),
             std::pair(QByteArrayList({"3", "4", "5", "6", "7"}), forgotten));
    QCOMPARE(collect(first, last - 1, kStart),
             std::pair(QByteArrayList({"4", "5", "6"}), forgotten));
    QCOMPARE(collect(last, last, kStart), std::pair(QByteArrayList(), forgotten));
    // "3" and "4" are too old, though nobody has dropped them yet.
    QCOMPARE(collect(0, last, kStart + 64s),
             std::pair(QByteArrayList({"5", "6", "7"}), kept[1]->sequence));
}

// Total order: whoever publishes from whatever thread, all subscribers take one and the same
// sequence, each publisher's messages in its own order, offsets without holes.
void TestChannel::everyoneHasTheSameOrder()
{
    constexpr int kThreads = 4;
    constexpr int kMessages = 2000;
    Room room;
    std::array<Recorder, 3> members;
    for (Recorder &member : members) {
        (void)room.join(member);
    }
    Recorder listener;
    const auto everywhere = ChannelPattern::fromText("**").value();
    (void)room.patterns.join(everywhere, listener, 1);
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&room, thread] {
            for (int i = 0; i < kMessages; ++i) {
                (void)room.publish(QByteArray::number(thread) + ':' + QByteArray::number(i));
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    room.patterns.leave(everywhere, listener);
    const std::vector<MessagePtr> &order = members[0].taken;
    QCOMPARE(order.size(), static_cast<std::size_t>(kThreads * kMessages));
    std::vector<int> next(kThreads, 0);
    for (std::size_t i = 0; i < order.size(); ++i) {
        QCOMPARE(order[i]->offset, i + 1);
        QVERIFY(i == 0 || order[i]->sequence > order[i - 1]->sequence);
        const QByteArray payload = order[i]->frame.payload().toByteArray();
        const auto thread = static_cast<std::size_t>(payload.front() - '0');
        QCOMPARE(payload.mid(2).toInt(), next[thread]++);
    }
    QVERIFY(members[1].taken == order);
    QVERIFY(members[2].taken == order);
    QVERIFY(listener.taken == order);
}

// Nothing lost, nothing twice: a listener that goes and comes back, with its last position, while
// others publish has in the end every message once, in order.
void TestChannel::replayAndLiveMeet()
{
    constexpr int kPublishers = 2;
    constexpr quint64 kMessages = 4000; // each
    Room room(optionsOf(kPublishers * kMessages));
    std::latch everyone(kPublishers + 2);
    std::vector<std::thread> threads;
    threads.reserve(kPublishers + 2);
    for (int i = 0; i < kPublishers; ++i) {
        threads.emplace_back([&] {
            everyone.arrive_and_wait();
            for (quint64 n = 0; n < kMessages; ++n) {
                (void)room.publish("x");
            }
        });
    }
    std::array<QByteArray, 2> flaws;
    for (QByteArray &flaw : flaws) {
        threads.emplace_back([&] {
            everyone.arrive_and_wait();
            flaw = comeAndGo(room, kPublishers * kMessages);
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    QCOMPARE(flaws[0], QByteArray());
    QCOMPARE(flaws[1], QByteArray());
}

RELAY_TEST(TestChannel)
#include "tst_channel.moc"
