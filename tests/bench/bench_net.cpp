#include "net/dispatcher_harness.h"
#include "net/timer_wheel.h"

#include "support/test_main.h"

#include <QAbstractEventDispatcher>
#include <QSocketNotifier>
#include <QTest>

#include <sys/epoll.h>

#include <atomic>
#include <deque>
#include <latch>
#include <memory>
#include <vector>

using namespace std::chrono_literals;
using relay::Clock;
using relay::DescriptorWatcher;
using relay::EpollDispatcher;
using relay::TimerWheel;
using relay::WheelTimer;
using relay::test::DispatcherKind;
using relay::test::runOn;
using relay::test::SocketPair;

namespace {

constexpr int kIdleDescriptors = 1000;
constexpr int kTimers = 10'000;
/// Far from the ids that QObject::startTimer() hands out.
constexpr int kFirstTimerId = 1'000'000;

/// Reads what comes, and counts.
class Reader final : public DescriptorWatcher
{
public:
    explicit Reader(const SocketPair &pair)
        : m_pair(pair)
    {}
    void descriptorReady(std::uint32_t /*events*/) override { read(); }
    void read()
    {
        m_pair.drain();
        ++reads;
    }

    int reads = 0;

private:
    const SocketPair &m_pair;
};

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): it is final
class CountingTimer final : public WheelTimer
{
public:
    explicit CountingTimer(quint64 &fired)
        : m_fired(fired)
    {}

private:
    void expired() override { ++m_fired; }

    quint64 &m_fired;
};

void turn()
{
    QAbstractEventDispatcher::instance()->processEvents(QEventLoop::AllEvents);
}

/// A thread that turns its loop, and at the end of each turn answers what was asked before it.
class Woken final : public QThread
{
public:
    explicit Woken(DispatcherKind kind)
    {
        if (kind == DispatcherKind::Epoll) {
            setEventDispatcher(new EpollDispatcher); // owned by the thread
        }
        start();
        m_isRunning.wait(false);
    }
    ~Woken() override
    {
        m_isEnding = true;
        eventDispatcher()->wakeUp();
        m_mayEnd.count_down(); // not before: the dispatcher ends with the thread
        m_isDone.wait();       // the thread sanitizer does not see into QThread::wait()
        wait();
    }
    Q_DISABLE_COPY_MOVE(Woken)

    /// There and back.
    void wakeAndWait()
    {
        const int question = ++m_asked;
        eventDispatcher()->wakeUp();
        for (int answer = m_answered; answer != question; answer = m_answered) {
            m_answered.wait(answer);
        }
    }

protected:
    void run() override
    {
        QAbstractEventDispatcher *dispatcher = eventDispatcher();
        m_isRunning = true;
        m_isRunning.notify_one();
        while (!m_isEnding) {
            dispatcher->processEvents(QEventLoop::WaitForMoreEvents);
            m_answered = m_asked.load();
            m_answered.notify_one();
        }
        m_mayEnd.wait();
        m_isDone.count_down();
    }

private:
    std::atomic<bool> m_isRunning{false};
    std::atomic<bool> m_isEnding{false};
    std::latch m_mayEnd{1};
    std::latch m_isDone{1};
    std::atomic<int> m_asked{0};
    std::atomic<int> m_answered{0};
};

} // namespace

Q_DECLARE_METATYPE(relay::test::DispatcherKind)

/// The epoll dispatcher beside Qt's own, and the timer wheel beside nothing.
class BenchNet : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void notifierEvent_data() { kindsAndIdle(); }
    void notifierEvent();
    void watcherEvent_data() { idle(); }
    void watcherEvent();
    void wakeUpRoundTrip_data() { kinds(); }
    void wakeUpRoundTrip();
    void timersComeAndGo_data() { kinds(); }
    void timersComeAndGo();
    void turnAmongTimers_data() { kinds(); }
    void turnAmongTimers();
    void wheelSchedules();
    void wheelTurns();

private:
    static void kinds();
    static void idle();
    static void kindsAndIdle();
};

void BenchNet::kinds()
{
    QTest::addColumn<DispatcherKind>("kind");
    QTest::newRow("Qt's") << DispatcherKind::Qt;
    QTest::newRow("epoll") << DispatcherKind::Epoll;
}

void BenchNet::idle()
{
    QTest::addColumn<int>("idle");
    QTest::newRow("epoll, alone") << 0;
    QTest::newRow("epoll, among 1,000 idle") << kIdleDescriptors;
}

void BenchNet::kindsAndIdle()
{
    QTest::addColumn<DispatcherKind>("kind");
    QTest::addColumn<int>("idle");
    QTest::newRow("Qt's, alone") << DispatcherKind::Qt << 0;
    QTest::newRow("epoll, alone") << DispatcherKind::Epoll << 0;
    QTest::newRow("Qt's, among 1,000 idle") << DispatcherKind::Qt << kIdleDescriptors;
    QTest::newRow("epoll, among 1,000 idle") << DispatcherKind::Epoll << kIdleDescriptors;
}

