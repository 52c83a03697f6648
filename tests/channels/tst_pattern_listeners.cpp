#include "channels/channel_registry.h"

#include "fixtures.h"
#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <algorithm>
#include <atomic>
#include <latch>
#include <limits>
#include <thread>

using namespace std::chrono_literals;
using relay::ChannelHandle;
using relay::ChannelName;
using relay::ChannelOptions;
using relay::ChannelPattern;
using relay::ChannelRegistry;
using relay::Joined;
using relay::MessagePtr;
using relay::Position;
using relay::Replay;
using relay::ReplayRequest;
using relay::Resumed;
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

struct Relay
{
    explicit Relay(const ChannelOptions &options = keeping(1'000'000))
        : channels({}, options, kNoLimit)
    {}

    /// Returns the message's sequence number.
    quint64 publish(const QByteArray &name, const QByteArray &payload)
    {
        const ChannelHandle channel = channels.acquire(named(name));
        const auto message = messageOf(payload);
        (void)channels.publish(*channel, message);
        return message->sequence;
    }
    Replay read(const QByteArray &match, const ReplayRequest &request, qint64 bytes = kNoLimit)
    {
        return channels.read(patternOf(match), {.bytes = bytes, .now = kStart}, request).replay;
    }
    [[nodiscard]] Position position(quint64 sequence) const
    {
        return {channels.patterns().epoch(), sequence};
    }

    ChannelRegistry channels;
};

/// A client that listens to a pattern, goes, and comes back with the one number that it knows.
class Visitor
{
public:
    Visitor(Relay &relay, const QByteArray &match)
        : m_relay(relay)
        , m_pattern(patternOf(match))
        , m_random(QRandomGenerator::global()->generate())
    {}

    /// Once; what it gets is added to seen().
    void visit()
    {
        Recorder recorder;
        const Joined joined = m_relay.channels.join(m_pattern, recorder, 1, everything(),
                                                    since(m_relay.position(m_position)));
        for (quint32 i = m_random.bounded(20U); i > 0; --i) {
            std::this_thread::yield();
        }
        if (m_random.bounded(4) == 0) { // another client of the same worker comes, and goes
            (void)m_relay.channels.patterns().join(m_pattern, recorder, 2);
            std::this_thread::yield();
            (void)m_relay.channels.patterns().join(m_pattern, recorder, 1);
        }
        m_relay.channels.patterns().leave(m_pattern, recorder);

        if (joined.replay.resumed != Resumed::Exactly) {
            m_flaw = "not resumed exactly";
        }
        for (const MessagePtr &message : joined.replay.messages) {
            add(message, message->sequence <= joined.sequence);
        }
        if (recorder.taken.empty()) {
            m_position = std::max(m_position, joined.sequence); // nothing up to it that it lacks
        }
        for (const MessagePtr &message : recorder.taken) {
            add(message, message->sequence > joined.sequence);
        }
    }

    [[nodiscard]] const std::vector<MessagePtr> &seen() const { return m_seen; }
    [[nodiscard]] const QByteArray &flaw() const { return m_flaw; }
    [[nodiscard]] const ChannelPattern &match() const { return m_pattern; }

private:
    void add(const MessagePtr &message, bool isOnItsSide)
    {
        if (!isOnItsSide) {
            m_flaw = "live and replayed messages overlap";
        }
        if (message->sequence <= m_position) {
            m_flaw = "sequence " + QByteArray::number(message->sequence) + " behind "
                     + QByteArray::number(m_position);
        }
        m_position = message->sequence;
        m_seen.push_back(message);
    }

    Relay &m_relay;
    const ChannelPattern m_pattern;
    QRandomGenerator m_random;
    quint64 m_position = 0;
    std::vector<MessagePtr> m_seen;
    QByteArray m_flaw;
};

/// Of what several threads have published, what matches, in the one order.
template <typename Parts>
std::vector<MessagePtr> matching(const ChannelPattern &match, const Parts &published)
{
    std::vector<MessagePtr> found;
    for (const std::vector<MessagePtr> &part : published) {
        std::copy_if(part.begin(), part.end(), std::back_inserter(found),
                     [&](const MessagePtr &message) { return match.matches(message->channel); });
    }
    std::sort(found.begin(), found.end(),
              [](const MessagePtr &a, const MessagePtr &b) { return a->sequence < b->sequence; });
    return found;
}

