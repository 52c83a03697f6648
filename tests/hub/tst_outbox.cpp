#include "hub/outbox.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <array>
#include <deque>

using namespace std::chrono_literals;
using relay::Chunk;
using relay::Outbox;
using relay::TimePoint;

namespace {

constexpr TimePoint kStart{1h};
constexpr qint64 kCost = Outbox::kChunkCost;

Chunk chunk(const QByteArray &bytes, quint32 messages = 1)
{
    Chunk result{bytes, {}, messages};
    result.bytes = result.storage;
    return result;
}

/// All that waits, as it would go to the wire.
QByteArray content(const Outbox &outbox)
{
    std::array<iovec, 4096> pieces{};
    const Outbox::Gathered gathered = outbox.gather(pieces);
    QByteArray all;
    for (std::size_t i = 0; i < gathered.pieces; ++i) {
        all.append(static_cast<const char *>(pieces[i].iov_base),
                   static_cast<qsizetype>(pieces[i].iov_len));
    }
    return all;
}

/// A chunk that counts as so much, its cost included.
Chunk chunkThatCounts(qint64 bytes)
{
    return chunk(QByteArray(bytes - kCost, 'x'));
}

/// What all that waits must count as.
qint64 costOfContent(const Outbox &outbox)
{
    std::array<iovec, 4096> pieces{};
    const Outbox::Gathered gathered = outbox.gather(pieces);
    return static_cast<qint64>(gathered.bytes) + static_cast<qint64>(gathered.pieces) * kCost;
}

} // namespace

class TestOutbox : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void answersByHowMuchWaits();
    void tinyPiecesCountWithTheirCost();
    void aRefusedPushChangesNothing();
    void knowsSinceWhenItIsPastTheMark();
    void writesInAnyPieces();
    void gathersNoMoreThanThereIsRoomFor();
    void aBegunChunkAlwaysFits();
    void lastWordsAlwaysFit();
    void dropsTheOldestWholeMessages_data();
    void dropsTheOldestWholeMessages();
    void dropsAllThatWasNotBegun_data();
    void dropsAllThatWasNotBegun();
    void agreesWithAPlainQueue();
};

// Three outcomes, by the total: at the mark it is still quick, at the limit it still fits.
void TestOutbox::answersByHowMuchWaits()
{
    Outbox atTheMark(1000);
    QVERIFY(atTheMark.isEmpty());
    QCOMPARE(atTheMark.push(chunkThatCounts(500), kStart), Outbox::Push::Queued);
    QCOMPARE(atTheMark.push(chunkThatCounts(501), kStart), Outbox::Push::Refused);

    Outbox pastTheMark(1000);
    QCOMPARE(pastTheMark.push(chunkThatCounts(501), kStart), Outbox::Push::QueuedPastMark);
    QCOMPARE(pastTheMark.push(chunkThatCounts(499), kStart), Outbox::Push::QueuedPastMark);
    QCOMPARE(pastTheMark.bytes(), 1000);
    QCOMPARE(pastTheMark.messages(), 2U);
    QCOMPARE(pastTheMark.push(chunk("d"), kStart), Outbox::Push::Refused);
    QVERIFY(!pastTheMark.isEmpty());
}

// The smallest frames are bounded by what they take in memory, not by their few bytes.
void TestOutbox::tinyPiecesCountWithTheirCost()
{
    constexpr int kPieces = 10;
    Outbox outbox(kPieces * (kCost + 2));
    for (int i = 0; i < kPieces; ++i) {
        QVERIFY(outbox.push(chunk("ab", 0), kStart) != Outbox::Push::Refused);
    }
    QCOMPARE(outbox.bytes(), outbox.maxBytes());
    QCOMPARE(outbox.push(chunk("a", 0), kStart), Outbox::Push::Refused);
    outbox.consume(1); // a byte is free, but no place
    QCOMPARE(outbox.push(chunk("a", 0), kStart), Outbox::Push::Refused);
    outbox.consume(1);
    QVERIFY(outbox.push(chunk("ab", 0), kStart) != Outbox::Push::Refused);
}

// What is refused can be tried again, or reported: nothing of it was taken.
void TestOutbox::aRefusedPushChangesNothing()
{
    Outbox outbox(2 * kCost + 10);
    QCOMPARE(outbox.push(chunk("0123"), kStart), Outbox::Push::Queued);
    QCOMPARE(outbox.push(chunk("toolong"), kStart), Outbox::Push::Refused);
    QCOMPARE(outbox.bytes(), kCost + 4);
    QCOMPARE(outbox.messages(), 1U);
    QVERIFY(!outbox.pastMarkSince());
    QCOMPARE(content(outbox), QByteArray("0123"));
}

