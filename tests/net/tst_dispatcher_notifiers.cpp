#include "dispatcher_harness.h"
#include "support/test_main.h"
#include "test_application.h"

#include <QSocketNotifier>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryFile>
#include <QTest>

#include <algorithm>
#include <memory>
#include <vector>

using namespace relay;
using namespace relay::test;

/// Socket notifiers, each case on Qt's own dispatcher and on EpollDispatcher.
class TestDispatcherNotifiers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data();
    void init();

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

private:
    DispatcherKind m_kind = DispatcherKind::Qt;
};

void TestDispatcherNotifiers::initTestCase_data()
{
    QTest::addColumn<bool>("epoll");
    QTest::newRow("Qt's own") << false;
    QTest::newRow("epoll") << true;
}

void TestDispatcherNotifiers::init()
{
    QFETCH_GLOBAL(bool, epoll);
    m_kind = epoll ? DispatcherKind::Epoll : DispatcherKind::Qt;
}

/// Level-triggered: told as long as there is something to read, and not after.
void TestDispatcherNotifiers::readNotifierFollowsItsDescriptor()
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

void TestDispatcherNotifiers::writeNotifierWaitsForRoom()
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

void TestDispatcherNotifiers::exceptionNotifierIsToldOfUrgentData()
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

void TestDispatcherNotifiers::notifiersOfAllTypesShareADescriptor()
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
void TestDispatcherNotifiers::hangUpReachesWriters()
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

void TestDispatcherNotifiers::notifierRemovedInItsOwnHandler()
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
void TestDispatcherNotifiers::notifierRemovedInAnothersHandler()
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
void TestDispatcherNotifiers::notifierReplacedInAnothersHandler()
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
void TestDispatcherNotifiers::descriptorClosedAndReusedInOneTurn()
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
                if (++told > 1) {
                    return;
                }
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
void TestDispatcherNotifiers::nestedTurnLeavesNothingTwice()
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
void TestDispatcherNotifiers::fileIsAlwaysReady()
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
void TestDispatcherNotifiers::moreDescriptorsThanOneTurnTakes()
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
        for (int turn = 0; turn < 3; ++turn) {
            QCoreApplication::processEvents();
        }
        QCOMPARE(std::count(told.begin(), told.end(), 0), 0);
        for (const auto &notifier : notifiers) {
            const auto descriptor = static_cast<int>(notifier->socket());
            notifier->setEnabled(false);
            ::close(descriptor);
        }
    });
}

void TestDispatcherNotifiers::excludedNotifiersAreNotToldAndNotLost()
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
        while (!fired) {
            QCoreApplication::processEvents(QEventLoop::ExcludeSocketNotifiers
                                            | QEventLoop::WaitForMoreEvents);
        }
        QCOMPARE(told, 0);
        QCoreApplication::processEvents(QEventLoop::ExcludeUserInputEvents);
        QCOMPARE(told, 1);
    });
}

RELAY_TEST_IN(relay::test::UnixApplication, TestDispatcherNotifiers)

#include "tst_dispatcher_notifiers.moc"
