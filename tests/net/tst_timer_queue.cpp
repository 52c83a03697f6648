#include "net/timer_queue.h"

#include "support/test_main.h"

#include <QRandomGenerator>
#include <QTest>
#include <QTimerEvent>

#include <algorithm>
#include <functional>
#include <map>

using namespace relay;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// The dispatcher's timers, by a clock that the test turns.
class TestTimerQueue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void roundsWithinFivePercent();
    void roundsToSharedMoments_data();
    void roundsToSharedMoments();
    void repeatsWithoutDrift();
    void firesOnceHoweverLate();
    void isInOrderOfDeadline();
    void tellsWhatIsLeft();
    void nextDeadlineLeavesOutWhatIsBeingDelivered();
    void agreesWithAnOracle();
};

namespace {

class Recorder : public QObject
{
public:
    std::function<void(int id)> handler;
    QList<int> fired;

protected:
    void timerEvent(QTimerEvent *event) override
    {
        fired += event->timerId();
        if (handler) {
            handler(event->timerId());
        }
    }
};

constexpr TimePoint kStart{1000s};

} // namespace

/// A coarse timer may be moved, but never by more than 5 % of its interval.
void TestTimerQueue::roundsWithinFivePercent()
{
    for (int interval = 0; interval < 30'000; interval += 7) {
        for (const auto offset : {0us, 1us, 333us, 12'500us, 499'999us, 987'654us}) {
            const TimePoint expected = kStart + offset + milliseconds(interval);
            const TimePoint coarse =
                TimerQueue::roundedDeadline(expected, milliseconds(interval), Qt::CoarseTimer);
            QVERIFY(std::chrono::abs(coarse - expected) <= milliseconds(interval) / 20.0);
            QCOMPARE(
                TimerQueue::roundedDeadline(expected, milliseconds(interval), Qt::PreciseTimer),
                expected);
        }
    }
}

void TestTimerQueue::roundsToSharedMoments_data()
{
    QTest::addColumn<Qt::TimerType>("type");
    QTest::addColumn<int>("interval");
    QTest::addColumn<int>("expected"); // milliseconds after a whole second
    QTest::addColumn<int>("rounded");
    QTest::newRow("precise stays") << Qt::PreciseTimer << 1000 << 1003 << 1003;
    QTest::newRow("short stays") << Qt::CoarseTimer << 20 << 21 << 21;
    QTest::newRow("whole second within reach") << Qt::CoarseTimer << 1000 << 1049 << 1000;
    QTest::newRow("whole second later") << Qt::CoarseTimer << 1000 << 1951 << 2000;
    QTest::newRow("half second") << Qt::CoarseTimer << 1000 << 1540 << 1500;
    QTest::newRow("quarter") << Qt::CoarseTimer << 500 << 765 << 750;
    QTest::newRow("fifth") << Qt::CoarseTimer << 400 << 415 << 400;
    QTest::newRow("tenth") << Qt::CoarseTimer << 200 << 305 << 300;
    QTest::newRow("out of reach of all but 4 ms") << Qt::CoarseTimer << 60 << 63 << 64;
    QTest::newRow("from 20 s on always whole seconds")
        << Qt::CoarseTimer << 20'000 << 20'499 << 20'000;
    QTest::newRow("very coarse down") << Qt::VeryCoarseTimer << 1000 << 1499 << 1000;
    QTest::newRow("very coarse up") << Qt::VeryCoarseTimer << 1000 << 1500 << 2000;
}

/// Timers of different clients fire in one wake-up because they meet on round moments.
void TestTimerQueue::roundsToSharedMoments()
{
    QFETCH(Qt::TimerType, type);
    QFETCH(int, interval);
    QFETCH(int, expected);
    QFETCH(int, rounded);
    const TimePoint deadline =
        TimerQueue::roundedDeadline(kStart + milliseconds(expected), milliseconds(interval), type);
    QCOMPARE((deadline - kStart) / 1ms, rounded);
}

/// A repeating timer that is rounded each time still fires as often as its interval says.
void TestTimerQueue::repeatsWithoutDrift()
{
    TimerQueue queue;
    Recorder recorder;
    queue.add(1, 110ms, Qt::CoarseTimer, &recorder, kStart + 3ms);
    TimePoint now = kStart;
    while (now < kStart + 110s + 10ms) {
        now = std::max(now, *queue.nextDeadline());
        queue.fire(now);
    }
    QVERIFY(std::abs(recorder.fired.size() - 1000) <= 1);
    queue.removeAll(&recorder);
}

void TestTimerQueue::firesOnceHoweverLate()
{
    TimerQueue queue;
    Recorder recorder;
    queue.add(1, 10ms, Qt::PreciseTimer, &recorder, kStart);
    const TimePoint late = kStart + 1h + 3ms;
    QCOMPARE(queue.fire(late).timers, 1);
    QCOMPARE(queue.fire(late).timers, 0);
    QCOMPARE(queue.fire(late + 9ms).timers, 0);
    QCOMPARE(queue.fire(late + 10ms).timers, 1);
    // Late by less than an interval: the next is counted from when it should have fired.
    QCOMPARE(queue.fire(late + 25ms).timers, 1);
    QCOMPARE(queue.fire(late + 30ms).timers, 1);
    queue.removeAll(&recorder);
}

void TestTimerQueue::isInOrderOfDeadline()
{
    TimerQueue queue;
    Recorder recorder;
    queue.add(1, 30ms, Qt::PreciseTimer, &recorder, kStart);
    queue.add(2, 10ms, Qt::PreciseTimer, &recorder, kStart);
    queue.add(3, 20ms, Qt::PreciseTimer, &recorder, kStart);
    queue.add(4, 10ms, Qt::PreciseTimer, &recorder, kStart); // equal: first come, first served
    queue.add(5, 0ms, Qt::PreciseTimer, &recorder, kStart);
    const TimerQueue::Fired fired = queue.fire(kStart + 30ms);
    QCOMPARE(recorder.fired, QList<int>({5, 2, 4, 3, 1}));
    QCOMPARE(fired.timers, 5);
    QCOMPARE(fired.events, 4); // all but the one without an interval
    QVERIFY(queue.removeAll(&recorder));
    QVERIFY(!queue.removeAll(&recorder));
    QVERIFY(!queue.nextDeadline());
}

void TestTimerQueue::tellsWhatIsLeft()
{
    TimerQueue queue;
    Recorder recorder;
    Recorder other;
    queue.add(7, 10ms, Qt::PreciseTimer, &recorder, kStart);
    queue.add(8, 1400ms, Qt::VeryCoarseTimer, &recorder, kStart);
    queue.add(9, milliseconds::max(), Qt::PreciseTimer, &other, kStart); // does not overflow
    QCOMPARE(queue.remaining(7, kStart), 10ms);
    QCOMPARE(queue.remaining(7, kStart + 1us), 10ms);
    QCOMPARE(queue.remaining(7, kStart + 1ms), 9ms);
    QCOMPARE(queue.remaining(7, kStart + 11ms), 0ms);
    QCOMPARE(queue.remaining(6, kStart), -1ms);
    QVERIFY(queue.remaining(9, kStart) > 24h);
    const auto infos = queue.timersOf(&recorder);
    QCOMPARE(infos.size(), 2);
    for (const auto &info : infos) {
        QCOMPARE(info.interval, info.timerId == 7 ? 10 : 1000); // very coarse: whole seconds
    }
    QVERIFY(queue.remove(7));
    QVERIFY(!queue.remove(7));
    QCOMPARE(queue.timersOf(&recorder).size(), 1);
    queue.removeAll(&recorder);
    queue.removeAll(&other);
}

/// A nested loop must not spin because of the timer that it runs in.
void TestTimerQueue::nextDeadlineLeavesOutWhatIsBeingDelivered()
{
    TimerQueue queue;
    Recorder recorder;
    bool had = true;
    recorder.handler = [&](int) {
        had = queue.nextDeadline().has_value();
        QCOMPARE(queue.fire(kStart + 1h).timers, 0);
        QCOMPARE(queue.remaining(1, kStart + 10ms), 10ms);
    };
    queue.add(1, 10ms, Qt::PreciseTimer, &recorder, kStart);
    QCOMPARE(queue.fire(kStart + 10ms).timers, 1);
    QVERIFY(!had);
    QVERIFY(queue.nextDeadline() == kStart + 20ms);
    queue.removeAll(&recorder);
}

/// The heap and its indexes against a list that is searched from end to end.
void TestTimerQueue::agreesWithAnOracle()
{
    const auto seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    TimerQueue queue;
    Recorder recorder;
    std::map<int, std::pair<TimePoint, milliseconds>> oracle; // id -> deadline, interval
    TimePoint now = kStart;
    for (int step = 0; step < 20'000; ++step) {
        const int id = random.bounded(1, 200);
        switch (random.bounded(3)) {
        case 0: {
            const milliseconds interval(random.bounded(1, 500));
            queue.add(id, interval, Qt::PreciseTimer, &recorder, now);
            oracle[id] = {now + interval, interval};
            break;
        }
        case 1:
            QCOMPARE(queue.remove(id), oracle.erase(id) == 1);
            break;
        default:
            now += milliseconds(random.bounded(20));
            recorder.fired.clear();
            queue.fire(now);
            QList<int> due;
            for (auto &[timer, when] : oracle) {
                if (when.first > now) {
                    continue;
                }
                due += timer;
                when.first += when.second;
                if (when.first < now) {
                    when.first = now + when.second;
                }
            }
            std::sort(recorder.fired.begin(), recorder.fired.end());
            QCOMPARE(recorder.fired, due);
        }
    }
    queue.removeAll(&recorder);
}

RELAY_TEST(TestTimerQueue)
#include "tst_timer_queue.moc"