// The grace runs from the first moment past the mark, and anew after every moment below it.
void TestOutbox::knowsSinceWhenItIsPastTheMark()
{
    Outbox outbox(1000);
    (void)outbox.push(chunkThatCounts(501), kStart);
    (void)outbox.push(chunk("7"), kStart + 5s);
    QCOMPARE(outbox.pastMarkSince(), std::optional(kStart));
    outbox.consume(static_cast<std::size_t>(kCost) + 1);
    QCOMPARE(outbox.bytes(), 501);
    QCOMPARE(outbox.pastMarkSince(), std::optional(kStart));
    outbox.consume(1);
    QVERIFY(!outbox.pastMarkSince()); // at the mark is not past it
    (void)outbox.push(chunk("8"), kStart + 9s);
    QCOMPARE(outbox.pastMarkSince(), std::optional(kStart + 9s));
    QCOMPARE(outbox.dropOldest(0, outbox.markBytes()), 1U); // "7": the first was begun
    QVERIFY(!outbox.pastMarkSince());
}

// However the kernel cuts what it takes, the bytes come out in order and messages count until their
// last byte.
void TestOutbox::writesInAnyPieces()
{
    for (std::size_t piece = 1; piece <= 12; ++piece) {
        Outbox outbox(4 * kCost + 12);
        (void)outbox.push(chunk("abc"), kStart);
        (void)outbox.push(chunk("defgh", 2), kStart);
        (void)outbox.push(chunk("!", 0), kStart);
        (void)outbox.push(chunk("ijk"), kStart);
        QByteArray written;
        while (!outbox.isEmpty()) {
            const QByteArray rest = content(outbox);
            const auto left = static_cast<std::size_t>(rest.size());
            const int pieces = left > 9 ? 4 : left > 4 ? 3 : left > 3 ? 2 : 1;
            QCOMPARE(outbox.bytes(), rest.size() + pieces * kCost);
            QCOMPARE(outbox.messages(), left > 9 ? 4U : left > 4 ? 3U : left > 0 ? 1U : 0U);
            const std::size_t taken = std::min(piece, left);
            written += rest.first(static_cast<qsizetype>(taken));
            outbox.consume(taken);
        }
        QCOMPARE(written, QByteArray("abcdefgh!ijk"));
        QCOMPARE(outbox.bytes(), 0);
        QCOMPARE(outbox.messages(), 0U);
    }
}

// One writev(2) takes a bounded number of pieces.
void TestOutbox::gathersNoMoreThanThereIsRoomFor()
{
    Outbox outbox(3 * kCost + 6);
    for (const char *bytes : {"ab", "cd", "ef"}) {
        (void)outbox.push(chunk(bytes), kStart);
    }
    std::array<iovec, 2> pieces{};
    const Outbox::Gathered gathered = outbox.gather(pieces);
    QCOMPARE(gathered.pieces, std::size_t{2});
    QCOMPARE(gathered.bytes, std::size_t{4});
    outbox.consume(gathered.bytes);
    QCOMPARE(content(outbox), QByteArray("ef"));
}

// A frame that the kernel has taken a part of must be finished: the stream would be torn otherwise.
void TestOutbox::aBegunChunkAlwaysFits()
{
    Outbox outbox(4);
    outbox.pushBegun(chunk("0123456789"), 3);
    QCOMPARE(content(outbox), QByteArray("3456789"));
    QCOMPARE(outbox.messages(), 1U);
    QCOMPARE(outbox.dropOldest(0, 0), 0U);
    QCOMPARE(outbox.dropUnwritten(), 0U);
    QCOMPARE(content(outbox), QByteArray("3456789"));
}

// A client that is closed for its full queue is told so behind what it is still sent.
void TestOutbox::lastWordsAlwaysFit()
{
    Outbox outbox(kCost + 4);
    (void)outbox.push(chunk("1234"), kStart);
    outbox.pushLast("bye");
    QCOMPARE(content(outbox), QByteArray("1234bye"));
    QCOMPARE(outbox.messages(), 1U);
}

void TestOutbox::dropsTheOldestWholeMessages_data()
{
    QTest::addColumn<int>("written");
    QTest::addColumn<qint64>("more");
    QTest::addColumn<qint64>("limit");
    QTest::addColumn<QByteArray>("left");
    QTest::addColumn<quint64>("dropped");
    // "aaa" "PP" "bbb" "ccc", 4 * kCost + 11: PP is a control frame.
    constexpr qint64 kLimit = 4 * kCost + 20;
    QTest::newRow("fits as it is")
        << 0 << qint64{9} << kLimit << QByteArray("aaaPPbbbccc") << quint64{0};
    QTest::newRow("one byte too much")
        << 0 << qint64{10} << kLimit << QByteArray("PPbbbccc") << quint64{1};
    QTest::newRow("one is just enough")
        << 0 << kCost + 12 << kLimit << QByteArray("PPbbbccc") << quint64{1};
    QTest::newRow("two go") << 0 << kCost + 13 << kLimit << QByteArray("PPccc") << quint64{2};
    QTest::newRow("all but control frames")
        << 0 << kLimit << kLimit << QByteArray("PP") << quint64{3};
    QTest::newRow("the begun one stays")
        << 1 << qint64{12} << kLimit << QByteArray("aaPPccc") << quint64{1};
    QTest::newRow("a begun control frame stays")
        << 4 << kLimit << kLimit << QByteArray("P") << quint64{2};
    QTest::newRow("the next is not begun")
        << 3 << kCost + 15 << kLimit << QByteArray("PPccc") << quint64{1};
    QTest::newRow("down to the mark")
        << 0 << qint64{0} << 3 * kCost + 8 << QByteArray("PPbbbccc") << quint64{1};
}

