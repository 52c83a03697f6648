#include "channels/channel_registry.h"
#include "channels/pattern_replay.h"

#include "fixtures.h"
#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <map>
#include <thread>

using namespace std::chrono_literals;
using relay::ChannelHandle;
using relay::ChannelOptions;
using relay::ChannelPattern;
using relay::ChannelRegistry;
using relay::ChannelRule;
using relay::IdleLimits;
using relay::MessagePtr;
using relay::PatternReplay;
using relay::Position;
using relay::Replay;
using relay::ReplayRequest;
using relay::Resumed;
using relay::TimePoint;
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
using relay::test::since;

namespace {

constexpr int kEverything = 1 << 30;

/// A registry, and what was said in it.
struct SpokenRelay
{
    explicit SpokenRelay(ChannelOptions options,
                         QList<ChannelRule> rules = {},
                         qint64 historyBytes = kNoLimit,
                         const IdleLimits &idleLimits = {})
        : channels(std::move(rules), options, historyBytes, idleLimits)
    {}

    quint64 publish(const QByteArray &name, const QByteArray &payload, TimePoint now = kStart)
    {
        const ChannelHandle channel = channels.acquire(named(name));
        const auto message = messageOf(payload, now);
        (void)channels.publish(*channel, message);
        lastOf[name] = message->sequence;
        return message->sequence;
    }
    Replay read(const QByteArray &match,
                const ReplayRequest &request,
                const relay::ReplayLimits &limits = everything())
    {
        return channels.read(patternOf(match), limits, request).replay;
    }
    [[nodiscard]] Position position(quint64 sequence) const
    {
        return {channels.patterns().epoch(), sequence};
    }

    ChannelRegistry channels;
    std::map<QByteArray, quint64> lastOf; // the newest message of each name
};

/// What a replay must be, found by looking at every channel.
Replay dumbReplay(SpokenRelay &relay,
                  const QByteArray &match,
                  quint64 after,
                  const ReplayRequest &request,
                  const relay::ReplayLimits &limits)
{
    const bool isResume = request.isResume();
    std::vector<MessagePtr> all;
    quint64 lostUpTo = 0;
    for (const auto &[text, last] : relay.lastOf) {
        if (!patternOf(match).matches(named(text))
            || !relay.channels.optionsOf(named(text)).subscribe) {
            continue;
        }
        const ChannelHandle channel = relay.channels.find(named(text));
        if (!channel) {
            lostUpTo = std::max(lostUpTo, last);
            continue;
        }
        const auto past = channel->read(everything(limits.now), newest(kEverything));
        for (const MessagePtr &message : past.replay.messages) {
            if (message->sequence > after) {
                all.push_back(message);
            }
        }
        lostUpTo = std::max(lostUpTo, past.state.forgottenSequence);
    }
    std::sort(all.begin(), all.end(),
              [](const MessagePtr &a, const MessagePtr &b) { return a->sequence < b->sequence; });
    const std::size_t wanted =
        isResume ? all.size() : std::min(all.size(), static_cast<std::size_t>(request.last));
    const auto given = relay::newestWithin(std::span(all).last(wanted), limits.bytes);
    Replay replay;
    replay.messages.assign(given.begin(), given.end());
    replay.start = replay.gapEnd = relay.position(relay.channels.patterns().lastSequence());
    const bool isAll = given.size() == all.size() && lostUpTo <= after;
    if (isResume) {
        replay.resumed = isAll ? Resumed::Exactly : Resumed::WithGap;
    }
    if (replay.resumed == Resumed::Exactly) {
        replay.start.offset = after;
    } else if (!given.empty()) {
        replay.start.offset = given.front()->sequence - 1;
    }
    replay.gapEnd.offset = std::max(replay.start.offset, lostUpTo);
    return replay;
}

QByteArray randomName(QRandomGenerator &random)
{
    static constexpr std::array<const char *, 4> kFirst{"a", "b", "mute", "brief"};
    static constexpr std::array<const char *, 4> kSecond{"", "/1", "/2", "/1/x"};
    return QByteArray(kFirst[random.bounded(4U)]) + kSecond[random.bounded(4U)];
}

QByteArray randomPattern(QRandomGenerator &random)
{
    static constexpr std::array<const char *, 8> kPatterns{"**",  "a/**",     "b/*",   "*",
                                                           "*/1", "brief/**", "*/*/x", "nobody/**"};
    return kPatterns[random.bounded(8U)];
}

/// One kind of channel keeps nothing, one may not be listened to, one keeps two messages.
QList<ChannelRule> rulesOfAllKinds()
{
    const auto rule = [](const char *match, int messages, bool subscribe) {
        ChannelRule made{patternOf(match), keeping(messages, 1s)};
        made.options.subscribe = subscribe;
        return made;
    };
    return {rule("b/2", 0, true), rule("mute/**", 5, false), rule("brief/**", 2, true)};
}

} // namespace

