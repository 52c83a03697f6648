#include "sequence_checker.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>
#include <array>
#include <random>
#include <set>

using relay::bench::SequenceChecker;

class TestSequenceChecker : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void judges_data();
    void judges();
    void keepsPublishersApart();
    void agreesWithASet();
    void tellsOrdersApart();
};

void TestSequenceChecker::judges_data()
{
    QTest::addColumn<QList<int>>("got");
    QTest::addColumn<int>("sent");
    QTest::addColumn<int>("lost");
    QTest::addColumn<int>("duplicated");
    QTest::addColumn<int>("outOfOrder");
    QTest::addRow("nothing sent") << QList<int>{} << 0 << 0 << 0 << 0;
    QTest::addRow("all") << QList<int>{0, 1, 2, 3} << 4 << 0 << 0 << 0;
    QTest::addRow("none came") << QList<int>{} << 4 << 4 << 0 << 0;
    QTest::addRow("the first lost") << QList<int>{1, 2, 3} << 4 << 1 << 0 << 0;
    QTest::addRow("the last lost") << QList<int>{0, 1, 2} << 4 << 1 << 0 << 0;
    QTest::addRow("a run lost") << QList<int>{0, 5, 6} << 7 << 4 << 0 << 0;
    QTest::addRow("one twice") << QList<int>{0, 1, 1, 2} << 3 << 0 << 1 << 0;
    QTest::addRow("one late") << QList<int>{0, 2, 1, 3} << 4 << 0 << 0 << 1;
    QTest::addRow("one late, twice") << QList<int>{0, 2, 1, 1, 3} << 4 << 0 << 1 << 1;
    QTest::addRow("late from the middle of a hole")
        << QList<int>{0, 6, 3, 4, 2, 1, 5} << 7 << 0 << 0 << 5;
    QTest::addRow("late, and its neighbours lost") << QList<int>{0, 4, 2} << 5 << 2 << 0 << 1;
    QTest::addRow("backwards") << QList<int>{3, 2, 1, 0} << 4 << 0 << 0 << 3;
}

// Each message of a publisher once and in order, or it is said what was wrong, and how often.
void TestSequenceChecker::judges()
{
    QFETCH(QList<int>, got);
    QFETCH(int, sent);
    SequenceChecker checker(1);
    for (const int sequence : got) {
        checker.observe(0, static_cast<std::uint64_t>(sequence));
    }
    QTEST(static_cast<int>(checker.lost(0, static_cast<std::uint64_t>(sent))), "lost");
    QTEST(static_cast<int>(checker.duplicated()), "duplicated");
    QTEST(static_cast<int>(checker.outOfOrder()), "outOfOrder");
    QCOMPARE(static_cast<qsizetype>(checker.received() + checker.duplicated()), got.size());
}

// One publisher's hole is not filled by another's message of the same number.
void TestSequenceChecker::keepsPublishersApart()
{
    SequenceChecker checker(3);
    checker.observe(1, 2);
    checker.observe(0, 0);
    checker.observe(2, 0);
    checker.observe(0, 1);
    QCOMPARE(checker.lost(0, 2), std::uint64_t{0});
    QCOMPARE(checker.lost(1, 3), std::uint64_t{2});
    QCOMPARE(checker.lost(2, 1), std::uint64_t{0});
    QCOMPARE(checker.skipped(), std::uint64_t{2});
    QCOMPARE(checker.duplicated(), std::uint64_t{0});
}

// Against the obvious: a set of what came.
void TestSequenceChecker::agreesWithASet()
{
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        std::uniform_int_distribution<unsigned> sequences(0, 40);
        SequenceChecker checker(2);
        std::array<std::set<unsigned>, 2> seen;
        std::uint64_t duplicated = 0;
        std::uint64_t outOfOrder = 0;
        for (int i = 0; i < 60; ++i) {
            const unsigned sequence = sequences(random);
            std::set<unsigned> &own = seen[sequence % 2];
            const bool isLate = !own.empty() && sequence < *own.rbegin();
            const bool isFresh = own.insert(sequence).second;
            duplicated += isFresh ? 0 : 1;
            outOfOrder += isFresh && isLate ? 1 : 0;
            checker.observe(sequence % 2, sequence);
        }
        const QByteArray at = "seed " + QByteArray::number(seed);
        QVERIFY2(checker.duplicated() == duplicated, at.constData());
        QVERIFY2(checker.outOfOrder() == outOfOrder, at.constData());
        for (std::size_t publisher = 0; publisher < 2; ++publisher) {
            QVERIFY2(checker.lost(publisher, 41) == 41 - seen[publisher].size(), at.constData());
        }
    }
}

// Two receivers of the same messages agree if, and only if, they saw the same interleaving.
void TestSequenceChecker::tellsOrdersApart()
{
    SequenceChecker one(2);
    SequenceChecker same(2);
    SequenceChecker other(2);
    for (SequenceChecker *checker : {&one, &same}) {
        checker->observe(0, 0);
        checker->observe(1, 0);
    }
    other.observe(1, 0);
    other.observe(0, 0);
    QCOMPARE(one.orderHash(), same.orderHash());
    QVERIFY(one.orderHash() != other.orderHash());
    QCOMPARE(other.outOfOrder(), std::uint64_t{0});
}

RELAY_TEST(TestSequenceChecker)
#include "tst_sequence_checker.moc"
