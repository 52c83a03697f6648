#include "dispatcher_harness.h"

#include <QCoreApplication>
#include <QSignalSpy>
#include <QSocketNotifier>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryFile>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace relay;
using namespace relay::test;

/// Every case runs on Qt's own dispatcher and on EpollDispatcher and holds both to the same:
/// whatever runs on the one runs on the other. Timers have tst_dispatcher_timers, what only
/// EpollDispatcher has tst_descriptor_watcher.
class TestEpollDispatcher : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data();
    void init();

    void comparesWithQtsOwn();
    void readNotifierFollowsItsDescriptor();
    void writeNotifierWaitsForRoom();
    void exceptionNotifierIsToldOfUrgentData();
    void notifiersOfAllTypesShareADescriptor();
    void hangUpReachesWriters();
    void notifierRemovedInItsOwnHandler();
    void notifierRemovedInAnothersHandler();
    void notifierReplacedInAnothersHandler();
    void descriptorClosedAndReusedInOneTurn();
    void nestedTurnLeavesNothingTwice();
    void fileIsAlwaysReady();
    void moreDescriptorsThanOneTurnTakes();
    void excludedNotifiersAreNotToldAndNotLost();
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

/// Quits its loop when each sender has called as often as it should.
class Receiver : public QObject
{
    Q_OBJECT

public:
    static constexpr int kSenders = 4;
    explicit Receiver(int calls)
        : m_left(calls * kSenders)
    {}

    Q_INVOKABLE void receive(int sender, int number)
    {
        isInOrder = isInOrder && m_next[static_cast<std::size_t>(sender)]++ == number;
        if (--m_left == 0)
            loop.quit();
    }