/// What the listeners of a pattern are given of the past, and what that costs.
class TestPatternReplay : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsWhatLookingAtEveryChannelFinds();
    void costsWhatItGives();
    void costsNothingForAnUnknownPosition();
    void looksAtABoundedNumber();
    void givesTheNewestOfWhatItLookedAt();
    void aClearedHistoryIsAGap();
    void nothingIsLostWhileChannelsAreSaid();
};

// Random channels that come, go, forget and are cleared, against the obvious way: to look at each.
void TestPatternReplay::findsWhatLookingAtEveryChannelFinds()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    QRandomGenerator random(seed);
    SpokenRelay relay(keeping(6, 1s), rulesOfAllKinds(), 12'000);
    TimePoint now = kStart;
    std::vector<ChannelHandle> members;
    int resumes = 0;
    int gaps = 0;
    for (int i = 0; i < 4000; ++i) {
        now += std::chrono::milliseconds(random.bounded(60));
        const QByteArray name = randomName(random);
        switch (random.bounded(12)) {
        case 0:
            (void)relay.channels.clearHistory(named(name));
            break;
        case 1:
            members.push_back(relay.channels.acquire(named(name)));
            break;
        case 2:
            if (!members.empty()) {
                members.erase(members.begin() + random.bounded(static_cast<int>(members.size())));
            }
            break;
        default:
            (void)relay.publish(name, QByteArray(random.bounded(300), 'x'), now);
        }
        (void)relay.channels.expire(now, kEverything);

        const QByteArray match = randomPattern(random);
        const quint64 last = relay.channels.patterns().lastSequence();
        const bool isResume = random.bounded(2) == 0;
        const quint64 back = static_cast<quint64>(random.bounded(random.bounded(2) == 0 ? 4 : 60));
        const quint64 after = isResume ? last - std::min(last, back) : 0;
        const ReplayRequest request =
            isResume ? since(relay.position(after)) : newest(random.bounded(12));
        const relay::ReplayLimits limits{random.bounded(3) == 0 ? random.bounded(3000) : kNoLimit,
                                         now};
        const Replay clever = relay.read(match, request, limits);
        const Replay dumb = dumbReplay(relay, match, after, request, limits);
        const QByteArray what = "seed " + QByteArray::number(seed) + ", step "
                                + QByteArray::number(i) + ", " + match + ", after "
                                + QByteArray::number(after) + " of " + QByteArray::number(last);
        QVERIFY2(clever.messages == dumb.messages, what.constData());
        QVERIFY2(clever.resumed == dumb.resumed, what.constData());
        if (isResume) {
            QVERIFY2(clever.start == dumb.start, what.constData());
            // Of what is before the messages that are given anyway it need not know.
            QVERIFY2(clever.gapEnd == dumb.gapEnd || clever.resumed == Resumed::Exactly,
                     what.constData());
            ++resumes;
            gaps += clever.hasGap() ? 1 : 0;
        } else if (!clever.messages.empty()) {
            QVERIFY2(clever.start == dumb.start, what.constData());
        }
    }
    QVERIFY2(gaps > resumes / 10 && gaps < resumes * 9 / 10, QByteArray::number(gaps).constData());
}

