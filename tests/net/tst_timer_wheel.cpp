#include "net/timer_wheel.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <vector>

using namespace relay;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// The wheel by a clock that the test turns: never early, late by at most a tick, once.
class TestTimerWheel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isSmall();
    void firesWithinItsTick_data();
    void firesWithinItsTick();
    void countsFromTheGivenTime();
    void waitsForAsManyRoundsAsItTakes();
    void catchesUpAfterALongPause();
    void scheduleAgainReplaces();
    void cancelledDoesNotFire();
    void destructionCancels();
    void callbackMayScheduleItself();
    void callbackMayCancelAndDeleteAnyone();
    void timersOutliveTheWheel();
    void agreesWithAnOracle();
};

namespace {

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): it is final
class Timer final : public WheelTimer
{
public:
    explicit Timer(std::function<void()> callback = {})
        : m_callback(std::move(callback))
    {}

    int fired = 0;

private:
    void expired() override
    {
        ++fired;
        if (m_callback) {
            const auto callback = m_callback; // the timer may be deleted in it
            callback();
        }
    }

    std::function<void()> m_callback;
};

constexpr TimePoint kWheelStart{12'345'678us};

} // namespace

/// Every client has one or two of them.
void TestTimerWheel::isSmall()
{
    QVERIFY(sizeof(WheelTimer) <= 40);
}

void TestTimerWheel::firesWithinItsTick_data()
{
    QTest::addColumn<int>("offset"); // of the moment of scheduling within a tick of 100 ms
    QTest::addColumn<int>("delay");
    for (const int offset : {0, 1, 50, 99}) {
        // one turn of the wheel is 25,600 ms
        for (const int delay :
             {-1, 0, 1, 99, 100, 101, 25'499, 25'500, 25'599, 25'600, 25'601, 51'200, 100'000})
        {
            QTest::addRow("%d ms at %d ms", delay, offset) << offset << delay;
        }
    }
}

void TestTimerWheel::firesWithinItsTick()
{
    QFETCH(int, offset);
    QFETCH(int, delay);
    TimerWheel wheel(100ms, kWheelStart);
    TimePoint now = kWheelStart + 700ms + milliseconds(offset);
    wheel.advance(now);
    Timer timer;
    wheel.schedule(timer, milliseconds(delay));
    QVERIFY(timer.isArmed());
    QVERIFY(!wheel.isEmpty());
    const TimePoint due = now + milliseconds(std::max(delay, 0));
    while (now < due + 100ms) {
        now += 1ms;
        wheel.advance(now);
        if (now < due) {
            QCOMPARE(timer.fired, 0);
        }
    }
    QCOMPARE(timer.fired, 1);
    QVERIFY(!timer.isArmed());
    QVERIFY(wheel.isEmpty());
    wheel.advance(now + 1h);
    QCOMPARE(timer.fired, 1);
}

/// Between two ticks the wheel's own idea of the time is old: who passes the time is not served
/// early.
void TestTimerWheel::countsFromTheGivenTime()
{
    TimerWheel wheel(100ms, kWheelStart);
    Timer lagging;
    Timer exact;
    wheel.schedule(lagging, 100ms);
    wheel.schedule(exact, 100ms, kWheelStart + 99ms);
    wheel.advance(kWheelStart + 198ms);
    QCOMPARE(lagging.fired, 1);
    QCOMPARE(exact.fired, 0);
    wheel.advance(kWheelStart + 200ms);
    QCOMPARE(exact.fired, 1);
}

void TestTimerWheel::waitsForAsManyRoundsAsItTakes()
{
    TimerWheel wheel(250ms, kWheelStart);
    Timer timer;
    Timer never;
    wheel.schedule(timer, 24h);
    wheel.schedule(never, milliseconds::max()); // does not overflow
    TimePoint now = kWheelStart;
    for (; now < kWheelStart + 24h; now += 250ms) {
        wheel.advance(now);
    }
    QCOMPARE(timer.fired, 0);
    wheel.advance(now);
    QCOMPARE(timer.fired, 1);
    QCOMPARE(never.fired, 0);
    QVERIFY(never.isArmed());
}

/// A machine that slept for years costs one turn of the wheel, not one step a tick.
void TestTimerWheel::catchesUpAfterALongPause()
{
    TimerWheel wheel(1ms, kWheelStart);
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 1000; ++i) {
        timers.push_back(std::make_unique<Timer>());
        wheel.schedule(*timers.back(), milliseconds(i));
    }
    wheel.advance(kWheelStart
                  + std::chrono::hours(24 * 365 * 50)); // 1.6e12 ticks: minutes if walked
    for (const auto &timer : timers) {
        QCOMPARE(timer->fired, 1);
    }
    QVERIFY(wheel.isEmpty());
}

void TestTimerWheel::scheduleAgainReplaces()
{
    TimerWheel wheel(100ms, kWheelStart);
    Timer timer;
    wheel.schedule(timer, 100ms);
    wheel.schedule(timer, 300ms);
    wheel.advance(kWheelStart + 200ms);
    QCOMPARE(timer.fired, 0);
    wheel.schedule(timer, 0ms); // at 300 ms
    wheel.advance(kWheelStart + 300ms);
    QCOMPARE(timer.fired, 1);
    QVERIFY(wheel.isEmpty());
}

void TestTimerWheel::cancelledDoesNotFire()
{
    TimerWheel wheel(100ms, kWheelStart);
    Timer timer;
    wheel.cancel(timer); // not armed: nothing to do
    wheel.schedule(timer, 100ms);
    wheel.cancel(timer);
    wheel.cancel(timer);
    QVERIFY(!timer.isArmed());
    QVERIFY(wheel.isEmpty());
    wheel.advance(kWheelStart + 1h);
    QCOMPARE(timer.fired, 0);
}

void TestTimerWheel::destructionCancels()
{
    TimerWheel wheel(100ms, kWheelStart);
    Timer other;
    wheel.schedule(other, 100ms);
    {
        Timer timer;
        wheel.schedule(timer, 100ms);
    }
    wheel.advance(kWheelStart + 1h);
    QCOMPARE(other.fired, 1);
    QVERIFY(wheel.isEmpty());
}

/// Without a delay it waits for the next tick: an advance() always ends.
void TestTimerWheel::callbackMayScheduleItself()
{
    TimerWheel wheel(100ms, kWheelStart);
    Timer *self = nullptr;
    Timer timer([&] { wheel.schedule(*self, 0ms); });
    self = &timer;
    wheel.schedule(timer, 0ms);
    wheel.advance(kWheelStart + 1h);
    QCOMPARE(timer.fired, 1);
    wheel.advance(kWheelStart + 1h + 99ms);
    QCOMPARE(timer.fired, 1);
    wheel.advance(kWheelStart + 1h + 100ms);
    QCOMPARE(timer.fired, 2);
}

/// Three are due in one tick; whichever is first deletes itself, cancels one of the others and puts
/// the last off.
void TestTimerWheel::callbackMayCancelAndDeleteAnyone()
{
    TimerWheel wheel(100ms, kWheelStart);
    std::array<std::unique_ptr<Timer>, 3> timers;
    int fired = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        timers[i] = std::make_unique<Timer>([&, i] {
            if (++fired > 1) {
                return;
            }
            timers[(i + 1) % 3].reset();
            wheel.schedule(*timers[(i + 2) % 3], 1s);
            timers[i].reset();
        });
        wheel.schedule(*timers[i], 100ms);
    }
    wheel.advance(kWheelStart + 100ms);
    QCOMPARE(fired, 1);
    QVERIFY(!wheel.isEmpty());
    wheel.advance(kWheelStart + 1100ms);
    QCOMPARE(fired, 2);
    QVERIFY(wheel.isEmpty());
}