/// Remembers only the numbers; others may look how many they are.
class NumberRecorder final : public relay::Subscriber
{
public:
    void take(const MessagePtr &message, relay::WakeList &) override
    {
        taken.push_back(message->sequence);
        count.store(taken.size());
    }

    std::vector<quint64> taken;
    std::atomic<std::size_t> count{0};
};

/// From a listener's coming to its going.
struct Session
{
    quint64 joinedAt;
    std::vector<quint64> taken;

    /// Whether it took every number above joinedAt, as far as it stayed. `all`: sorted.
    [[nodiscard]] bool isWithoutAHole(const std::vector<quint64> &all) const
    {
        const auto first = std::upper_bound(all.begin(), all.end(), joinedAt);
        return std::equal(taken.begin(), taken.end(), first);
    }
};

} // namespace

class TestPatternListeners : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesWhatMatches();
    void countsItsClients();
    void drawsNumbersThatGrow();
    void replaysAcrossChannels_data();
    void replaysAcrossChannels();
    void replaysNoMoreBytesThanMayBe();
    void tellsOfAGap_data();
    void tellsOfAGap();
    void saysHowFarAGapGoes();
    void aChannelThatIsGoneIsAGap();
    void whatNobodyMayHearIsNoGap();
    void aListenerTakesAllFromWhereItJoined();
    void aPositionIsOneNumber();
};

// A listener gets every message of every channel that matches, of those that are made later, too,
// and nothing else.
void TestPatternListeners::givesWhatMatches()
{
    Relay relay;
    Recorder below;
    Recorder all;
    (void)relay.publish("chat/1", "before");
    QCOMPARE(relay.channels.join(patternOf("chat/*"), below, 1, everything(), {}).sequence,
             relay.channels.patterns().lastSequence());
    (void)relay.publish("chat/1", "1");
    (void)relay.publish("chat/2", "2");
    (void)relay.publish("chat", "3");
    (void)relay.channels.join(patternOf("**"), all, 1, everything(), {});
    (void)relay.publish("/", "4");
    (void)relay.publish("chat/2", "5");
    relay.channels.patterns().leave(patternOf("chat/*"), below);
    relay.channels.patterns().leave(patternOf("chat/*"), below); // it is not there any more
    (void)relay.publish("chat/2", "6");
    QCOMPARE(payloadsOf(below.taken), (QByteArrayList{"1", "2", "5"}));
    QCOMPARE(payloadsOf(all.taken), (QByteArrayList{"4", "5", "6"}));
    QCOMPARE(all.taken.back()->channel, named("chat/2"));
    relay.channels.patterns().leave(patternOf("**"), all);
}

// Who asks how many listen gets those of patterns by the name.
void TestPatternListeners::countsItsClients()
{
    Relay relay;
    relay::PatternListeners &patterns = relay.channels.patterns();
    Recorder a;
    Recorder b;
    QCOMPARE(patterns.clientCount(named("chat/1")), 0);
    (void)patterns.join(patternOf("chat/*"), a, 1);
    (void)patterns.join(patternOf("**"), b, 2);
    QCOMPARE(patterns.clientCount(named("chat/1")), 3);
    QCOMPARE(patterns.clientCount(named("news")), 2);
    (void)patterns.join(patternOf("chat/*"), a, 4);
    QCOMPARE(patterns.clientCount(named("chat/1")), 6);
    patterns.leave(patternOf("chat/*"), a);
    QCOMPARE(patterns.clientCount(named("chat/1")), 2);
    patterns.leave(patternOf("**"), b);
    QCOMPARE(patterns.clientCount(named("chat/1")), 0);
}

// One order for all channels, whether somebody listens or not.
void TestPatternListeners::drawsNumbersThatGrow()
{
    Relay relay;
    Recorder listener;
    quint64 last = 0;
    for (int i = 0; i < 20; ++i) {
        if (i == 8) {
            (void)relay.channels.join(patternOf("a"), listener, 1, everything(), {});
        } else if (i == 16) {
            relay.channels.patterns().leave(patternOf("a"), listener);
        }
        const quint64 sequence = relay.publish(i % 3 == 0 ? "a" : "b", "x");
        QVERIFY(sequence > last);
        QCOMPARE(relay.channels.patterns().lastSequence(), sequence);
        last = sequence;
    }
}

