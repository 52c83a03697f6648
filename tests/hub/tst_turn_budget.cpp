#include "hub/rate_window.h"
#include "hub/turn_budget.h"

#include "support/test_main.h"

#include <QTest>

using namespace std::chrono_literals;
using relay::RateWindow;
using relay::TimePoint;
using relay::TurnBudget;

namespace {

TimePoint fakeNow;
int fakeClockReads = 0;

TimePoint readFakeClock()
{
    ++fakeClockReads;
    return fakeNow;
}

} // namespace

/// What a turn and a client may use, by a clock that the test turns.
class TestTurnBudget : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void aTurnIsAsLongAsItTakes();
    void aTurnIsSpentAtItsLimit();
    void smallTurnsReadTheClockTwice();
    void aSecondTakesWhatTheLimitSays();
    void theNextSecondBeginsAnew();
    void aSteadyRateAtTheLimitIsNeverRefused();
};

void TestTurnBudget::init()
{
    fakeNow = TimePoint(100s);
    fakeClockReads = 0;
}

// The length of a turn is counted from its first call to its end, and no turn inherits another one's.
void TestTurnBudget::aTurnIsAsLongAsItTakes()
{
    TurnBudget turn(&readFakeClock);
    QVERIFY(turn.now() == fakeNow);
    fakeNow += 3ms;
    QVERIFY(turn.now() == fakeNow - 3ms); // a turn has one time
    const TurnBudget::Turn first = turn.end();
    QVERIFY(first.length == 3ms);
    QVERIFY(first.end == fakeNow);
    fakeNow += 1h; // the worker slept
    QVERIFY(turn.now() == fakeNow);
    fakeNow += 1ms;
    QVERIFY(turn.end().length == 1ms);
}

// Nothing is spent before the limit; at the limit it is, and stays so until the turn ends.
void TestTurnBudget::aTurnIsSpentAtItsLimit()
{
    TurnBudget turn(&readFakeClock);
    (void)turn.now();
    fakeNow += TurnBudget::kMaxReading - 1ns;
    turn.spend(TurnBudget::kWorkPerLook);
    QVERIFY(!turn.isSpent());
    fakeNow += 1ns;
    turn.spend(TurnBudget::kWorkPerLook - 1);
    QVERIFY(!turn.isSpent()); // it is not looked at for so little
    turn.spend(1);
    QVERIFY(turn.isSpent());
    (void)turn.end();
    QVERIFY(!turn.isSpent());
    turn.spend(TurnBudget::kWorkPerLook);
    QVERIFY(!turn.isSpent());
}

// A client that sends a few frames at a time costs no look at the clock: a turn reads it when it
// begins and when it ends.
void TestTurnBudget::smallTurnsReadTheClockTwice()
{
    TurnBudget turn(&readFakeClock);
    for (int i = 0; i < TurnBudget::kWorkPerLook - 1; ++i) {
        (void)turn.now();
        turn.spend(1);
    }
    (void)turn.end();
    QCOMPARE(fakeClockReads, 2);
}

// limits.control_frames: as many as it says are taken, and not one more.
void TestTurnBudget::aSecondTakesWhatTheLimitSays()
{
    RateWindow window;
    for (int i = 0; i < 100; ++i) {
        QVERIFY(window.admit(100, fakeNow + i * 9ms));
    }
    QVERIFY(!window.admit(100, fakeNow + 999ms));
}

// What was sent in one second is not held against the next.
void TestTurnBudget::theNextSecondBeginsAnew()
{
    RateWindow window;
    QVERIFY(window.admit(1, fakeNow));
    QVERIFY(!window.admit(1, fakeNow + 1s - 1ns));
    QVERIFY(window.admit(1, fakeNow + 1s));
    QVERIFY(!window.admit(1, fakeNow + 1s));
    QVERIFY(window.admit(1, fakeNow + 1h));
}

void TestTurnBudget::aSteadyRateAtTheLimitIsNeverRefused()
{
    RateWindow window;
    for (int i = 0; i < 1000; ++i) {
        QVERIFY(window.admit(10, fakeNow + i * 100ms));
    }
}

RELAY_TEST(TestTurnBudget)
#include "tst_turn_budget.moc"
