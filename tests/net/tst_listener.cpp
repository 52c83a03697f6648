#include "net/listener.h"

#include "support/test_main.h"

#include <QHostAddress>
#include <QSignalSpy>
#include <QTcpSocket>
#include <QTest>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

using relay::Listener;
using relay::Outcome;
using relay::SocketHandle;

namespace {

const QString kLoopback = QStringLiteral("127.0.0.1");
constexpr int kPatienceMs = 20'000;

/// A blocking socket that is connected: the system does it, whether anyone accepts or not.
SocketHandle connectTo(quint16 port)
{
    SocketHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
    {
        return SocketHandle();
    }
    return socket;
}

void takeAll(Listener::Batch &batch, std::vector<SocketHandle> &accepted)
{
    for (relay::AcceptedSocket &one : batch) {
        accepted.push_back(std::move(one.socket));
    }
}

} // namespace

class TestListener : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void handsOnWhatItAccepts();
    void saysWhatIsWrong_data();
    void saysWhatIsWrong();
    void allAddressesAreThoseOfBothFamilies();
    void saysThatThePortIsInUse();
    void aHandleThatNobodyTakesIsClosed();
    void acceptsAWholeStorm();
    void goesOnWhenDescriptorsAreFree();
    void refusesOnceClosed();
};

// Connections come as bare descriptors, with Nagle's delay off.
void TestListener::handsOnWhatItAccepts()
{
    std::vector<SocketHandle> accepted;
    Listener listener([&](Listener::Batch &batch) { takeAll(batch, accepted); });
    QVERIFY(!listener.isListening());
    QVERIFY(listener.listen(kLoopback, 0));
    QVERIFY(listener.isListening());
    QVERIFY(listener.port() > 0);
    const SocketHandle client = connectTo(listener.port());
    QVERIFY(client.get() >= 0);
    QTRY_COMPARE_WITH_TIMEOUT(accepted.size(), std::size_t{1}, kPatienceMs);
    int noDelay = 0;
    socklen_t length = sizeof noDelay;
    QCOMPARE(::getsockopt(accepted[0].get(), IPPROTO_TCP, TCP_NODELAY, &noDelay, &length), 0);
    QCOMPARE(noDelay, 1);
    QCOMPARE(::send(accepted[0].get(), "hi", 2, 0), ssize_t{2});
    char buffer[8];
    QCOMPARE(::recv(client.get(), buffer, sizeof buffer, 0), ssize_t{2});
}

void TestListener::saysWhatIsWrong_data()
{
    QTest::addColumn<QString>("address");
    QTest::addColumn<QString>("said");
    QTest::newRow("no address") << QStringLiteral("localhost") << QStringLiteral("IP address");
    QTest::newRow("empty") << QString() << QStringLiteral("IP address");
    QTest::newRow("octal") << QStringLiteral("0177.0.0.1") << QStringLiteral("leading zeros");
    QTest::newRow("multicast") << QStringLiteral("224.0.0.1") << QStringLiteral("multicast");
    QTest::newRow("broadcast") << QStringLiteral("255.255.255.255") << QStringLiteral("broadcast");
    QTest::newRow("broadcast of a network")
        << QStringLiteral("127.255.255.255") << QStringLiteral("broadcast");
    QTest::newRow("not this machine's")
        << QStringLiteral("192.0.2.1") << QStringLiteral("no such address");
}

// Each error says where and what to do.
void TestListener::saysWhatIsWrong()
{
    QFETCH(QString, address);
    QFETCH(QString, said);
    Listener listener([](Listener::Batch &) {});
    const Outcome outcome = listener.listen(address, 0);
    QVERIFY(!outcome);
    const QString &message = outcome.error().message;
    QVERIFY2(message.contains(address) && message.contains(said)
                 && message.contains(QLatin1String("server.address")),
             qPrintable(message));
    QVERIFY(!listener.isListening());
}

