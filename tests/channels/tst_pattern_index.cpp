#include "channels/pattern_index.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <array>
#include <utility>

using namespace relay;

namespace {

struct Listener
{};
using Index = PatternIndex<Listener>;
using Added = std::pair<ChannelPattern, Listener *>;

ChannelName name(const QByteArray &text)
{
    return ChannelName::fromText(text).value();
}

ChannelPattern pattern(const QByteArray &text)
{
    return ChannelPattern::fromText(text).value();
}

QByteArrayList segmentsOf(const QByteArray &bytes)
{
    return bytes.isEmpty() ? QByteArrayList() : bytes.split('/');
}

/// What matching means, in obvious lines.
bool obviouslyMatches(const QByteArray &patternBytes, const QByteArray &nameBytes)
{
    QByteArrayList expected = segmentsOf(patternBytes);
    QByteArrayList actual = segmentsOf(nameBytes);
    if (actual.size() > 1 && actual[0] == "-") {
        return false;
    }
    if (!expected.isEmpty() && expected.last() == "**") {
        expected.removeLast();
        actual = actual.first(std::min(actual.size(), expected.size()));
    }
    if (expected.size() != actual.size()) {
        return false;
    }
    for (qsizetype i = 0; i < expected.size(); ++i) {
        if (expected[i] != "*" && expected[i] != actual[i]) {
            return false;
        }
    }
    return true;
}

/// Of few segments, so that much matches.
QByteArray randomText(QRandomGenerator &random, bool asPattern)
{
    static const std::array<QByteArray, 7> kSegments{"a", "b", "-", "aa", "***", "*", "*"};
    const quint32 choices = asPattern ? quint32{kSegments.size()} : quint32{kSegments.size()} - 2;
    QByteArrayList segments;
    for (quint32 n = random.bounded(6U); n > 0; --n) {
        segments += kSegments[random.bounded(choices)];
    }
    if (asPattern && random.bounded(3) == 0) {
        segments += "**";
    }
    return segments.join('/');
}

std::vector<Listener *> sorted(std::vector<Listener *> listeners)
{
    std::sort(listeners.begin(), listeners.end());
    return listeners;
}

std::vector<Listener *> matchedBy(const Index &index, const ChannelName &channel)
{
    std::vector<Listener *> found;
    index.match(channel, found);
    return sorted(std::move(found));
}

} // namespace

/// The index finds exactly those whose pattern matches, and forgets who leaves.
class TestPatternIndex : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void emptyMatchesNothing();
    void findsAllWaysToMatch();
    void reservedNamesMatchNothing();
    void samePairTwice();
    void removingWhatIsNotThere();
    void keepsWhatIsFoundAlready();
    void onlyNodesOfPatternsRemain();
    void longestPatterns();
    void agreesWithTheObviousMatcher();
};

void TestPatternIndex::emptyMatchesNothing()
{
    const Index index;
    QVERIFY(index.isEmpty());
    QCOMPARE(index.nodeCount(), 0);
    QVERIFY(matchedBy(index, name("/")).empty());
    QVERIFY(matchedBy(index, name("a/b")).empty());
}

void TestPatternIndex::findsAllWaysToMatch()
{
    static constexpr std::array kMatching{"a/b",    "a/*",  "*/b", "*/*",
                                          "a/b/**", "a/**", "**",  "*/**"};
    static constexpr std::array kOther{"/", "a", "*", "a/b/c", "a/b/*", "b/**", "*/*/*", "*/a"};
    Index index;
    std::array<Listener, kMatching.size()> matching{};
    std::vector<Listener *> expected;
    for (std::size_t i = 0; i < kMatching.size(); ++i) {
        index.add(pattern(kMatching[i]), &matching[i]);
        expected.push_back(&matching[i]);
    }
    Listener other;
    for (const char *text : kOther) {
        index.add(pattern(text), &other);
    }
    QVERIFY(matchedBy(index, name("a/b")) == sorted(expected));
}

// What is the relay's own cannot be overheard, by whatever pattern.
void TestPatternIndex::reservedNamesMatchNothing()
{
    Index index;
    Listener listener;
    for (const char *text : {"**", "*/*", "-/*", "-/**", "-/a"}) {
        index.add(pattern(text), &listener);
    }
    QVERIFY(matchedBy(index, name("-/a")).empty());
    QCOMPARE(matchedBy(index, name("-")).size(), 2U); // ** and -/**
}

// As many as were added, for each; one removal takes one.
void TestPatternIndex::samePairTwice()
{
    Index index;
    Listener listener;
    index.add(pattern("a/*"), &listener);
    index.add(pattern("a/*"), &listener);
    QCOMPARE(matchedBy(index, name("a/b")).size(), 2U);
    index.remove(pattern("a/*"), &listener);
    QCOMPARE(matchedBy(index, name("a/b")).size(), 1U);
    index.remove(pattern("a/*"), &listener);
    QVERIFY(index.isEmpty());
}

