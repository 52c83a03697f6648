#include "channels/history.h"

#include "fixtures.h"
#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <deque>
#include <limits>

using namespace std::chrono_literals;
using relay::ChannelOptions;
using relay::History;
using relay::Message;
using relay::MessagePtr;
using relay::TimePoint;
using relay::test::allocatedBytes;
using relay::test::costOf;
using relay::test::kStart;
using relay::test::messageOf;

namespace {

/// What comes to no limit by itself.
constexpr ChannelOptions::History kRoomy{1000, 1 << 20, 0ms};

MessagePtr numbered(quint64 sequence, const QByteArray &payload, TimePoint acceptedAt = kStart)
{
    auto message = messageOf(payload, acceptedAt);
    message->sequence = sequence;
    return message;
}

QList<quint64> sequencesOf(const History &history)
{
    QList<quint64> sequences;
    for (const MessagePtr &message : history.messages()) {
        sequences.append(message->sequence);
    }
    return sequences;
}

/// What a History should do, by obvious loops.
struct ObviousHistory
{
    const ChannelOptions::History limits;
    std::deque<MessagePtr> messages = {};
    quint64 forgotten = 0;

    void append(const MessagePtr &message)
    {
        messages.push_back(message);
        while (!messages.empty() && isTooMuch(*message)) {
            dropOldest();
        }
    }
    void expire(TimePoint now)
    {
        while (!messages.empty() && limits.age > 0ms
               && messages.front()->acceptedAt + limits.age <= now) {
            dropOldest();
        }
    }
    void dropOldest()
    {
        forgotten = messages.front()->sequence;
        messages.pop_front();
    }

private:
    [[nodiscard]] bool isTooMuch(const Message &newest) const
    {
        qint64 bytes = 0;
        for (const MessagePtr &message : messages) {
            bytes += message->frame.payload().size();
        }
        return newest.frame.payload().size() > limits.size || bytes > limits.size
               || messages.size() > static_cast<std::size_t>(limits.messages);
    }
};

} // namespace

class TestHistory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsTheNewest_data();
    void keepsTheNewest();
    void forgetsByAge_data();
    void forgetsByAge();
    void whatIsKeptBehindALongMessageIsWithoutAHole();
    void saysWhenTheOldestExpires();
    void dropsWhatItIsToldTo();
    void takesNoMoreTheLongerItIsUsed();
    void doesAsAnObviousOneDoes();
};

void TestHistory::keepsTheNewest_data()
{
    using Sizes = QList<qsizetype>;
    using Sequences = QList<quint64>;
    QTest::addColumn<int>("messages");
    QTest::addColumn<qint64>("size");
    QTest::addColumn<Sizes>("payloads");
    QTest::addColumn<Sequences>("kept");
    QTest::addColumn<quint64>("forgotten");
    const auto row = [](const char *name, int messages, qint64 size, const Sizes &payloads,
                        const Sequences &kept, quint64 forgotten) {
        QTest::newRow(name) << messages << size << payloads << kept << forgotten;
    };
    row("nothing", 3, 100, {}, {}, 0);
    row("messages: at the limit", 3, 100, {1, 1, 1}, {1, 2, 3}, 0);
    row("messages: one past", 3, 100, {1, 1, 1, 1}, {2, 3, 4}, 1);
    row("messages: many past", 3, 100, {1, 1, 1, 1, 1, 1, 1, 1}, {6, 7, 8}, 5);
    row("messages: one", 1, 100, {1, 1}, {2}, 1);
    row("messages: none", 0, 100, {1, 1}, {}, 2);
    row("bytes: at the limit", 100, 10, {4, 3, 3}, {1, 2, 3}, 0);
    row("bytes: one past", 100, 10, {4, 3, 4}, {2, 3}, 1);
    row("bytes: one pushes many out", 100, 10, {1, 1, 1, 1, 1, 1, 9}, {6, 7}, 5);
    row("bytes: one as long as all may be", 100, 10, {1, 1, 10}, {3}, 2);
    row("bytes: one that is longer is not kept", 100, 10, {1, 1, 11}, {}, 3);
    row("bytes: and the next one is", 100, 10, {1, 11, 1}, {3}, 2);
    row("bytes: none, and empty messages", 100, 0, {0, 0}, {1, 2}, 0);
    row("bytes: none, and one that is not empty", 100, 0, {0, 1}, {}, 2);
    row("both: bytes first", 3, 10, {5, 5, 5}, {2, 3}, 1);
    row("both: messages first", 2, 10, {1, 1, 9}, {2, 3}, 1);
}