void TestPatternListeners::replaysAcrossChannels_data()
{
    // "1" to "9" were said in turn in chat/1, chat/2 and news.
    QTest::addColumn<QByteArray>("match");
    QTest::addColumn<int>("since"); // the number of the message that was seen last; -1: not asked
    QTest::addColumn<int>("last");
    QTest::addColumn<QByteArrayList>("replayed");
    QTest::addColumn<Resumed>("resumed");
    using List = QByteArrayList;
    const auto row = [](const char *name, const char *match, int since, int last,
                        const List &replayed, Resumed resumed) {
        QTest::newRow(name) << QByteArray(match) << since << last << replayed << resumed;
    };
    row("nothing asked for", "**", -1, 0, {}, Resumed::NotAsked);
    row("the last of two channels", "chat/*", -1, 3, {"5", "7", "8"}, Resumed::NotAsked);
    row("more than there are", "news", -1, 100, {"3", "6", "9"}, Resumed::NotAsked);
    row("as many as can be asked for", "news", -1, std::numeric_limits<int>::max(), {"3", "6", "9"},
        Resumed::NotAsked);
    row("of none that matches", "nobody/*", -1, 5, {}, Resumed::NotAsked);
    row("from the beginning", "chat/*", 0, 0, {"1", "2", "4", "5", "7", "8"}, Resumed::Exactly);
    row("since one of its own", "chat/*", 4, 0, {"5", "7", "8"}, Resumed::Exactly);
    row("since one of another's", "chat/*", 6, 0, {"7", "8"}, Resumed::Exactly);
    row("since the newest", "**", 9, 0, {}, Resumed::Exactly);
    row("since the future", "chat/1", 10, 0, {"1", "4", "7"}, Resumed::Unknown);
}

// One number is enough to go on in all channels at once, in the order in which they were spoken in.
void TestPatternListeners::replaysAcrossChannels()
{
    QFETCH(QByteArray, match);
    QFETCH(int, since);
    QFETCH(int, last);
    QFETCH(QByteArrayList, replayed);
    QFETCH(Resumed, resumed);
    Relay relay;
    std::vector<quint64> sequences{0};
    for (int i = 0; i < 9; ++i) {
        static constexpr std::array<const char *, 3> kNames{"chat/1", "chat/2", "news"};
        sequences.push_back(
            relay.publish(kNames[static_cast<std::size_t>(i % 3)], QByteArray::number(i + 1)));
    }
    sequences.push_back(sequences.back() + 1);
    ReplayRequest request = newest(last);
    if (since >= 0) {
        request.since = relay.position(sequences[static_cast<std::size_t>(since)]).toText();
    }
    const Replay replay = relay.read(match, request);
    QCOMPARE(payloadsOf(replay.messages), replayed);
    QCOMPARE(replay.resumed, resumed);
    QCOMPARE(replay.start.epoch, relay.channels.patterns().epoch());
    if (resumed == Resumed::Exactly) {
        QCOMPARE(replay.start.toText(), request.since);
    } else if (replayed.isEmpty()) {
        QCOMPARE(replay.start.offset, relay.channels.patterns().lastSequence());
    } else {
        QCOMPARE(replay.start.offset, replay.messages.front()->sequence - 1);
    }
}

// As in a channel: the newest that fit, and a notice when it is less than was asked for.
void TestPatternListeners::replaysNoMoreBytesThanMayBe()
{
    Relay relay;
    (void)relay.publish("a", "1");
    const quint64 seen = relay.publish("b", "2");
    (void)relay.publish("a", "3");
    (void)relay.publish("b", "4");
    const ReplayRequest request = since(relay.position(seen));
    QCOMPARE(relay.read("**", request, 2 * costOf(1)).resumed, Resumed::Exactly);
    const Replay cut = relay.read("**", request, 2 * costOf(1) - 1);
    QCOMPARE(cut.resumed, Resumed::WithGap);
    QCOMPARE(payloadsOf(cut.messages), QByteArrayList{"4"});
    QCOMPARE(payloadsOf(relay.read("**", newest(3), 2 * costOf(1)).messages),
             (QByteArrayList{"3", "4"}));
}