    QEventLoop loop;
    bool isInOrder = true;

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

/// Level-triggered: told as long as there is something to read, and not after.
void TestEpollDispatcher::readNotifierFollowsItsDescriptor()
{
    runOn(m_kind, [] {
        const SocketPair pair;
        int told = 0;
        QSocketNotifier notifier(pair.near(), QSocketNotifier::Read);
        QObject::connect(&notifier, &QSocketNotifier::activated, [&] { ++told; });
        QCoreApplication::processEvents();
        QCOMPARE(told, 0);
        pair.makeReadable();
        QCoreApplication::processEvents();
        QCoreApplication::processEvents();
        QCOMPARE(told, 2);
        notifier.setEnabled(false);
        QCoreApplication::processEvents();
        QCOMPARE(told, 2);
        notifier.setEnabled(true);
        QCoreApplication::processEvents();
        QCOMPARE(told, 3);
        pair.drain();
        QCoreApplication::processEvents();
        QCOMPARE(told, 3);
    });
}

void TestEpollDispatcher::writeNotifierWaitsForRoom()
{
    runOn(m_kind, [] {
        const SocketPair pair;
        pair.fill();
        int told = 0;
        QSocketNotifier notifier(pair.near(), QSocketNotifier::Write);
        QObject::connect(&notifier, &QSocketNotifier::activated, [&] { ++told; });
        QCoreApplication::processEvents();
        QCOMPARE(told, 0);
        pair.drainFar();
        QCoreApplication::processEvents();
        QCOMPARE(told, 1);
    });
}

void TestEpollDispatcher::exceptionNotifierIsToldOfUrgentData()
{
    runOn(m_kind, [] {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        QTcpSocket client;
        client.connectToHost(server.serverAddress(), server.serverPort());
        QVERIFY(client.waitForConnected());
        QVERIFY(server.waitForNewConnection(5000));
        const std::unique_ptr<QTcpSocket> served(server.nextPendingConnection());
        int told = 0;
        QSocketNotifier notifier(served->socketDescriptor(), QSocketNotifier::Exception);
        QObject::connect(&notifier, &QSocketNotifier::activated, [&] {
            ++told;
            char byte = 0;
            ::recv(static_cast<int>(notifier.socket()), &byte, 1, MSG_OOB);
        });
        QCoreApplication::processEvents();
        QCOMPARE(told, 0);
        QCOMPARE(::send(static_cast<int>(client.socketDescriptor()), "!", 1, MSG_OOB), 1);
        QVERIFY(turnUntil([&] { return told == 1; }));
    });
}

void TestEpollDispatcher::notifiersOfAllTypesShareADescriptor()
{
    runOn(m_kind, [] {
        const SocketPair pair;
        QByteArray told;
        QSocketNotifier reads(pair.near(), QSocketNotifier::Read);
        QSocketNotifier writes(pair.near(), QSocketNotifier::Write);
        QSocketNotifier excepts(pair.near(), QSocketNotifier::Exception);
        QObject::connect(&reads, &QSocketNotifier::activated, [&] { told += 'r'; });
        QObject::connect(&writes, &QSocketNotifier::activated, [&] { told += 'w'; });
        QObject::connect(&excepts, &QSocketNotifier::activated, [&] { told += 'x'; });
        QCoreApplication::processEvents();
        QCOMPARE(told, QByteArray("w"));
        pair.makeReadable();
        QCoreApplication::processEvents();
        QCOMPARE(told, QByteArray("wrw"));
        writes.setEnabled(false);
        QCoreApplication::processEvents();
        QCOMPARE(told, QByteArray("wrwr"));
        reads.setEnabled(false);
        QCoreApplication::processEvents();
        QCOMPARE(told, QByteArray("wrwr"));
    });
}

/// Whoever waits to write to a peer that has gone is told, so that the write can fail.
void TestEpollDispatcher::hangUpReachesWriters()
{
    runOn(m_kind, [] {
        SocketPair pair;
        pair.fill();
        int told = 0;
        QSocketNotifier notifier(pair.near(), QSocketNotifier::Write);
        QObject::connect(&notifier, &QSocketNotifier::activated, [&] { ++told; });
        QCoreApplication::processEvents();
        QCOMPARE(told, 0);
        pair.closeFar();
        QCoreApplication::processEvents();
        QCOMPARE(told, 1);
    });
}

void TestEpollDispatcher::notifierRemovedInItsOwnHandler()
{
    runOn(m_kind, [] {
        const SocketPair pair;
        pair.makeReadable();
        int told = 0;
        auto *notifier = new QSocketNotifier(pair.near(), QSocketNotifier::Read);
        QSocketNotifier writes(pair.near(), QSocketNotifier::Write);
        int writable = 0;
        QObject::connect(&writes, &QSocketNotifier::activated, [&] { ++writable; });
        QObject::connect(notifier, &QSocketNotifier::activated, [&] {
            ++told;
            delete notifier;
        });
        QCoreApplication::processEvents();
        QCoreApplication::processEvents();
        QCOMPARE(told, 1);
        QCOMPARE(writable, 2); // the other type on the same descriptor goes on
    });
}

/// Both are ready in one turn; the first that is told removes the other, which must not be told any
/// more.
void TestEpollDispatcher::notifierRemovedInAnothersHandler()
{
    runOn(m_kind, [] {
        const std::array<SocketPair, 2> pairs;
        std::array<std::unique_ptr<QSocketNotifier>, 2> notifiers;
        int told = 0;
        for (std::size_t i = 0; i < 2; ++i) {
            pairs[i].makeReadable();
            notifiers[i] =
                std::make_unique<QSocketNotifier>(pairs[i].near(), QSocketNotifier::Read);
            QObject::connect(notifiers[i].get(), &QSocketNotifier::activated, [&, i] {
                ++told;
                notifiers[1 - i].reset();
            });
        }
        QCoreApplication::processEvents();
        QCOMPARE(told, 1);
        QCoreApplication::processEvents();
        QCOMPARE(told, 2);
    });
}

/// A notifier that was made in the turn is not told of what was reported for the one before it,
/// even on the same descriptor and for the same type, once the descriptor is not ready any more.
void TestEpollDispatcher::notifierReplacedInAnothersHandler()
{
    runOn(m_kind, [] {
        const SocketPair pair;
        pair.makeReadable();
        int told = 0;
        std::unique_ptr<QSocketNotifier> successor;
        auto writes = std::make_unique<QSocketNotifier>(pair.near(), QSocketNotifier::Write);
        QObject::connect(writes.get(), &QSocketNotifier::activated, [&] { ++told; });
        QSocketNotifier reads(pair.near(), QSocketNotifier::Read); // told before the writer
        QObject::connect(&reads, &QSocketNotifier::activated, [&] {
            pair.drain();
            pair.fill();
            writes.reset();
            successor = std::make_unique<QSocketNotifier>(pair.near(), QSocketNotifier::Write);
            QObject::connect(successor.get(), &QSocketNotifier::activated, [&] { ++told; });
        });
        QCoreApplication::processEvents();
        QVERIFY(successor);
        QCoreApplication::processEvents();
        QCOMPARE(told, 0);
        pair.drainFar();
        QCoreApplication::processEvents();
        QCOMPARE(told, 1);
    });
}

/// The first handler closes the other's descriptor, and a new, quiet connection gets its number:
/// its notifier must not be told of what its predecessor had to say.
void TestEpollDispatcher::descriptorClosedAndReusedInOneTurn()
{
    runOn(m_kind, [] {
        std::array<SocketPair, 2> pairs;
        SocketPair fresh;
        std::array<std::unique_ptr<QSocketNotifier>, 2> notifiers;
        std::unique_ptr<QSocketNotifier> successor;
        int told = 0;
        int successorTold = 0;
        for (std::size_t i = 0; i < 2; ++i) {
            pairs[i].makeReadable();
            notifiers[i] =
                std::make_unique<QSocketNotifier>(pairs[i].near(), QSocketNotifier::Read);
            QObject::connect(notifiers[i].get(), &QSocketNotifier::activated, [&, i] {
                if (++told > 1)
                    return;
                notifiers[1 - i].reset();
                pairs[1 - i].replaceNear(fresh);
                successor = std::make_unique<QSocketNotifier>(fresh.near(), QSocketNotifier::Read);
                QObject::connect(successor.get(), &QSocketNotifier::activated,
                                 [&] { ++successorTold; });
            });
        }
        QCoreApplication::processEvents();
        QCOMPARE(told, 1);
        QCOMPARE(successorTold, 0);
        QCoreApplication::processEvents();
        QCOMPARE(successorTold, 0);
        fresh.makeReadable();
        QCoreApplication::processEvents();
        QCOMPARE(successorTold, 1);
    });
}

/// What a nested turn has handled is not told again by the outer one, and what is ready is not
/// lost.
void TestEpollDispatcher::nestedTurnLeavesNothingTwice()
{
    runOn(m_kind, [] {
        const std::array<SocketPair, 3> pairs;
        std::array<std::unique_ptr<QSocketNotifier>, 3> notifiers;
        int told = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            pairs[i].makeReadable();
            notifiers[i] =
                std::make_unique<QSocketNotifier>(pairs[i].near(), QSocketNotifier::Read);
            QObject::connect(notifiers[i].get(), &QSocketNotifier::activated, [&, i] {
                ++told;
                pairs[i].drain();
                QCoreApplication::processEvents();
            });
        }
        QCoreApplication::processEvents();
        QCOMPARE(told, 3);
        QCoreApplication::processEvents();
        QCOMPARE(told, 3);
    });
}

