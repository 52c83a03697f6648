#include "dispatcher_harness.h"
#include "support/test_main.h"
#include "test_application.h"

#include <QSignalSpy>
#include <QTest>

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using namespace relay;
using namespace relay::test;

/// What only EpollDispatcher has: watched descriptors, and the hook at the end of a turn.
///
/// The program's main thread runs on an EpollDispatcher, too: it is set before the QCoreApplication
/// is made.
class TestDescriptorWatcher : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void servesTheMainThread();
    void toldOfWhatItWatchesFor();
    void hangUpIsToldUnasked();
    void rewatchTakesBackWhatWasFetched();
    void mayUnwatchItself();
    void mayDeleteItself();
    void mayUnwatchAnother();
    void reusedDescriptorIsNotToldOfItsPredecessor();
    void unwatchAndWatchAgainInACallback();
    void nestedTurnTakesOver();
    void newWatchersMayBeAddedInACallback();
    void excludedWithNotifiers();
    void hookRunsBeforeEachWait();
    void hookRunsOnceATurnOfALoop();
    void hookRunsWhenALoopEnds();
    void hookComesAfterPostedEventsAndBeforeTheWait();
    void hookThatPostsKeepsTheTurnFromWaiting();
    void wakeUpUnderLoadAlwaysMakesATurn();
};

namespace {

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): it is final
class Watcher final : public DescriptorWatcher
{
public:
    using Callback = std::function<void(std::uint32_t events)>;
    Watcher(int descriptor, std::uint32_t events, Callback callback = {})
        : m_descriptor(descriptor)
        , m_callback(std::move(callback))
    {
        EpollDispatcher::current().watch(descriptor, events, *this);
    }
    ~Watcher() { unwatch(); }
    Watcher(const Watcher &) = delete;
    Watcher &operator=(const Watcher &) = delete;

    void unwatch()
    {
        if (std::exchange(m_isWatching, false)) {
            EpollDispatcher::current().unwatch(m_descriptor);
        }
    }

    int told = 0;
    std::uint32_t lastEvents = 0;

private:
    void descriptorReady(std::uint32_t events) override
    {
        ++told;
        lastEvents = events;
        const Callback callback = m_callback; // the watcher may be deleted in it
        if (callback) {
            callback(events);
        }
    }

    const int m_descriptor;
    bool m_isWatching = true;
    Callback m_callback;
};

/// Sets a hook for as long as a test runs.
class Hook
{
public:
    explicit Hook(std::function<void()> hook)
    {
        EpollDispatcher::current().setTurnEndHook(std::move(hook));
    }
    ~Hook() { EpollDispatcher::current().setTurnEndHook({}); }
    Hook(const Hook &) = delete;
    Hook &operator=(const Hook &) = delete;
};

void turn()
{
    EpollDispatcher::current().processEvents(QEventLoop::AllEvents);
}

/// Two watchers that are ready in the same turn, of which the first that is told does `what` to the
/// other (0 or 1).
struct Rivals
{
    explicit Rivals(const std::function<void(std::size_t other)> &what)
    {
        for (std::size_t i = 0; i < 2; ++i) {
            pairs[i].makeReadable();
            watchers[i] =
                std::make_unique<Watcher>(pairs[i].near(), EPOLLIN, [this, what, i](std::uint32_t) {
                    if (++told == 1) {
                        what(1 - i);
                    }
                });
        }
    }

    std::array<SocketPair, 2> pairs;
    std::array<std::unique_ptr<Watcher>, 2> watchers;
    int told = 0;
};

} // namespace

void TestDescriptorWatcher::servesTheMainThread()
{
    QVERIFY(qobject_cast<EpollDispatcher *>(QCoreApplication::eventDispatcher()));
    QObject object;
    QSignalSpy spy(&object, &QObject::objectNameChanged);
    QTimer::singleShot(1, [&] { object.setObjectName(QStringLiteral("x")); });
    QVERIFY(spy.wait());
}

