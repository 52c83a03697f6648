#include "dispatcher_harness.h"
#include "support/test_main.h"
#include "test_application.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QTest>
#include <QTimerEvent>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace relay;
using namespace relay::test;
using namespace std::chrono_literals;

/// Timers through the dispatcher, each case on Qt's own and on EpollDispatcher. What needs a clock
/// turned by hand is in tst_timer_queue.
class TestDispatcherTimers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data();
    void init();

    void neverEarly_data();
    void neverEarly();
    void tenThousandTimers();
    void removedInItsOwnHandler();
    void removedInAnothersHandler();
    void objectDeletedInItsOwnHandler();
    void restartedInItsOwnHandler();
    void notDeliveredWhileBeingHandled();
    void othersGoOnInANestedLoop();
    void lateTimerFiresOnce();
    void excludedTimersNeitherFireNorEndTheWait();
    void zeroTimerFiresOnceATurn();
    void remainingTime();
    void registeredTimersMoveWithTheirObject();

private:
    DispatcherKind m_kind = DispatcherKind::Qt;
};

namespace {

/// Counts the events of each timer, and does what it is told in them.
class Ticker : public QObject
{
public:
    using Handler = std::function<void(int id)>;
    explicit Ticker(Handler handler = {})
        : m_handler(std::move(handler))
    {}

    std::map<int, int> count;

protected:
    void timerEvent(QTimerEvent *event) override
    {
        const int id = event->timerId();
        ++count[id];
        if (m_handler) {
            m_handler(id);
        }
    }

private:
    Handler m_handler;
};

} // namespace

void TestDispatcherTimers::initTestCase_data()
{
    QTest::addColumn<bool>("epoll");
    QTest::newRow("Qt's own") << false;
    QTest::newRow("epoll") << true;
}

void TestDispatcherTimers::init()
{
    QFETCH_GLOBAL(bool, epoll);
    m_kind = epoll ? DispatcherKind::Epoll : DispatcherKind::Qt;
}

void TestDispatcherTimers::neverEarly_data()
{
    QTest::addColumn<Qt::TimerType>("type");
    QTest::addColumn<int>("interval");
    QTest::addColumn<int>("earliest"); // microseconds
    for (const int interval : {1, 2, 7, 20, 50}) {
        QTest::addRow("precise %d ms", interval) << Qt::PreciseTimer << interval << interval * 1000;
        // Between the dispatchers' clocks and QElapsedTimer's is a call; a millisecond of Qt's
        // rounding is let pass.
        QTest::addRow("coarse %d ms", interval)
            << Qt::CoarseTimer << interval << std::max(0, interval * 950 - 1000);
    }
}

/// A precise timer is never early, a coarse one by at most 5 %.
void TestDispatcherTimers::neverEarly()
{
    QFETCH(Qt::TimerType, type);
    QFETCH(int, interval);
    QFETCH(int, earliest);
    runOn(m_kind, [&] {
        for (int round = 0; round < 5; ++round) {
            QElapsedTimer elapsed;
            qint64 firedAfter = -1;
            elapsed.start();
            Ticker ticker([&](int) { firedAfter = elapsed.nsecsElapsed(); });
            ticker.startTimer(interval, type);
            while (firedAfter < 0) {
                QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
            }
            QVERIFY2(firedAfter >= qint64(earliest) * 1000,
                     qPrintable(QString::number(firedAfter)));
        }
    });
}

/// Of ten thousand every one that is not stopped fires, once.
void TestDispatcherTimers::tenThousandTimers()
{
    const auto seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    runOn(m_kind, [seed] {
        constexpr std::size_t kTimers = 10'000;
        QRandomGenerator random(seed);
        std::size_t fired = 0;
        Ticker ticker([&](int id) {
            ++fired;
            ticker.killTimer(id);
        });
        std::vector<int> ids;
        for (std::size_t i = 0; i < kTimers; ++i) {
            ids.push_back(ticker.startTimer(random.bounded(1, 100), Qt::PreciseTimer));
        }
        std::shuffle(ids.begin(), ids.end(), random);
        for (std::size_t i = 0; i < kTimers / 2; ++i) {
            ticker.killTimer(ids[i]);
        }
        QVERIFY(turnUntil([&] { return fired == kTimers / 2; }));
        for (std::size_t i = 0; i < kTimers; ++i) {
            QCOMPARE(ticker.count[ids[i]], i < kTimers / 2 ? 0 : 1);
        }
        QVERIFY(QAbstractEventDispatcher::instance()->registeredTimers(&ticker).isEmpty());
    });
}