// server.address "::" is all interfaces: an IPv4 client reaches it, too, and is shown as IPv4.
void TestListener::allAddressesAreThoseOfBothFamilies()
{
    std::vector<QString> peers;
    Listener listener([&](Listener::Batch &batch) {
        for (const relay::AcceptedSocket &one : batch) {
            peers.push_back(one.peer.toString());
        }
    });
    QVERIFY(listener.listen(QStringLiteral("::"), 0));
    const SocketHandle v4 = connectTo(listener.port());
    QVERIFY(v4.get() >= 0);
    QTRY_COMPARE_WITH_TIMEOUT(peers.size(), std::size_t{1}, kPatienceMs);
    QVERIFY2(peers[0].startsWith(QLatin1String("127.0.0.1:")), qPrintable(peers[0]));

    QTcpSocket v6;
    v6.connectToHost(QHostAddress(QHostAddress::LocalHostIPv6), listener.port());
    if (!v6.waitForConnected()) {
        QSKIP("this machine has no IPv6");
    }
    QTRY_COMPARE_WITH_TIMEOUT(peers.size(), std::size_t{2}, kPatienceMs);
    QVERIFY2(peers[1].startsWith(QLatin1String("[::1]:")), qPrintable(peers[1]));
}

// The commonest mistake has its own words.
void TestListener::saysThatThePortIsInUse()
{
    Listener first([](Listener::Batch &) {});
    QVERIFY(first.listen(kLoopback, 0));
    Listener second([](Listener::Batch &) {});
    const Outcome outcome = second.listen(kLoopback, first.port());
    QVERIFY(!outcome);
    const QString where = QStringLiteral("127.0.0.1:%1").arg(first.port());
    QVERIFY2(outcome.error().message.contains(where)
                 && outcome.error().message.contains(QLatin1String("in use")),
             qPrintable(outcome.error().message));
}

// A connection that its receiver does not want ends, and leaks nothing.
void TestListener::aHandleThatNobodyTakesIsClosed()
{
    int descriptor = -1;
    Listener listener([&](Listener::Batch &batch) { descriptor = batch[0].socket.get(); });
    QVERIFY(listener.listen(kLoopback, 0));
    const SocketHandle client = connectTo(listener.port());
    QTRY_VERIFY_WITH_TIMEOUT(descriptor >= 0, kPatienceMs);
    char byte = 0;
    QCOMPARE(::recv(client.get(), &byte, 1, 0), ssize_t{0});
}

// Many connect before the first is accepted: the backlog keeps them, none is refused or lost.
void TestListener::acceptsAWholeStorm()
{
    constexpr std::size_t kClients = 300;
    std::vector<SocketHandle> accepted;
    Listener listener([&](Listener::Batch &batch) { takeAll(batch, accepted); });
    QVERIFY(listener.listen(kLoopback, 0));
    std::vector<SocketHandle> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
        clients.push_back(connectTo(listener.port()));
        QVERIFY(clients.back().get() >= 0);
    }
    QTRY_COMPARE_WITH_TIMEOUT(accepted.size(), kClients, kPatienceMs);
}

// Out of descriptors, accepting pauses and goes on by itself; who waited is served.
void TestListener::goesOnWhenDescriptorsAreFree()
{
    std::vector<SocketHandle> accepted;
    Listener listener([&](Listener::Batch &batch) { takeAll(batch, accepted); });
    QVERIFY(listener.listen(kLoopback, 0));
    const SocketHandle client = connectTo(listener.port());
    QVERIFY(client.get() >= 0);
    QCoreApplication::processEvents(); // what needs a descriptor of its own has it
    QTRY_COMPARE_WITH_TIMEOUT(accepted.size(), std::size_t{1}, kPatienceMs);

    const SocketHandle waiting = connectTo(listener.port());
    QVERIFY(waiting.get() >= 0);
    rlimit before{};
    QCOMPARE(::getrlimit(RLIMIT_NOFILE, &before), 0);
    // None beyond those that are open: the next one would be this.
    const rlim_t next = static_cast<rlim_t>(SocketHandle(::dup(waiting.get())).get());
    const rlimit none{.rlim_cur = next, .rlim_max = before.rlim_max};
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &none), 0);
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("^accept failed: ")));
    QCoreApplication::processEvents(QEventLoop::AllEvents, 50);
    const std::size_t acceptedMeanwhile = accepted.size();
    QCOMPARE(::setrlimit(RLIMIT_NOFILE, &before), 0);
    QCOMPARE(acceptedMeanwhile, std::size_t{1});
    QTRY_COMPARE_WITH_TIMEOUT(accepted.size(), std::size_t{2}, kPatienceMs);
}

// After close() nobody is let in any more.
void TestListener::refusesOnceClosed()
{
    Listener listener([](Listener::Batch &) {});
    QVERIFY(listener.listen(kLoopback, 0));
    const quint16 port = listener.port();
    listener.close();
    QVERIFY(!listener.isListening());
    QCOMPARE(connectTo(port).get(), -1);
}

RELAY_TEST(TestListener)
#include "tst_listener.moc"