void TestDescriptorWatcher::toldOfWhatItWatchesFor()
{
    const SocketPair pair;
    Watcher watcher(pair.near(), EPOLLIN);
    turn();
    QCOMPARE(watcher.told, 0);
    pair.makeReadable();
    turn();
    turn();
    QCOMPARE(watcher.told, 2); // level-triggered
    QCOMPARE(watcher.lastEvents, std::uint32_t{EPOLLIN});
    EpollDispatcher::current().rewatch(pair.near(), EPOLLIN | EPOLLOUT);
    turn();
    QCOMPARE(watcher.lastEvents, std::uint32_t{EPOLLIN | EPOLLOUT});
    EpollDispatcher::current().rewatch(pair.near(), 0);
    turn();
    QCOMPARE(watcher.told, 3);
    watcher.unwatch();
    watcher.unwatch();
    turn();
    QCOMPARE(watcher.told, 3);
}

void TestDescriptorWatcher::hangUpIsToldUnasked()
{
    SocketPair pair;
    const Watcher watcher(pair.near(), 0);
    turn();
    QCOMPARE(watcher.told, 0);
    pair.closeFar();
    turn();
    QCOMPARE(watcher.told, 1);
    QVERIFY(watcher.lastEvents & EPOLLHUP);
}

/// Who stops reading from a client in another client's callback is not told to read from it once
/// more.
void TestDescriptorWatcher::rewatchTakesBackWhatWasFetched()
{
    Rivals *self = nullptr;
    Rivals rivals([&](std::size_t other) {
        EpollDispatcher::current().rewatch(self->pairs[other].near(), 0);
    });
    self = &rivals;
    turn();
    QCOMPARE(rivals.told, 1);
    turn();
    QCOMPARE(rivals.told, 2); // the one that may
}

void TestDescriptorWatcher::mayUnwatchItself()
{
    const SocketPair pair;
    pair.makeReadable();
    Watcher *self = nullptr;
    Watcher watcher(pair.near(), EPOLLIN, [&](std::uint32_t) { self->unwatch(); });
    self = &watcher;
    turn();
    turn();
    QCOMPARE(watcher.told, 1);
}

void TestDescriptorWatcher::mayDeleteItself()
{
    const SocketPair pair;
    pair.makeReadable();
    int told = 0;
    std::unique_ptr<Watcher> watcher;
    watcher = std::make_unique<Watcher>(pair.near(), EPOLLIN, [&](std::uint32_t) {
        ++told;
        watcher.reset();
    });
    turn();
    turn();
    QCOMPARE(told, 1);
}

/// Also when the turn had fetched the other's event already; the other may even be gone.
void TestDescriptorWatcher::mayUnwatchAnother()
{
    Rivals *self = nullptr;
    Rivals rivals([&](std::size_t other) { self->watchers[other].reset(); });
    self = &rivals;
    turn();
    QCOMPARE(rivals.told, 1);
}

/// The number of a closed connection goes to the next one that is accepted, often in the same turn.
void TestDescriptorWatcher::reusedDescriptorIsNotToldOfItsPredecessor()
{
    SocketPair fresh;
    std::unique_ptr<Watcher> successor;
    Rivals *self = nullptr;
    Rivals rivals([&](std::size_t other) {
        self->watchers[other].reset();
        self->pairs[other].replaceNear(fresh);
        successor = std::make_unique<Watcher>(fresh.near(), EPOLLIN);
    });
    self = &rivals;
    turn();
    turn();
    QVERIFY(successor);
    QCOMPARE(successor->told, 0);
    fresh.makeReadable();
    turn();
    QCOMPARE(successor->told, 1);
}

/// What was fetched for the first registration is dropped, what is still true is fetched for the
/// second.
void TestDescriptorWatcher::unwatchAndWatchAgainInACallback()
{
    std::unique_ptr<Watcher> successor;
    Rivals *self = nullptr;
    Rivals rivals([&](std::size_t other) {
        self->watchers[other].reset();
        successor = std::make_unique<Watcher>(self->pairs[other].near(), EPOLLIN);
    });
    self = &rivals;
    turn();
    QCOMPARE(successor->told, 0);
    turn();
    QCOMPARE(successor->told, 1);
}

