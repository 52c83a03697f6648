#include "dispatcher_harness.h"
#include "support/test_main.h"
#include "test_application.h"

#include <QCoreApplication>
#include <QSignalSpy>
#include <QSocketNotifier>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace relay;
using namespace relay::test;

/// Every case runs on Qt's own dispatcher and on EpollDispatcher and holds both to the same:
/// whatever runs on the one runs on the other. Notifiers and timers have tst_dispatcher_notifiers
/// and tst_dispatcher_timers, what only EpollDispatcher has tst_descriptor_watcher.
class TestEpollDispatcher : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data();
    void init();

    void comparesWithQtsOwn();
    void wakeUpEndsAWait();
    void wakeUpBeforeTheWaitIsNotLost();
    void postsFromManyThreadsAllArrive();
    void interruptEndsAWait();
    void signalsFrameTheWait();
    void returnValueSaysWhetherAnythingRan();
    void postedEventsAndDeferredDeletes();
    void eventLoopsNest();
    void tcpEcho();

private:
    DispatcherKind m_kind = DispatcherKind::Qt;
};

/// A numbered call of a sender.
class Call : public QEvent
{
public:
    static constexpr auto kType = QEvent::User;
    Call(std::size_t caller, int callNumber)
        : QEvent(kType)
        , sender(caller)
    {
        number.store(callNumber, std::memory_order_release);
    }

    const std::size_t sender;
    /// To be read first: the thread sanitizer does not see the lock of Qt's under which an event
    /// is handed over.
    std::atomic<int> number{0};
};

/// Quits its loop when each sender has called as often as it should.
class Receiver : public QObject
{
    Q_OBJECT

public:
    static constexpr std::size_t kSenders = 4;
    explicit Receiver(int calls)
        : m_left(calls * static_cast<int>(kSenders))
    {}

    QEventLoop loop;
    bool isInOrder = true;

protected:
    void customEvent(QEvent *event) override
    {
        const auto &call = static_cast<const Call &>(*event);
        const int number = call.number.load(std::memory_order_acquire);
        isInOrder = isInOrder && m_next[call.sender]++ == number;
        if (--m_left == 0) {
            loop.quit();
        }
    }

private:
    int m_left;
    std::array<int, kSenders> m_next{};
};

void TestEpollDispatcher::initTestCase_data()
{
    QTest::addColumn<bool>("epoll");
    QTest::newRow("Qt's own") << false;
    QTest::newRow("epoll") << true;
}

void TestEpollDispatcher::init()
{
    QFETCH_GLOBAL(bool, epoll);
    m_kind = epoll ? DispatcherKind::Epoll : DispatcherKind::Qt;
}

/// The comparison is with Qt's poll dispatcher, not with GLib's, and the second row is really ours.
void TestEpollDispatcher::comparesWithQtsOwn()
{
    runOn(m_kind, [this] {
        const QByteArray name = QAbstractEventDispatcher::instance()->metaObject()->className();
        QCOMPARE(name, m_kind == DispatcherKind::Epoll ? QByteArray("relay::EpollDispatcher")
                                                       : QByteArray("QEventDispatcherUNIX"));
    });
}

void TestEpollDispatcher::wakeUpEndsAWait()
{
    for (const auto flags : {QEventLoop::ProcessEventsFlags(QEventLoop::WaitForMoreEvents),
                             QEventLoop::WaitForMoreEvents | QEventLoop::ExcludeSocketNotifiers})
    {
        runOn(m_kind, [flags] {
            QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
            for (int i = 0; i < 100; ++i) {
                std::optional<std::thread> waker;
                const auto connection =
                    QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, [&] {
                        waker.emplace([dispatcher] { dispatcher->wakeUp(); });
                    });
                while (!waker) {
                    dispatcher->processEvents(flags);
                }
                QObject::disconnect(connection);
                waker->join();
            }
        });
    }
}

/// Also from the dispatcher's own thread: whoever sets something down and wakes the loop finds it
/// looked at.
void TestEpollDispatcher::wakeUpBeforeTheWaitIsNotLost()
{
    runOn(m_kind, [] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        dispatcher->wakeUp();
        dispatcher->wakeUp();
        QVERIFY(dispatcher->processEvents(QEventLoop::WaitForMoreEvents));
        QVERIFY(!dispatcher->processEvents(QEventLoop::AllEvents)); // coalesced
    });
}

/// Under load from several threads no event is lost, and each thread's come in their order.
void TestEpollDispatcher::postsFromManyThreadsAllArrive()
{
    runOn(m_kind, [] {
        constexpr int kPosts = 5000;
        Receiver receiver(kPosts);
        std::vector<std::thread> senders;
        senders.reserve(Receiver::kSenders);
        for (std::size_t id = 0; id < Receiver::kSenders; ++id) {
            senders.emplace_back([&receiver, id] {
                for (int i = 0; i < kPosts; ++i) {
                    QCoreApplication::postEvent(&receiver, new Call(id, i));
                }
            });
        }
        receiver.loop.exec(); // hangs, and fails by its time limit, if a wake-up is lost
        for (std::thread &sender : senders) {
            sender.join();
        }
        QVERIFY(receiver.isInOrder);
    });
}