// However many channels there are: the last message costs a look at a channel or two. It was a walk
// over all of them, which any client could ask for.
void TestPatternReplay::costsWhatItGives()
{
    constexpr int kChannels = 50'000;
    SpokenRelay relay(keeping(1));
    for (int i = 0; i < kChannels; ++i) {
        (void)relay.publish("room/" + QByteArray::number(i), QByteArray::number(i));
    }
    const auto isCheap = [](const Replay &replay, std::size_t messages) {
        return replay.messages.size() == messages
               && replay.looked <= 6 * static_cast<qint64>(messages) + 4;
    };
    QVERIFY(isCheap(relay.read("**", newest(1)), 1));
    QCOMPARE(payloadsOf(relay.read("**", newest(1)).messages),
             QByteArrayList{QByteArray::number(kChannels - 1)});
    QVERIFY(isCheap(relay.read("room/*", newest(100)), 100));
    QVERIFY(isCheap(relay.read("**", newest(0)), 0));
    for (const quint64 missed : {quint64{0}, quint64{1}, quint64{100}}) {
        const Replay replay = relay.read("**", since(relay.position(kChannels - missed)));
        QVERIFY(isCheap(replay, missed));
        QCOMPARE(replay.resumed, Resumed::Exactly);
    }
    // What the client can be given bounds it, too: nothing that is left out is looked for.
    const relay::ReplayLimits small{10 * costOf(5), kStart};
    for (const ReplayRequest &request : {newest(kEverything), since(relay.position(0))}) {
        const Replay replay = relay.read("**", request, small);
        QVERIFY(isCheap(replay, 10));
        QCOMPARE(replay.hasGap(), request.isResume());
    }
}

// A position of another epoch, or of none, is told of a gap without looking; what is asked for besides
// is given.
void TestPatternReplay::costsNothingForAnUnknownPosition()
{
    SpokenRelay relay(keeping(1));
    for (int i = 0; i < 100; ++i) {
        (void)relay.publish(QByteArray::number(i), QByteArray::number(i));
    }
    const Position end = relay.position(100);
    for (const QByteArray &unknown :
         {QByteArray("000000000001-5"), QByteArray("x"), relay.position(101).toText()})
    {
        const Replay replay = relay.read("**", {.since = unknown});
        QCOMPARE(replay.resumed, Resumed::Unknown);
        QCOMPARE(replay.looked, 0);
        QVERIFY(replay.messages.empty());
        QCOMPARE(replay.start, end);
        QCOMPARE(replay.gapEnd, end);
        const Replay last = relay.read("**", {.since = unknown, .last = 2});
        QCOMPARE(last.resumed, Resumed::Unknown);
        QCOMPARE(payloadsOf(last.messages), (QByteArrayList{"98", "99"}));
        QCOMPARE(last.start, relay.position(98));
    }
}

// A pattern that matches next to nothing is given up after so many channels, and that is a gap.
void TestPatternReplay::looksAtABoundedNumber()
{
    constexpr int kMost = PatternReplay::kMostLooked;
    SpokenRelay relay(keeping(0));
    (void)relay.publish("wanted/old", "old"); // nothing of it is kept
    const auto publishOthers = [&](int count) {
        for (int i = 0; i < count; ++i) {
            (void)relay.publish("other/" + QByteArray::number(i), "x");
        }
    };
    publishOthers(kMost - 2);
    const quint64 start = 1;
    QCOMPARE(relay.read("wanted/*", since(relay.position(start))).resumed, Resumed::Exactly);
    (void)relay.publish("wanted/new", "new");
    const quint64 last = relay.channels.patterns().lastSequence();
    QCOMPARE(relay.read("wanted/*", since(relay.position(last))).resumed, Resumed::Exactly);

    publishOthers(kMost + 200); // the first of them again
    const Replay replay = relay.read("wanted/*", since(relay.position(last)));
    QCOMPARE(replay.resumed, Resumed::WithGap);
    QVERIFY(replay.looked >= kMost && replay.looked <= kMost + 100);
    QVERIFY(replay.messages.empty());
    QCOMPARE(replay.gapEnd, relay.position(relay.channels.patterns().lastSequence()));
    QCOMPARE(replay.start, replay.gapEnd);
    QVERIFY(relay.read("wanted/*", newest(1)).looked <= kMost + 100);
}