// Bounded: a channel keeps at most so many messages and bytes, always the newest, and knows which
// was the last that it does not have any more.
void TestHistory::keepsTheNewest()
{
    QFETCH(int, messages);
    QFETCH(qint64, size);
    QFETCH(QList<qsizetype>, payloads);
    QFETCH(QList<quint64>, kept);
    QFETCH(quint64, forgotten);
    History history({messages, size, 0ms});
    qint64 grown = 0;
    quint64 sequence = 0;
    for (const qsizetype bytes : payloads) {
        grown += history.append(numbered(++sequence, QByteArray(bytes, 'x')));
    }
    QCOMPARE(sequencesOf(history), kept);
    QCOMPARE(history.forgottenSequence(), forgotten);
    QCOMPARE(history.isEmpty(), kept.isEmpty());
    qint64 cost = 0;
    for (const MessagePtr &message : history.messages()) {
        cost += message->cost();
    }
    QCOMPARE(history.bytes(), cost);
    QCOMPARE(grown, cost); // what the ledger is told adds up
}

void TestHistory::forgetsByAge_data()
{
    QTest::addColumn<std::chrono::nanoseconds>(
        "elapsed"); // since the first of three, a second apart
    QTest::addColumn<QList<quint64>>("kept");
    using Sequences = QList<quint64>;
    QTest::newRow("at once") << std::chrono::nanoseconds(0) << Sequences{1, 2, 3};
    QTest::newRow("just before the limit")
        << std::chrono::nanoseconds(60s - 1ns) << Sequences{1, 2, 3};
    QTest::newRow("at the limit") << std::chrono::nanoseconds(60s) << Sequences{2, 3};
    QTest::newRow("just before the second's")
        << std::chrono::nanoseconds(61s - 1ns) << Sequences{2, 3};
    QTest::newRow("at the second's") << std::chrono::nanoseconds(61s) << Sequences{3};
    QTest::newRow("at the last one's") << std::chrono::nanoseconds(62s) << Sequences{};
    QTest::newRow("long after") << std::chrono::nanoseconds(24h) << Sequences{};
}

// What is as old as history.age is gone; what is younger is not.
void TestHistory::forgetsByAge()
{
    QFETCH(std::chrono::nanoseconds, elapsed);
    QFETCH(QList<quint64>, kept);
    History history({1000, 1 << 20, 60s});
    History ageless(kRoomy);
    for (quint64 i = 1; i <= 3; ++i) {
        const MessagePtr message = numbered(i, "12345", kStart + std::chrono::seconds(i - 1));
        (void)history.append(message);
        (void)ageless.append(message);
    }
    const qsizetype gone = 3 - kept.size();
    QCOMPARE(history.expire(kStart + elapsed), -gone * costOf(5));
    QCOMPARE(sequencesOf(history), kept);
    QCOMPARE(history.bytes(), kept.size() * costOf(5));
    QCOMPARE(history.forgottenSequence(), static_cast<quint64>(gone));
    QCOMPARE(ageless.expire(kStart + elapsed), 0); // age: 0 is never
    QCOMPARE(ageless.messages().size(), std::size_t{3});
}

// A history has no holes: what would be before a message that is too long to be kept goes, too, so
// that a listener who resumes behind it is told of the gap.
void TestHistory::whatIsKeptBehindALongMessageIsWithoutAHole()
{
    History history({1000, 100, 0ms});
    for (quint64 i = 1; i <= 5; ++i) {
        (void)history.append(numbered(i, "x"));
    }
    QCOMPARE(history.append(numbered(6, QByteArray(101, 'x'))), -5 * costOf(1));
    QVERIFY(history.isEmpty());
    QCOMPARE(history.bytes(), 0);
    (void)history.append(numbered(7, "x"));
    QCOMPARE(sequencesOf(history), QList<quint64>{7});
    QCOMPARE(history.forgottenSequence(), 6U);
}