void TestDispatcherTimers::removedInItsOwnHandler()
{
    runOn(m_kind, [] {
        Ticker ticker([&](int id) { ticker.killTimer(id); });
        const int id = ticker.startTimer(0);
        for (int turn = 0; turn < 3; ++turn) {
            QCoreApplication::processEvents();
        }
        QCOMPARE(ticker.count[id], 1);
    });
}

/// Both are due in the turn; the first removes the second.
void TestDispatcherTimers::removedInAnothersHandler()
{
    runOn(m_kind, [] {
        std::array<int, 2> ids{};
        Ticker ticker([&](int id) { ticker.killTimer(ids[id == ids[0] ? 1 : 0]); });
        ids[0] = ticker.startTimer(0);
        ids[1] = ticker.startTimer(0);
        QCoreApplication::processEvents();
        QCOMPARE(ticker.count[ids[0]] + ticker.count[ids[1]], 1);
    });
}

void TestDispatcherTimers::objectDeletedInItsOwnHandler()
{
    runOn(m_kind, [] {
        int fired = 0;
        std::unique_ptr<Ticker> ticker;
        ticker = std::make_unique<Ticker>([&](int) {
            ++fired;
            ticker.reset();
        });
        ticker->startTimer(0);
        ticker->startTimer(0);
        QCoreApplication::processEvents();
        QCoreApplication::processEvents();
        QCOMPARE(fired, 1);
    });
}

/// The new timer waits for its time, whatever became of the old one's id.
void TestDispatcherTimers::restartedInItsOwnHandler()
{
    runOn(m_kind, [] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        Ticker ticker([&](int id) {
            dispatcher->unregisterTimer(id);
            dispatcher->registerTimer(id, 3'600'000, Qt::PreciseTimer, &ticker); // the same id
        });
        const int id = ticker.startTimer(0);
        QCoreApplication::processEvents();
        QCoreApplication::processEvents();
        QCOMPARE(ticker.count[id], 1);
        QCOMPARE(dispatcher->registeredTimers(&ticker).size(), 1);
        QVERIFY(dispatcher->remainingTime(id) > 3'500'000);
    });
}

void TestDispatcherTimers::notDeliveredWhileBeingHandled()
{
    runOn(m_kind, [] {
        int depth = 0;
        int deepest = 0;
        Ticker ticker([&](int) {
            deepest = std::max(deepest, ++depth);
            for (int turn = 0; turn < 3; ++turn) {
                QCoreApplication::processEvents();
            }
            --depth;
        });
        const int id = ticker.startTimer(0);
        QCoreApplication::processEvents();
        QCoreApplication::processEvents();
        QCOMPARE(deepest, 1);
        QCOMPARE(ticker.count[id], 2);
    });
}

/// A timer that runs a loop of its own stops no other, nor does its own next time keep that loop
/// awake.
void TestDispatcherTimers::othersGoOnInANestedLoop()
{
    runOn(m_kind, [] {
        QEventLoop inner;
        int others = 0;
        QTimer other;
        other.callOnTimeout([&] {
            if (++others == 3) {
                inner.quit();
            }
        });
        other.start(1);
        int turns = 0;
        int nested = 0;
        QObject::connect(QAbstractEventDispatcher::instance(), &QAbstractEventDispatcher::awake,
                         &inner, [&] { ++turns; });
        Ticker ticker([&](int id) {
            ticker.killTimer(id);
            turns = 0;
            inner.exec();
            nested = turns;
        });
        ticker.startTimer(0);
        QVERIFY(turnUntil([&] { return nested > 0; }));
        QCOMPARE(others, 3);
        QVERIFY2(nested < 50, qPrintable(QString::number(nested)));
    });
}