void TestEpollDispatcher::interruptEndsAWait()
{
    runOn(m_kind, [] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        std::optional<std::thread> other;
        QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, [&] {
            if (other) {
                return;
            }
            other.emplace([dispatcher] { dispatcher->interrupt(); });
        });
        while (!other) {
            dispatcher->processEvents(QEventLoop::WaitForMoreEvents);
        }
        other->join();

        // By a posted event: the turn ends before it looks at descriptors.
        const SocketPair pair;
        pair.makeReadable();
        int told = 0;
        QSocketNotifier notifier(pair.near(), QSocketNotifier::Read);
        QObject::connect(&notifier, &QSocketNotifier::activated, [&] { ++told; });
        QObject context;
        QMetaObject::invokeMethod(
            &context, [dispatcher] { dispatcher->interrupt(); }, Qt::QueuedConnection);
        QVERIFY(!dispatcher->processEvents(QEventLoop::WaitForMoreEvents));
        QCOMPARE(told, 0);
        dispatcher->processEvents(QEventLoop::AllEvents); // an interrupt is good for one turn
        QCOMPARE(told, 1);
    });
}

void TestEpollDispatcher::signalsFrameTheWait()
{
    runOn(m_kind, [] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        dispatcher->processEvents(QEventLoop::AllEvents);
        QByteArray order;
        QObject context;
        QObject::connect(dispatcher, &QAbstractEventDispatcher::awake, &context,
                         [&] { order += 'a'; });
        QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, &context,
                         [&] { order += 'b'; });
        QTimer timer;
        timer.callOnTimeout([&] { order += 't'; });
        timer.start(1);
        while (!order.contains('t')) {
            dispatcher->processEvents(QEventLoop::WaitForMoreEvents);
        }
        timer.stop();
        QVERIFY2(order.startsWith("ab") && order.endsWith("bt"), order.constData());
        order.clear();
        dispatcher->processEvents(QEventLoop::AllEvents);
        QCOMPARE(order, QByteArray("a"));
    });
}

void TestEpollDispatcher::returnValueSaysWhetherAnythingRan()
{
    runOn(m_kind, [] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        dispatcher->processEvents(QEventLoop::AllEvents);
        QVERIFY(!dispatcher->processEvents(QEventLoop::AllEvents));
        const SocketPair pair;
        pair.makeReadable();
        QSocketNotifier notifier(pair.near(), QSocketNotifier::Read);
        QVERIFY(dispatcher->processEvents(QEventLoop::AllEvents));
        pair.drain();
        QVERIFY(!dispatcher->processEvents(QEventLoop::AllEvents));
        QTimer always;
        int fired = 0;
        always.callOnTimeout([&] { ++fired; });
        always.start(0);
        QVERIFY(
            !dispatcher->processEvents(QEventLoop::AllEvents)); // "while (processEvents());" ends
        QCOMPARE(fired, 1);
    });
}

void TestEpollDispatcher::postedEventsAndDeferredDeletes()
{
    runOn(m_kind, [] {
        QByteArray order;
        QEventLoop loop;
        auto *object = new QObject;
        QObject::connect(object, &QObject::destroyed, [&] {
            order += 'd';
            loop.quit();
        });
        QMetaObject::invokeMethod(
            object, [&] { order += 'q'; }, Qt::QueuedConnection);
        QTimer::singleShot(0, object, [&, object] {
            order += 's';
            object->deleteLater();
        });
        loop.exec();
        QCOMPARE(order, QByteArray("qsd"));
    });
}

void TestEpollDispatcher::eventLoopsNest()
{
    runOn(m_kind, [] {
        QByteArray order;
        QEventLoop outer;
        QTimer::singleShot(0, [&] {
            QEventLoop inner;
            QTimer::singleShot(1, [&] {
                order += 'i';
                inner.quit();
            });
            QTimer::singleShot(0,
                               [&] { outer.quit(); }); // takes effect when the inner one has ended
            inner.exec();
            order += 'o';
        });
        outer.exec();
        QCOMPARE(order, QByteArray("io"));
    });
}

/// Qt's own sockets run over it, with more than the kernel takes at once, so that both ends must
/// wait.
void TestEpollDispatcher::tcpEcho()
{
    runOn(m_kind, [] {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        QObject::connect(&server, &QTcpServer::newConnection, [&] {
            QTcpSocket *socket = server.nextPendingConnection();
            QObject::connect(socket, &QTcpSocket::readyRead,
                             [socket] { socket->write(socket->readAll()); });
        });
        const QByteArray sent(qsizetype{8} * 1024 * 1024, 'x');
        qsizetype received = 0;
        QTcpSocket client;
        QSignalSpy disconnected(&client, &QTcpSocket::disconnected);
        QObject::connect(&client, &QTcpSocket::connected, [&] { client.write(sent); });
        QObject::connect(&client, &QTcpSocket::readyRead, [&] {
            received += client.readAll().size();
            if (received == sent.size()) {
                client.disconnectFromHost();
            }
        });
        client.connectToHost(server.serverAddress(), server.serverPort());
        QVERIFY(turnUntil([&] { return !disconnected.isEmpty(); }));
        QCOMPARE(received, sent.size());
    });
}

RELAY_TEST_IN(relay::test::UnixApplication, TestEpollDispatcher)

#include "tst_epoll_dispatcher.moc"