/// epoll takes no files, poll does: standard input that is redirected from one works with Qt's
/// dispatcher.
void TestEpollDispatcher::fileIsAlwaysReady()
{
    runOn(m_kind, [] {
        QTemporaryFile file;
        QVERIFY(file.open());
        int told = 0;
        auto notifier = std::make_unique<QSocketNotifier>(file.handle(), QSocketNotifier::Read);
        QObject::connect(notifier.get(), &QSocketNotifier::activated, [&] { ++told; });
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
        QCOMPARE(told, 2);
        notifier->setEnabled(false);
        QCoreApplication::processEvents();
        QCOMPARE(told, 2);
        notifier->setEnabled(true);
        QObject::connect(notifier.get(), &QSocketNotifier::activated, [&] { notifier.reset(); });
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
        QCOMPARE(told, 3);
    });
}

/// More are ready than one epoll_wait gives: all get their turn.
void TestEpollDispatcher::moreDescriptorsThanOneTurnTakes()
{
    runOn(m_kind, [] {
        std::vector<std::unique_ptr<QSocketNotifier>> notifiers;
        std::vector<int> told(900, 0);
        const SocketPair ready;
        ready.makeReadable();
        for (std::size_t i = 0; i < told.size(); ++i) {
            const int duplicate = ::dup(ready.near());
            QVERIFY(duplicate >= 0);
            notifiers.push_back(
                std::make_unique<QSocketNotifier>(duplicate, QSocketNotifier::Read));
            QObject::connect(notifiers.back().get(), &QSocketNotifier::activated,
                             [&told, i] { ++told[i]; });
        }
        for (int turn = 0; turn < 3; ++turn)
            QCoreApplication::processEvents();
        QCOMPARE(std::count(told.begin(), told.end(), 0), 0);
        for (const auto &notifier : notifiers) {
            const auto descriptor = static_cast<int>(notifier->socket());
            notifier->setEnabled(false);
            ::close(descriptor);
        }
    });
}