// drop_oldest: whole messages go, from the oldest on and no more than needed; pings, pongs and what
// is half written stay.
void TestOutbox::dropsTheOldestWholeMessages()
{
    QFETCH(int, written);
    QFETCH(qint64, more);
    QFETCH(qint64, limit);
    QFETCH(QByteArray, left);
    QFETCH(quint64, dropped);
    Outbox outbox(4 * kCost + 20);
    (void)outbox.push(chunk("aaa"), kStart);
    (void)outbox.push(chunk("PP", 0), kStart);
    (void)outbox.push(chunk("bbb"), kStart);
    (void)outbox.push(chunk("ccc"), kStart);
    outbox.consume(static_cast<std::size_t>(written));
    const quint64 before = outbox.messages();
    QCOMPARE(outbox.dropOldest(more, limit), dropped);
    QCOMPARE(content(outbox), left);
    QCOMPARE(outbox.bytes(), costOfContent(outbox));
    QCOMPARE(outbox.messages(), before - dropped);
}

void TestOutbox::dropsAllThatWasNotBegun_data()
{
    QTest::addColumn<int>("written");
    QTest::addColumn<QByteArray>("left");
    QTest::addColumn<quint64>("dropped");
    QTest::newRow("nothing was written") << 0 << QByteArray() << quint64{3};
    QTest::newRow("within the first") << 2 << QByteArray("a") << quint64{1};
    QTest::newRow("exactly the first") << 3 << QByteArray() << quint64{1};
    QTest::newRow("within the second") << 4 << QByteArray("bb") << quint64{0};
    QTest::newRow("all") << 6 << QByteArray() << quint64{0};
}

// A client that is closed as slow is sent the end of what was begun, and its close frame.
void TestOutbox::dropsAllThatWasNotBegun()
{
    QFETCH(int, written);
    QFETCH(QByteArray, left);
    QFETCH(quint64, dropped);
    Outbox outbox(2 * kCost + 20);
    (void)outbox.push(chunk("aaa", 2), kStart);
    (void)outbox.push(chunk("bbb"), kStart);
    outbox.consume(static_cast<std::size_t>(written));
    QCOMPARE(outbox.dropUnwritten(), dropped);
    QCOMPARE(content(outbox), left);
    QCOMPARE(outbox.isEmpty(), left.isEmpty());
    outbox.pushLast("bye");
    QCOMPARE(content(outbox), left + "bye");
}

// Against ten obvious lines: any mixture of pushes, writes and drops leaves the same bytes.
void TestOutbox::agreesWithAPlainQueue()
{
    struct Entry
    {
        QByteArray bytes;
        bool isMessage;
        bool isBegun;
    };
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    constexpr qint64 kLimit = 8000;
    Outbox outbox(kLimit);
    std::deque<Entry> plain;
    const auto bytesOf = [&plain] {
        QByteArray all;
        for (const Entry &entry : plain) {
            all += entry.bytes;
        }
        return all;
    };
    const auto costOf = [&] {
        return bytesOf().size() + static_cast<qint64>(plain.size()) * kCost;
    };
    for (int step = 0; step < 20'000; ++step) {
        const quint32 dice = random.bounded(100U);
        if (dice < 55) {
            const bool isMessage = random.bounded(10) > 0;
            const QByteArray bytes(1 + random.bounded(40), static_cast<char>(random.bounded(256)));
            const bool fits = costOf() + bytes.size() + kCost <= kLimit;
            const auto pushed = outbox.push(chunk(bytes, isMessage ? 1 : 0), kStart);
            QCOMPARE(pushed != Outbox::Push::Refused, fits);
            if (fits) {
                plain.push_back({bytes, isMessage, false});
            }
        } else if (dice < 98) {
            qsizetype left = std::min<qsizetype>(random.bounded(60), bytesOf().size());
            outbox.consume(static_cast<std::size_t>(left));
            while (left > 0) {
                Entry &first = plain.front();
                const qsizetype taken = std::min(left, first.bytes.size());
                first.bytes.remove(0, taken);
                first.isBegun = true;
                left -= taken;
                if (first.bytes.isEmpty()) {
                    plain.pop_front();
                }
            }
        } else {
            const qint64 limit = random.bounded(static_cast<int>(kLimit));
            quint64 dropped = 0;
            for (auto it = plain.begin(); it != plain.end() && costOf() > limit;) {
                const bool goes = it->isMessage && !it->isBegun;
                dropped += goes ? 1 : 0;
                it = goes ? plain.erase(it) : it + 1;
            }
            QCOMPARE(outbox.dropOldest(0, limit), dropped);
        }
        QCOMPARE(outbox.bytes(), costOf());
        QCOMPARE(content(outbox), bytesOf());
    }
}

RELAY_TEST(TestOutbox)
#include "tst_outbox.moc"