void TestTimerWheel::timersOutliveTheWheel()
{
    Timer timer;
    {
        TimerWheel wheel(250ms, kWheelStart);
        wheel.schedule(timer, 1s);
    }
    QVERIFY(!timer.isArmed());
    TimerWheel another(250ms, kWheelStart);
    another.schedule(timer, 1s);
    another.advance(kWheelStart + 1s);
    QCOMPARE(timer.fired, 1);
}

/// Against a sorted list of due times, over random calls.
void TestTimerWheel::agreesWithAnOracle()
{
    const auto seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    constexpr auto kTick = 10ms;
    TimerWheel wheel(kTick, kWheelStart);
    TimePoint now = kWheelStart;
    std::multimap<TimePoint, std::size_t> oracle;
    std::vector<std::unique_ptr<Timer>> timers;
    std::vector<std::size_t> fired;
    for (std::size_t i = 0; i < 100; ++i) {
        timers.push_back(std::make_unique<Timer>([&fired, i] { fired.push_back(i); }));
    }
    const auto forget = [&](std::size_t index) {
        std::erase_if(oracle, [index](const auto &entry) { return entry.second == index; });
    };

    for (int step = 0; step < 50'000; ++step) {
        const auto index = static_cast<std::size_t>(random.bounded(100));
        switch (random.bounded(4)) {
        case 0:
        case 1: {
            const milliseconds delay(random.bounded(step % 2 ? 100 : 10'000));
            wheel.schedule(*timers[index], delay);
            forget(index);
            oracle.emplace(now + delay, index);
            break;
        }
        case 2:
            wheel.cancel(*timers[index]);
            forget(index);
            break;
        default:
            now +=
                std::chrono::microseconds(random.bounded(random.bounded(50) ? 20'000 : 5'000'000));
            wheel.advance(now);
            for (const std::size_t timer : fired) {
                const auto entry =
                    std::find_if(oracle.begin(), oracle.end(),
                                 [timer](const auto &e) { return e.second == timer; });
                QVERIFY(entry != oracle.end());
                QVERIFY(entry->first <= now); // never early
                oracle.erase(entry);
            }
            fired.clear();
            QVERIFY(oracle.empty()
                    || oracle.begin()->first > now - kTick); // late by a tick at most
            QCOMPARE(wheel.isEmpty(), oracle.empty());
        }
    }
}

RELAY_TEST(TestTimerWheel)
#include "tst_timer_wheel.moc"