void TestEpollDispatcher::excludedNotifiersAreNotToldAndNotLost()
{
    runOn(m_kind, [] {
        const SocketPair pair;
        pair.makeReadable();
        int told = 0;
        QSocketNotifier notifier(pair.near(), QSocketNotifier::Read);
        QObject::connect(&notifier, &QSocketNotifier::activated, [&] { ++told; });
        QCoreApplication::processEvents(QEventLoop::ExcludeSocketNotifiers);
        QCOMPARE(told, 0);

        // The wait is not ended by what is left out, but by a timer or a wake-up.
        bool fired = false;
        QTimer::singleShot(5, Qt::PreciseTimer, [&] { fired = true; });
        while (!fired)
            QCoreApplication::processEvents(QEventLoop::ExcludeSocketNotifiers
                                            | QEventLoop::WaitForMoreEvents);
        QCOMPARE(told, 0);
        QCoreApplication::processEvents(QEventLoop::ExcludeUserInputEvents);
        QCOMPARE(told, 1);
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
                while (!waker)
                    dispatcher->processEvents(flags);
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

/// Under load from several threads no queued call is lost, and each thread's calls come in their
/// order.
void TestEpollDispatcher::postsFromManyThreadsAllArrive()
{
    runOn(m_kind, [] {
        constexpr int posts = 5000;
        Receiver receiver(posts);
        std::vector<std::thread> senders;
        for (int id = 0; id < Receiver::kSenders; ++id) {
            senders.emplace_back([&receiver, id] {
                // By name: the event is made inside Qt, where the thread sanitizer does not look.
                for (int i = 0; i < posts; ++i)
                    QMetaObject::invokeMethod(&receiver, "receive", Qt::QueuedConnection,
                                              Q_ARG(int, id), Q_ARG(int, i));
            });
        }
        receiver.loop.exec(); // hangs, and fails by its time limit, if a wake-up is lost
        for (std::thread &sender : senders)
            sender.join();
        QVERIFY(receiver.isInOrder);
    });
}

void TestEpollDispatcher::interruptEndsAWait()
{
    runOn(m_kind, [] {
        QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
        std::optional<std::thread> other;
        QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, [&] {
            if (other)
                return;
            other.emplace([dispatcher] { dispatcher->interrupt(); });
        });
        while (!other)
            dispatcher->processEvents(QEventLoop::WaitForMoreEvents);
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
        while (!order.contains('t'))
            dispatcher->processEvents(QEventLoop::WaitForMoreEvents);
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
        const QByteArray sent(8 * 1024 * 1024, 'x');
        qsizetype received = 0;
        QTcpSocket client;
        QSignalSpy disconnected(&client, &QTcpSocket::disconnected);
        QObject::connect(&client, &QTcpSocket::connected, [&] { client.write(sent); });
        QObject::connect(&client, &QTcpSocket::readyRead, [&] {
            received += client.readAll().size();
            if (received == sent.size())
                client.disconnectFromHost();
        });
        client.connectToHost(server.serverAddress(), server.serverPort());
        QVERIFY(turnUntil([&] { return !disconnected.isEmpty(); }));
        QCOMPARE(received, sent.size());
    });
}

int main(int argc, char **argv)
{
    qputenv("QT_NO_GLIB", "1"); // what the threads of the first row run on
    QCoreApplication application(argc, argv);
    TestEpollDispatcher test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_epoll_dispatcher.moc"