// One descriptor becomes ready and is read: send, turn, recv. Qt's dispatcher polls all that are
// open, epoll does not see the idle ones.
void BenchNet::notifierEvent()
{
    QFETCH(DispatcherKind, kind);
    QFETCH(int, idle);
    int reads = 0;
    int runs = 0;
    runOn(kind, [&] {
        std::deque<SocketPair> pairs(static_cast<std::size_t>(idle));
        std::vector<std::unique_ptr<QSocketNotifier>> notifiers;
        notifiers.reserve(pairs.size());
        for (const SocketPair &other : pairs) {
            notifiers.push_back(
                std::make_unique<QSocketNotifier>(other.near(), QSocketNotifier::Read));
        }
        const SocketPair pair;
        Reader reader(pair);
        QSocketNotifier notifier(pair.near(), QSocketNotifier::Read);
        QObject::connect(&notifier, &QSocketNotifier::activated, &notifier,
                         [&reader] { reader.read(); });
        QBENCHMARK {
            pair.makeReadable();
            turn();
            ++runs;
        }
        reads = reader.reads;
    });
    QCOMPARE(reads, runs);
}

// The same as the relay's own sockets have it: no notifier object, no event, no signal.
void BenchNet::watcherEvent()
{
    QFETCH(int, idle);
    int reads = 0;
    int runs = 0;
    runOn(DispatcherKind::Epoll, [&] {
        EpollDispatcher &dispatcher = EpollDispatcher::current();
        std::deque<SocketPair> pairs(static_cast<std::size_t>(idle));
        std::deque<Reader> others;
        for (const SocketPair &other : pairs) {
            dispatcher.watch(other.near(), EPOLLIN, others.emplace_back(other));
        }
        const SocketPair pair;
        Reader reader(pair);
        dispatcher.watch(pair.near(), EPOLLIN, reader);
        QBENCHMARK {
            pair.makeReadable();
            turn();
            ++runs;
        }
        reads = reader.reads;
        dispatcher.unwatch(pair.near());
        for (const SocketPair &other : pairs) {
            dispatcher.unwatch(other.near());
        }
    });
    QCOMPARE(reads, runs);
}

// Another thread is woken from its wait and answers.
void BenchNet::wakeUpRoundTrip()
{
    QFETCH(DispatcherKind, kind);
    Woken woken(kind);
    QBENCHMARK {
        woken.wakeAndWait();
    }
}

// 10,000 timers are started and stopped, oldest first.
void BenchNet::timersComeAndGo()
{
    QFETCH(DispatcherKind, kind);
    int stopped = 0;
    int runs = 0;
    runOn(kind, [&] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        QObject object;
        QBENCHMARK {
            for (int id = kFirstTimerId; id < kFirstTimerId + kTimers; ++id) {
                dispatcher->registerTimer(id, 30'000 + id % 1000, Qt::CoarseTimer, &object);
            }
            for (int id = kFirstTimerId; id < kFirstTimerId + kTimers; ++id) {
                stopped += dispatcher->unregisterTimer(id) ? 1 : 0;
            }
            ++runs;
        }
    });
    QCOMPARE(stopped, runs * kTimers);
}

// A turn in which one timer is due (it has no interval, so it is due in each) while 10,000 wait.
void BenchNet::turnAmongTimers()
{
    QFETCH(DispatcherKind, kind);
    int runs = 0;
    int fired = 0;
    runOn(kind, [&] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        QObject object;
        for (int id = kFirstTimerId; id < kFirstTimerId + kTimers; ++id) {
            dispatcher->registerTimer(id, 30'000'000 + id % 1000, Qt::CoarseTimer, &object);
        }
        QTimer due;
        QObject::connect(&due, &QTimer::timeout, &due, [&fired] { ++fired; });
        due.start(0);
        QBENCHMARK {
            turn();
            ++runs;
        }
        dispatcher->unregisterTimers(&object);
    });
    QVERIFY(fired >= runs);
}

// 10,000 clients' deadlines are set anew, as when each of them was heard of.
void BenchNet::wheelSchedules()
{
    const auto now = Clock::now();
    TimerWheel wheel(100ms, now);
    quint64 fired = 0;
    std::deque<CountingTimer> timers;
    for (int i = 0; i < kTimers; ++i) {
        timers.emplace_back(fired);
    }
    QBENCHMARK {
        auto delay = 30'000ms;
        for (CountingTimer &timer : timers) {
            wheel.schedule(timer, delay, now);
            delay += 1ms;
        }
    }
    QVERIFY(!wheel.isEmpty());
}

// One tick of a wheel with 10,000 timers, each due once in 30 seconds.
void BenchNet::wheelTurns()
{
    auto now = Clock::now();
    TimerWheel wheel(100ms, now);
    class Again final : public WheelTimer
    {
    public:
        explicit Again(TimerWheel &of)
            : m_wheel(of)
        {}

    private:
        void expired() override { m_wheel.schedule(*this, 30'000ms); }

        TimerWheel &m_wheel;
    };
    std::deque<Again> timers;
    for (int i = 0; i < kTimers; ++i) {
        wheel.schedule(timers.emplace_back(wheel), 3ms * i);
    }
    QBENCHMARK {
        now += 100ms;
        wheel.advance(now);
    }
    QVERIFY(!wheel.isEmpty());
}

RELAY_TEST(BenchNet)
#include "bench_net.moc"