/// A nested turn tells the others; the outer one does not tell them again of what they have read by
/// then.
void TestDescriptorWatcher::nestedTurnTakesOver()
{
    std::array<SocketPair, 3> pairs;
    std::vector<std::unique_ptr<Watcher>> watchers;
    int told = 0;
    for (const SocketPair &pair : pairs) {
        pair.makeReadable();
        watchers.push_back(std::make_unique<Watcher>(pair.near(), EPOLLIN, [&](std::uint32_t) {
            ++told;
            pair.drain();
            turn();
        }));
    }
    turn();
    turn();
    QCOMPARE(told, 3);
}

/// The table grows while an entry of it is being told.
void TestDescriptorWatcher::newWatchersMayBeAddedInACallback()
{
    const SocketPair pair;
    std::vector<int> duplicates;
    std::vector<std::unique_ptr<Watcher>> watchers;
    pair.makeReadable();
    Watcher watcher(pair.near(), EPOLLIN, [&](std::uint32_t) {
        for (int i = 0; i < 100 && duplicates.size() < 300; ++i) {
            duplicates.push_back(::dup(pair.near()));
            watchers.push_back(std::make_unique<Watcher>(duplicates.back(), EPOLLIN));
        }
    });
    for (int i = 0; i < 5; ++i) {
        turn();
    }
    QCOMPARE(watchers.size(), std::size_t{300});
    QVERIFY(
        std::all_of(watchers.begin(), watchers.end(), [](const auto &w) { return w->told > 0; }));
    watchers.clear();
    std::for_each(duplicates.begin(), duplicates.end(), ::close);
}

void TestDescriptorWatcher::excludedWithNotifiers()
{
    const SocketPair pair;
    pair.makeReadable();
    const Watcher watcher(pair.near(), EPOLLIN);
    EpollDispatcher::current().processEvents(QEventLoop::ExcludeSocketNotifiers);
    QCOMPARE(watcher.told, 0);
    turn();
    QCOMPARE(watcher.told, 1);
}

/// A single processEvents(): once before it looks, and once more if it then dispatched something.
void TestDescriptorWatcher::hookRunsBeforeEachWait()
{
    const SocketPair pair;
    const Watcher watcher(pair.near(), EPOLLIN);
    turn(); // takes what earlier tests have left
    QByteArray order;
    const Hook hook([&] { order += 'h'; });
    turn();
    QCOMPARE(order, QByteArray("h"));
    order.clear();
    pair.makeReadable();
    turn();
    QCOMPARE(order, QByteArray("hh"));
    pair.drain();
    order.clear();
    QObject context;
    QMetaObject::invokeMethod(
        &context, [&] { order += 'p'; }, Qt::QueuedConnection);
    turn();
    QCOMPARE(order, QByteArray("ph"));
    order.clear();
    QTimer timer; // not singleShot(0), which posts an event
    timer.callOnTimeout([&] { order += 't'; });
    timer.start(0);
    turn();
    QCOMPARE(order, QByteArray("hth"));
}

/// Under load: dispatch, hook, dispatch, hook; what a turn's events have queued is written once.
void TestDescriptorWatcher::hookRunsOnceATurnOfALoop()
{
    const SocketPair pair;
    pair.makeReadable();
    QByteArray order;
    QEventLoop loop;
    const Watcher watcher(pair.near(), EPOLLIN, [&](std::uint32_t) {
        order += 'd';
        if (order.count('d') == 5) {
            loop.quit();
        }
    });
    turn();
    order.clear();
    const Hook hook([&] { order += 'h'; });
    loop.exec();
    QCOMPARE(order, QByteArray("hdhdhdhdhdh"));
}