void TestPatternListeners::tellsOfAGap_data()
{
    // Two messages a channel are kept; "1" to "4" were said in a, and then "5" in b.
    QTest::addColumn<QByteArray>("match");
    QTest::addColumn<int>("since");
    QTest::addColumn<Resumed>("resumed");
    const auto row = [](const char *name, const char *match, int since, Resumed resumed) {
        QTest::newRow(name) << QByteArray(match) << since << resumed;
    };
    row("before what is gone", "*", 1, Resumed::WithGap);
    row("at what is gone", "*", 2, Resumed::Exactly);
    row("behind it", "*", 3, Resumed::Exactly);
    row("another channel's loss is not its own", "b", 1, Resumed::Exactly);
}

// A message that a channel of the pattern had after the position, and does not have any more, makes
// the gap; nothing else does.
void TestPatternListeners::tellsOfAGap()
{
    QFETCH(QByteArray, match);
    QFETCH(int, since);
    QFETCH(Resumed, resumed);
    Relay relay(keeping(2));
    std::vector<quint64> sequences{0};
    for (int i = 1; i <= 5; ++i) {
        sequences.push_back(relay.publish(i < 5 ? "a" : "b", QByteArray::number(i)));
    }
    const Position position = relay.position(sequences[static_cast<std::size_t>(since)]);
    QCOMPARE(relay.read(match, relay::test::since(position)).resumed, resumed);
    QCOMPARE(relay.read(match, {.since = "x"}).resumed, Resumed::Unknown);
    QCOMPARE(relay.read(match, relay::test::since({relay::Epoch{1}, 5})).resumed, Resumed::Unknown);
}

// The channels of a pattern do not reach back equally far: what is replayed may begin before the end
// of the gap, and who was told a gap that is too short would take it for all that it lacks.
void TestPatternListeners::saysHowFarAGapGoes()
{
    Relay relay(keeping(2));
    (void)relay.publish("quiet", "1");
    quint64 lost = 0;
    for (const char *payload : {"2", "3", "4", "5"}) {
        const quint64 sequence = relay.publish("busy", payload);
        lost = payload[0] == '3' ? sequence : lost; // the newest that is gone
    }
    const Replay replay = relay.read("*", since(relay.position(0)));
    QCOMPARE(replay.resumed, Resumed::WithGap);
    QCOMPARE(payloadsOf(replay.messages), (QByteArrayList{"1", "4", "5"}));
    QCOMPARE(replay.start.offset, replay.messages.front()->sequence - 1);
    QCOMPARE(replay.gapEnd, relay.position(lost));
    // Cut by its size, what is replayed begins behind all that is lost.
    const Replay cut = relay.read("*", since(relay.position(0)), costOf(1));
    QCOMPARE(payloadsOf(cut.messages), QByteArrayList{"5"});
    QCOMPARE(cut.gapEnd, cut.start);
}

// What a channel had that is gone with its history cannot be known: who was there before it went is
// told of a gap, who comes from after it is not.
void TestPatternListeners::aChannelThatIsGoneIsAGap()
{
    Relay relay(keeping(10, 60s));
    const quint64 before = relay.publish("a", "1");
    const quint64 last = relay.publish("a", "2");
    QCOMPARE(relay.read("*", since(relay.position(before))).resumed, Resumed::Exactly);
    (void)relay.channels.expireHistory(kStart + 60s, 10);
    QCOMPARE(relay.channels.channelCount(), std::size_t{0});
    QCOMPARE(relay.read("*", since(relay.position(before))).resumed, Resumed::WithGap);
    QCOMPARE(relay.read("*", since(relay.position(last))).resumed, Resumed::Exactly);
    // One that never had a message leaves nothing to be missed.
    relay.channels.acquire(named("b")).reset();
    QCOMPARE(relay.read("*", since(relay.position(last))).resumed, Resumed::Exactly);
}

// A channel that may not be listened to is not missed when it goes.
void TestPatternListeners::whatNobodyMayHearIsNoGap()
{
    ChannelOptions options = keeping(0);
    options.subscribe = false;
    Relay relay(options);
    const quint64 before = relay.publish("a", "1");
    (void)relay.publish("a", "2");
    QCOMPARE(relay.channels.channelCount(), std::size_t{0});
    QCOMPARE(relay.read("*", since(relay.position(before))).resumed, Resumed::Exactly);
}

