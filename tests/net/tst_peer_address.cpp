#include "net/peer_address.h"

#include "support/test_main.h"

#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>

#include <sys/socket.h>
#include <unistd.h>

using relay::PeerAddress;

class TestPeerAddress : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void showsTheOtherEnd_data();
    void showsTheOtherEnd();
    void doesNotKnowWhatHasNone();
    void isSmall();
};

void TestPeerAddress::showsTheOtherEnd_data()
{
    QTest::addColumn<QHostAddress>("listenOn");
    QTest::addColumn<QHostAddress>("connectTo");
    QTest::addColumn<QString>("shown"); // %1: the port
    const QHostAddress v4(QHostAddress::LocalHost);
    const QHostAddress v6(QHostAddress::LocalHostIPv6);
    QTest::newRow("IPv4") << v4 << v4 << QStringLiteral("127.0.0.1:%1");
    QTest::newRow("IPv6") << v6 << v6 << QStringLiteral("[::1]:%1");
    QTest::newRow("IPv4 at an IPv6 socket")
        << QHostAddress(QHostAddress::Any) << v4 << QStringLiteral("127.0.0.1:%1");
}

// What stands in the log is what the operator finds in his firewall: no ::ffff: before IPv4, and
// brackets around IPv6.
void TestPeerAddress::showsTheOtherEnd()
{
    QFETCH(QHostAddress, listenOn);
    QFETCH(QHostAddress, connectTo);
    QFETCH(QString, shown);
    QTcpServer server;
    if (!server.listen(listenOn, 0)) {
        QSKIP("this machine has no such address");
    }
    QTcpSocket client;
    client.connectToHost(connectTo, server.serverPort());
    QVERIFY(server.hasPendingConnections() || server.waitForNewConnection(10'000));
    const std::unique_ptr<QTcpSocket> accepted(server.nextPendingConnection());
    QVERIFY(client.waitForConnected(10'000));
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    QCOMPARE(::getpeername(static_cast<int>(accepted->socketDescriptor()),
                           reinterpret_cast<sockaddr *>(&peer), &length),
             0);
    QCOMPARE(PeerAddress(peer).toString(), shown.arg(client.localPort()));
}

// A peer without an IP address is "unknown" and no error.
void TestPeerAddress::doesNotKnowWhatHasNone()
{
    QCOMPARE(PeerAddress().toString(), QStringLiteral("unknown"));
    QCOMPARE(PeerAddress(sockaddr_storage{}).toString(), QStringLiteral("unknown"));
    sockaddr_storage local{};
    local.ss_family = AF_UNIX;
    QCOMPARE(PeerAddress(local).toString(), QStringLiteral("unknown"));
}

// Each of ten thousand clients keeps one.
void TestPeerAddress::isSmall()
{
    QCOMPARE(sizeof(PeerAddress), std::size_t{20});
}

RELAY_TEST(TestPeerAddress)
#include "tst_peer_address.moc"
