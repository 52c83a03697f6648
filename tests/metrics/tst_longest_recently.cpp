#include "metrics/longest_recently.h"

#include "support/test_main.h"

#include <QTest>

using namespace std::chrono_literals;
using relay::LongestRecently;
using relay::TimePoint;

namespace {

const TimePoint kSomeTime{1000s};

} // namespace

/// A maximum that forgets, by a clock that the test turns.
class TestLongestRecently : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothingIsZero();
    void theLongestCounts();
    void itIsForgottenAfterAMinute();
    void aLaterSlotTakesAnOldOnesPlace();
    void aVeryLongOneIsHeldToWhatFits();
};

void TestLongestRecently::nothingIsZero()
{
    QVERIFY(LongestRecently().value(kSomeTime) == 0s);
    QVERIFY(LongestRecently().value(TimePoint()) == 0s);
}

void TestLongestRecently::theLongestCounts()
{
    LongestRecently longest;
    longest.observe(2ms, kSomeTime);
    longest.observe(7ms, kSomeTime + 25s);
    longest.observe(3ms, kSomeTime + 25s);
    longest.observe(5ms, kSomeTime + 50s);
    QVERIFY(longest.value(kSomeTime + 50s) == 7ms);
}

// It is there for a minute, and gone a slot later: a dashboard that asks every 15 or 30 seconds cannot
// miss it, however many ask.
void TestLongestRecently::itIsForgottenAfterAMinute()
{
    LongestRecently longest;
    longest.observe(9ms, kSomeTime);
    longest.observe(1ms, kSomeTime + 40s);
    QVERIFY(longest.value(kSomeTime + 60s) == 9ms);
    QVERIFY(longest.value(kSomeTime + 60s) == 9ms);
    QVERIFY(longest.value(kSomeTime + 60s + LongestRecently::kSlot) == 1ms);
    QVERIFY(longest.value(kSomeTime + 1h) == 0s);
}

// After hours of silence the first short duration counts, whatever stood in its place.
void TestLongestRecently::aLaterSlotTakesAnOldOnesPlace()
{
    LongestRecently longest;
    longest.observe(1s, kSomeTime);
    longest.observe(1us, kSomeTime + 7 * LongestRecently::kSlot);
    QVERIFY(longest.value(kSomeTime + 7 * LongestRecently::kSlot) == 1us);
}

void TestLongestRecently::aVeryLongOneIsHeldToWhatFits()
{
    LongestRecently longest;
    longest.observe(100h, kSomeTime);
    QVERIFY(longest.value(kSomeTime) > 71min);
    longest.observe(1ms, kSomeTime + 20s);
    QVERIFY(longest.value(kSomeTime + 20s) > 71min);
}

RELAY_TEST(TestLongestRecently)
#include "tst_longest_recently.moc"