// Nobody listens, and numbers are drawn without a lock; then somebody joins. What is numbered above
// the number that it is told comes to it, the very next message, too: that one may have been on its
// way when nobody listened.
void TestPatternListeners::aListenerTakesAllFromWhereItJoined()
{
    constexpr std::size_t kSessions = 3000;
    constexpr quint64 kAhead = 200;
    relay::PatternListeners patterns;
    std::array<std::vector<quint64>, 2> published;
    std::vector<Session> sessions;
    std::atomic<quint64> mayDraw{0}; // so that the publishers run, but not away
    std::atomic<bool> isDone{false};
    std::vector<std::thread> threads;
    threads.reserve(published.size());
    for (std::vector<quint64> &numbers : published) {
        threads.emplace_back([&] {
            relay::PatternListeners::Matches matches; // as of a channel
            const auto message = messageOf("x");
            message->channel = named("a/1");
            while (!isDone) {
                if (patterns.lastSequence() >= mayDraw) {
                    std::this_thread::yield();
                    continue;
                }
                relay::WakeList sleepers;
                (void)patterns.publish(message, matches, sleepers);
                numbers.push_back(message->sequence);
            }
        });
    }
    while (sessions.size() < kSessions) {
        const quint64 leftAt = patterns.lastSequence(); // nobody listens for a while
        mayDraw = leftAt + kAhead;
        while (patterns.lastSequence() < leftAt + 10) {
            std::this_thread::yield();
        }
        NumberRecorder recorder;
        const quint64 joinedAt = patterns.join(patternOf("a/*"), recorder, 1);
        mayDraw = joinedAt + kAhead;
        while (recorder.count < 3) {
            std::this_thread::yield();
        }
        patterns.leave(patternOf("a/*"), recorder);
        sessions.push_back({joinedAt, std::move(recorder.taken)});
    }
    isDone = true;
    for (std::thread &thread : threads) {
        thread.join();
    }
    for (const std::vector<quint64> &numbers : published) {
        QVERIFY(std::is_sorted(numbers.begin(), numbers.end()));
    }
    std::vector<quint64> all = published[0];
    all.insert(all.end(), published[1].begin(), published[1].end());
    std::sort(all.begin(), all.end());
    QVERIFY(std::adjacent_find(all.begin(), all.end()) == all.end());
    QVERIFY(std::all_of(sessions.begin(), sessions.end(),
                        [&](const Session &session) { return session.isWithoutAHole(all); }));
}

// The claim that pattern listeners rest on: all matching messages up to the position have come, and
// none behind it. Threads publish to several channels while listeners come, go, and come back with
// the number of the last message that they saw: each has every message of its channels once, and the
// numbers only grow.
void TestPatternListeners::aPositionIsOneNumber()
{
    constexpr std::size_t kPublishers = 3;
    constexpr int kMessages = 200; // each
    constexpr int kRounds = 60;
    static constexpr std::array<const char *, 4> kNames{"a/1", "a/2", "b/1", "b/2"};
    for (int round = 0; round < kRounds; ++round) {
        Relay relay;
        std::array visitors{Visitor(relay, "a/*"), Visitor(relay, "**"), Visitor(relay, "*/1")};
        std::array<std::vector<MessagePtr>, kPublishers> published;
        std::atomic<std::size_t> publishing{kPublishers};
        std::latch everyone(kPublishers + visitors.size());
        std::vector<std::thread> threads;
        threads.reserve(kPublishers + visitors.size());
        for (std::vector<MessagePtr> &mine : published) {
            threads.emplace_back([&] {
                QRandomGenerator random(QRandomGenerator::global()->generate());
                everyone.arrive_and_wait();
                for (int i = 0; i < kMessages; ++i) {
                    const auto message = messageOf("x");
                    const ChannelHandle channel =
                        relay.channels.acquire(named(kNames[random.bounded(4U)]));
                    (void)relay.channels.publish(*channel, message);
                    mine.push_back(message);
                }
                --publishing;
            });
        }
        for (Visitor &visitor : visitors) {
            threads.emplace_back([&] {
                everyone.arrive_and_wait();
                while (publishing > 0 && visitor.flaw().isEmpty()) {
                    visitor.visit();
                }
                visitor.visit(); // what it missed while it was away
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
        for (const Visitor &visitor : visitors) {
            QCOMPARE(visitor.flaw(), QByteArray());
            const std::vector<MessagePtr> expected = matching(visitor.match(), published);
            QCOMPARE(visitor.seen().size(), expected.size());
            QVERIFY(visitor.seen() == expected);
        }
    }
}

RELAY_TEST(TestPatternListeners)
#include "tst_pattern_listeners.moc"