/// What was missed while the thread was busy is not made up for.
void TestDispatcherTimers::lateTimerFiresOnce()
{
    runOn(m_kind, [] {
        Ticker ticker;
        const int id = ticker.startTimer(2, Qt::PreciseTimer);
        QElapsedTimer busy;
        busy.start();
        while (busy.elapsed() < 30) {
        }
        QCoreApplication::processEvents();
        QCOMPARE(ticker.count[id], 1);
    });
}

void TestDispatcherTimers::excludedTimersNeitherFireNorEndTheWait()
{
    runOn(m_kind, [] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        Ticker ticker;
        const int id = ticker.startTimer(0);
        dispatcher->processEvents(QEventLoop::X11ExcludeTimers);
        QCOMPARE(ticker.count[id], 0);
        bool blocked = false;
        std::optional<std::thread> waker;
        const auto connection =
            QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, [&] {
                blocked = true;
                waker.emplace([dispatcher] { dispatcher->wakeUp(); });
            });
        while (!blocked) {
            dispatcher->processEvents(QEventLoop::X11ExcludeTimers | QEventLoop::WaitForMoreEvents);
        }
        QObject::disconnect(connection);
        waker->join();
        QCOMPARE(ticker.count[id], 0);
        dispatcher->processEvents(QEventLoop::AllEvents);
        QCOMPARE(ticker.count[id], 1);
    });
}

/// A handler that starts another timer without delay holds up nothing: that one waits for the next
/// turn.
void TestDispatcherTimers::zeroTimerFiresOnceATurn()
{
    runOn(m_kind, [] {
        int fired = 0;
        Ticker ticker([&](int id) {
            ++fired;
            ticker.killTimer(id);
            ticker.startTimer(0);
        });
        ticker.startTimer(0);
        for (int turn = 1; turn <= 3; ++turn) {
            QCoreApplication::processEvents();
            QCOMPARE(fired, turn);
        }
    });
}

void TestDispatcherTimers::remainingTime()
{
    runOn(m_kind, [] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        Ticker ticker;
        const int later = ticker.startTimer(10'000, Qt::PreciseTimer);
        const int now = ticker.startTimer(0);
        const int left = dispatcher->remainingTime(later);
        QVERIFY(left > 9'000 && left <= 10'000);
        QCOMPARE(dispatcher->remainingTime(now), 0);
        QVERIFY(dispatcher->unregisterTimer(later));
        QVERIFY(!dispatcher->unregisterTimer(later));
        QCOMPARE(dispatcher->remainingTime(later), -1);
    });
}

void TestDispatcherTimers::registeredTimersMoveWithTheirObject()
{
    runOn(m_kind, [this] {
        auto ticker = std::make_unique<Ticker>();
        const int id = ticker->startTimer(10, Qt::PreciseTimer);
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        const auto infos = dispatcher->registeredTimers(ticker.get());
        QCOMPARE(infos.size(), 1);
        QCOMPARE(infos.first().timerId, id);
        QCOMPARE(infos.first().interval, 10);
        QCOMPARE(infos.first().timerType, Qt::PreciseTimer);

        QThread other;
        if (m_kind == DispatcherKind::Epoll) {
            other.setEventDispatcher(new EpollDispatcher);
        }
        std::atomic<int> fired{0};
        auto *moved = new Ticker([&](int) {
            ++fired;
            other.quit();
        });
        moved->startTimer(1);
        moved->moveToThread(&other);
        QVERIFY(dispatcher->registeredTimers(moved).isEmpty());
        QObject::connect(&other, &QThread::finished, moved, &QObject::deleteLater);
        other.start();
        other.wait();
        QVERIFY(fired > 0);
    });
}

RELAY_TEST_IN(relay::test::UnixApplication, TestDispatcherTimers)

#include "tst_dispatcher_timers.moc"