// Without a position no gap can be told: messages with others missing in between are not given.
void TestPatternReplay::givesTheNewestOfWhatItLookedAt()
{
    constexpr int kMost = PatternReplay::kMostLooked;
    ChannelRule others{patternOf("other/*"), keeping(0)};
    SpokenRelay relay(keeping(10), {others});
    (void)relay.publish("wanted/busy", "before");
    (void)relay.publish("wanted/quiet", "hidden");
    for (int i = 0; i < kMost + 200; ++i) {
        (void)relay.publish("other/" + QByteArray::number(i), "x");
    }
    (void)relay.publish("wanted/busy", "after");
    QCOMPARE(payloadsOf(relay.read("wanted/*", newest(5)).messages), QByteArrayList{"after"});
}

// An operator's clearing loses messages as anything else does.
void TestPatternReplay::aClearedHistoryIsAGap()
{
    SpokenRelay relay(keeping(10));
    const quint64 first = relay.publish("a", "1");
    const quint64 second = relay.publish("a", "2");
    (void)relay.publish("b", "3");
    QVERIFY(relay.channels.clearHistory(named("a")));
    const Replay replay = relay.read("*", since(relay.position(first)));
    QCOMPARE(replay.resumed, Resumed::WithGap);
    QCOMPARE(payloadsOf(replay.messages), QByteArrayList{"3"});
    QCOMPARE(replay.gapEnd, relay.position(second));
    QCOMPARE(relay.read("*", since(relay.position(second))).resumed, Resumed::Exactly);
}

// A replay among messages that are published: every message up to its end is given, whatever moves
// meanwhile.
void TestPatternReplay::nothingIsLostWhileChannelsAreSaid()
{
    constexpr int kPublishers = 2;
    constexpr int kNames = 300;
    constexpr int kReplays = 60;
    SpokenRelay relay(keeping(1'000'000));
    std::atomic<bool> isDone{false};
    std::vector<std::thread> publishers;
    publishers.reserve(kPublishers);
    for (int publisher = 0; publisher < kPublishers; ++publisher) {
        publishers.emplace_back([&, publisher] {
            for (int i = 0; !isDone; ++i) {
                const int name = (i * 7 + publisher) % kNames;
                const ChannelHandle channel =
                    relay.channels.acquire(named(QByteArray::number(name)));
                (void)relay.channels.publish(*channel, messageOf("x"));
                std::this_thread::yield();
            }
        });
    }
    QByteArray flaw;
    quint64 position = 0;
    quint64 seen = 0;
    for (int i = 0; i < kReplays && flaw.isEmpty(); ++i) {
        const auto joined =
            relay.channels.read(patternOf("**"), everything(), since(relay.position(position)));
        for (const MessagePtr &message : joined.replay.messages) {
            if (message->sequence != ++seen) {
                flaw = QByteArray::number(message->sequence) + " instead of "
                       + QByteArray::number(seen);
            }
        }
        if (joined.replay.resumed != Resumed::Exactly || seen != joined.sequence) {
            flaw += " not exact";
        }
        position = joined.sequence;
        while (relay.channels.patterns().lastSequence() < position + 50) {
            std::this_thread::yield();
        }
    }
    isDone = true;
    for (std::thread &publisher : publishers) {
        publisher.join();
    }
    QCOMPARE(flaw, QByteArray());
}

RELAY_TEST(TestPatternReplay)
#include "tst_pattern_replay.moc"