// The ledger files a channel under this moment: too late keeps memory, too early wakes for nothing.
void TestHistory::saysWhenTheOldestExpires()
{
    History history({2, 1 << 20, 60s});
    QCOMPARE(history.expiresAt(), TimePoint::max());
    for (quint64 i = 1; i <= 3; ++i) {
        (void)history.append(numbered(i, "x", kStart + std::chrono::seconds(i)));
        QCOMPARE(history.expiresAt(), kStart + std::chrono::seconds(i == 3 ? 2 : 1) + 60s);
    }
    (void)history.clear();
    QCOMPARE(history.expiresAt(), TimePoint::max());

    History ageless(kRoomy);
    (void)ageless.append(numbered(1, "x"));
    QCOMPARE(ageless.expiresAt(), TimePoint::max());
}

// What the budget of all channels takes is forgotten like any other, and its memory is freed.
void TestHistory::dropsWhatItIsToldTo()
{
    History history(kRoomy);
    std::weak_ptr<const Message> first;
    for (quint64 i = 1; i <= 3; ++i) {
        const MessagePtr message = numbered(i, "x");
        first = i == 1 ? message : first.lock();
        (void)history.append(message);
    }
    QCOMPARE(history.oldest()->sequence, 1U);
    QCOMPARE(history.dropOldest(), -costOf(1));
    QVERIFY(first.expired());
    QCOMPARE(sequencesOf(history), (QList<quint64>{2, 3}));
    QCOMPARE(history.forgottenSequence(), 1U);
    QCOMPARE(history.clear(), -2 * costOf(1));
    QVERIFY(history.isEmpty());
    QCOMPARE(history.bytes(), 0);
    QCOMPARE(history.forgottenSequence(), 3U);
    QCOMPARE(history.clear(), 0);
}

// A channel that is spoken in for weeks takes what its limits allow, and nothing once it is empty.
void TestHistory::takesNoMoreTheLongerItIsUsed()
{
    if (allocatedBytes() == 0) {
        QSKIP("this allocator does not say what it has given out");
    }
    const std::size_t before = allocatedBytes();
    History history({1000, 1 << 20, 0ms});
    for (quint64 i = 1; i <= 100'000; ++i) {
        (void)history.append(numbered(i, "x"));
    }
    QVERIFY(allocatedBytes() < before + static_cast<std::size_t>(history.bytes() * 11 / 10));
    (void)history.clear();
    QVERIFY(allocatedBytes() < before + 8192); // what the allocator holds ready for itself
}

// Random use against a deque and obvious loops.
void TestHistory::doesAsAnObviousOneDoes()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    QRandomGenerator random(seed);
    for (int round = 0; round < 40; ++round) {
        const ChannelOptions::History limits{random.bounded(40), random.bounded(400),
                                             std::chrono::milliseconds(random.bounded(200))};
        History history(limits);
        ObviousHistory oracle{limits};
        qint64 grown = 0;
        TimePoint now = kStart;
        for (quint64 sequence = 1; sequence <= 300; ++sequence) {
            now += std::chrono::milliseconds(random.bounded(20));
            const int action = random.bounded(8);
            if (action == 0) {
                grown += history.expire(now);
                oracle.expire(now);
            } else if (action == 1 && !history.isEmpty()) {
                grown += history.dropOldest();
                oracle.dropOldest();
            } else {
                const MessagePtr message =
                    numbered(sequence, QByteArray(random.bounded(120), 'x'), now);
                grown += history.append(message);
                oracle.append(message);
            }
            const auto messages = history.messages();
            QVERIFY2(std::equal(messages.begin(), messages.end(), oracle.messages.begin(),
                                oracle.messages.end()),
                     qPrintable(QStringLiteral("seed %1").arg(seed)));
            QCOMPARE(history.forgottenSequence(), oracle.forgotten);
            QCOMPARE(history.bytes(), grown);
        }
        for (const MessagePtr &message : oracle.messages) {
            QCOMPARE(message.use_count(), 2L); // and the dropped ones are gone
        }
    }
}

RELAY_TEST(TestHistory)
#include "tst_history.moc"