void TestPatternIndex::removingWhatIsNotThere()
{
    Index index;
    Listener listener;
    Listener stranger;
    index.add(pattern("a/*/c"), &listener);
    const qsizetype nodes = index.nodeCount();
    for (const char *text : {"a/*/c", "a/*/**", "a/*", "a", "/", "**", "a/*/c/d", "a/b/c", "x"}) {
        index.remove(pattern(text), &stranger);
        if (QByteArrayView(text) != QByteArrayView("a/*/c")) {
            index.remove(pattern(text), &listener);
        }
        QCOMPARE(index.nodeCount(), nodes);
    }
    QVERIFY(matchedBy(index, name("a/b/c")) == std::vector{&listener});
}

void TestPatternIndex::keepsWhatIsFoundAlready()
{
    Index index;
    Listener before;
    Listener listener;
    index.add(pattern("*"), &listener);
    std::vector<Listener *> found{&before};
    index.match(name("a"), found);
    QVERIFY((found == std::vector{&before, &listener}));
}

// The tree is as large as the patterns that are there, not as those that ever were.
void TestPatternIndex::onlyNodesOfPatternsRemain()
{
    Index index;
    Listener listener;
    index.add(pattern("**"), &listener);
    QCOMPARE(index.nodeCount(), 0);
    index.add(pattern("a/b/c"), &listener);
    QCOMPARE(index.nodeCount(), 3);
    index.add(pattern("a/*/**"), &listener);
    QCOMPARE(index.nodeCount(), 4);
    index.remove(pattern("a/b/c"), &listener);
    QCOMPARE(index.nodeCount(), 2);
    index.remove(pattern("a/*/**"), &listener);
    QCOMPARE(index.nodeCount(), 0);
    QVERIFY(!index.isEmpty());
    index.remove(pattern("**"), &listener);
    QVERIFY(index.isEmpty());
}

// The deepest tree and the most ways that names can have: 128 segments, each literal or `*`.
void TestPatternIndex::longestPatterns()
{
    Index index;
    Listener listener;
    const QByteArray literal = QByteArray("a/").repeated(127) + 'a';
    std::vector<ChannelPattern> patterns;
    for (qsizetype star = 0; star < literal.size(); star += 2) {
        QByteArray text = literal;
        text[star] = '*';
        patterns.push_back(pattern(text));
        index.add(patterns.back(), &listener);
    }
    QCOMPARE(matchedBy(index, name(literal)).size(), 128U);
    QByteArray oneDiffers = literal;
    oneDiffers[100] = 'b';
    QCOMPARE(matchedBy(index, name(oneDiffers)).size(), 1U);
    for (const ChannelPattern &each : patterns) {
        index.remove(each, &listener);
    }
    QVERIFY(index.isEmpty());
}

// Random patterns come and go; at each step the index, ChannelPattern::matches() and the obvious
// matcher agree on random names. In the end nothing is left.
void TestPatternIndex::agreesWithTheObviousMatcher()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    std::array<Listener, 8> listeners{};
    Index index;
    std::vector<Added> added;
    qsizetype found = 0;
    const auto removeOne = [&] {
        const auto victim = added.begin() + random.bounded(static_cast<int>(added.size()));
        index.remove(victim->first, victim->second);
        added.erase(victim);
    };

    for (int round = 0; round < 20000; ++round) {
        if (added.size() >= 60 || (!added.empty() && random.bounded(2) == 0)) {
            removeOne();
        } else {
            added.emplace_back(pattern(randomText(random, true)),
                               &listeners[random.bounded(quint32{listeners.size()})]);
            index.add(added.back().first, added.back().second);
        }
        const ChannelName channel = name(randomText(random, false));
        std::vector<Listener *> expected;
        for (const auto &[each, listener] : added) {
            const bool matches = obviouslyMatches(each.bytes(), channel.bytes());
            QVERIFY2(each.matches(channel) == matches,
                     QByteArray(each.bytes() + " and " + channel.bytes()).constData());
            if (matches) {
                expected.push_back(listener);
            }
        }
        QVERIFY2(matchedBy(index, channel) == sorted(expected), channel.bytes().constData());
        found += static_cast<qsizetype>(expected.size());
    }
    QVERIFY(found > 1000); // the names and patterns are such that they meet

    while (!added.empty()) {
        removeOne();
    }
    QVERIFY(index.isEmpty());
    QCOMPARE(index.nodeCount(), 0);
}

RELAY_TEST(TestPatternIndex)
#include "tst_pattern_index.moc"