/// Nothing that the last turn has queued waits until somebody runs the loop again.
void TestDescriptorWatcher::hookRunsWhenALoopEnds()
{
    turn();
    QByteArray order;
    const Hook hook([&] { order += 'h'; });
    QEventLoop loop;
    QMetaObject::invokeMethod(
        &loop,
        [&] {
            order += 'p';
            loop.quit();
        },
        Qt::QueuedConnection);
    loop.exec();
    QCOMPARE(order, QByteArray("ph")); // interrupted before it looked at descriptors
    order.clear();
    QTimer timer;
    timer.callOnTimeout([&] {
        order += 't';
        loop.quit();
    });
    timer.start(0);
    loop.exec();
    QCOMPARE(order, QByteArray("hth"));
}

void TestDescriptorWatcher::hookComesAfterPostedEventsAndBeforeTheWait()
{
    turn();
    QByteArray order;
    EpollDispatcher &dispatcher = EpollDispatcher::current();
    QObject context;
    QObject::connect(&dispatcher, &QAbstractEventDispatcher::awake, &context,
                     [&] { order += 'a'; });
    QObject::connect(&dispatcher, &QAbstractEventDispatcher::aboutToBlock, &context,
                     [&] { order += 'b'; });
    const Hook hook([&] { order += 'h'; });
    const SocketPair pair;
    pair.makeReadable();
    const Watcher watcher(pair.near(), EPOLLIN, [&](std::uint32_t) { order += 'd'; });
    QTimer timer;
    timer.callOnTimeout([&] { order += 't'; });
    timer.start(0);
    dispatcher.processEvents(QEventLoop::WaitForMoreEvents | QEventLoop::EventLoopExec);
    QCOMPARE(order, QByteArray("abhdt"));
    order.clear();
    QMetaObject::invokeMethod(
        &context, [&] { order += 'p'; }, Qt::QueuedConnection);
    dispatcher.processEvents(QEventLoop::WaitForMoreEvents | QEventLoop::EventLoopExec);
    QCOMPARE(order, QByteArray("aphdt")); // a posted event was a wake-up: the turn may not wait
}

/// The hook's own posts are delivered in the next turn, which begins at once; so are its wake-ups.
void TestDescriptorWatcher::hookThatPostsKeepsTheTurnFromWaiting()
{
    turn();
    EpollDispatcher &dispatcher = EpollDispatcher::current();
    QObject context;
    int left = 3;
    int delivered = 0;
    const Hook hook([&] {
        if (left-- > 0) {
            QMetaObject::invokeMethod(
                &context, [&] { ++delivered; }, Qt::QueuedConnection);
        }
    });
    for (int i = 0; i < 3; ++i) {
        dispatcher.processEvents(QEventLoop::WaitForMoreEvents); // would hang
    }
    QCOMPARE(delivered, 2);
    turn();
    QCOMPARE(delivered, 3);
}

/// What the relay's inbox rests on: after wakeUp() the hook runs at least once, whatever else goes
/// on. Threads take turns at a counter that the hook reads; a lost wake-up would let the loop hang.
void TestDescriptorWatcher::wakeUpUnderLoadAlwaysMakesATurn()
{
    constexpr int kThreads = 3;
    constexpr int kRounds = 20'000;
    EpollDispatcher &dispatcher = EpollDispatcher::current();
    std::atomic<int> said{0};
    QEventLoop loop;
    const Hook hook([&] {
        if (said.load() == kThreads * kRounds) {
            loop.quit();
        }
    });
    std::vector<std::thread> others;
    others.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
        others.emplace_back([&] {
            for (int round = 0; round < kRounds; ++round) {
                ++said;
                dispatcher.wakeUp();
            }
        });
    }
    loop.exec();
    for (std::thread &other : others) {
        other.join();
    }
    QCOMPARE(said.load(), kThreads * kRounds);
}

RELAY_TEST_IN(relay::test::EpollApplication, TestDescriptorWatcher)

#include "tst_descriptor_watcher.moc"
