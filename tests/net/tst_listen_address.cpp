#include "net/listen_address.h"

#include "support/test_main.h"

#include <QTest>

using relay::ListenAddress;

class TestListenAddress : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesAddresses_data();
    void takesAddresses();
    void refuses_data();
    void refuses();
    void knowsBroadcastAddresses_data();
    void knowsBroadcastAddresses();
    void knowsLoopback();
};

void TestListenAddress::takesAddresses_data()
{
    QTest::addColumn<QHostAddress>("host");
    QTest::newRow("127.0.0.1") << QHostAddress(QHostAddress::LocalHost);
    QTest::newRow("0.0.0.0") << QHostAddress(QHostAddress::AnyIPv4);
    QTest::newRow("::1") << QHostAddress(QHostAddress::LocalHostIPv6);
    QTest::newRow("::") << QHostAddress(QHostAddress::Any); // not AnyIPv6, which leaves IPv4 out
    QTest::newRow("0::0") << QHostAddress(QHostAddress::Any);
    QTest::newRow("192.0.2.1") << QHostAddress(QStringLiteral("192.0.2.1"));
    QTest::newRow("fe80::1%lo") << QHostAddress(QStringLiteral("fe80::1%lo"));
}

void TestListenAddress::takesAddresses()
{
    QFETCH(QHostAddress, host);
    const auto address = ListenAddress::fromText(QString::fromLatin1(QTest::currentDataTag()));
    QVERIFY(address);
    QCOMPARE(address.value().toHostAddress(), host);
    QCOMPARE(address.value().toHostAddress().protocol(), host.protocol());
}

void TestListenAddress::refuses_data()
{
    QTest::addColumn<QString>("why");
    const auto row = [](const char *text, const char *why) {
        QTest::newRow(text) << QString::fromLatin1(why);
    };
    row("", "is not an IP address");
    row("localhost", "is not an IP address");
    row("0177.0.0.1", "without leading zeros");
    row("127.0.0.01", "without leading zeros");
    row("127.1", "four decimal numbers");
    row("2130706433", "four decimal numbers");
    row("0x7f000001", "four decimal numbers");
    row("127.0.0.1:8443", "is not an IP address");
    row("[::1]", "is not an IP address");
    row("::ffff:127.0.0.1", "write 127.0.0.1");
    row("224.0.0.1", "is a multicast address");
    row("239.255.255.255", "is a multicast address");
    row("ff02::1", "is a multicast address");
    row("255.255.255.255", "is a broadcast address");
    row("fe80::1", "fe80::1%eth0");
    row("127.0.0.1%lo", "write 127.0.0.1");
    row("::1%lo", "write ::1");
}

// What is no address for a server is refused with what to write instead, for both ports, wherever it was set.
void TestListenAddress::refuses()
{
    QFETCH(QString, why);
    const auto address = ListenAddress::fromText(QString::fromLatin1(QTest::currentDataTag()));
    QVERIFY(!address);
    QVERIFY2(address.error().message.contains(why), qPrintable(address.error().message));
}

void TestListenAddress::knowsBroadcastAddresses_data()
{
    QTest::addColumn<bool>("isBroadcast");
    QTest::newRow("127.255.255.255") << true;
    QTest::newRow("127.0.0.1") << false;
    QTest::newRow("127.1.2.3") << false;
    QTest::newRow("0.0.0.0") << false;
    QTest::newRow("::1") << false;
    QTest::newRow("::") << false;
}

// The kernel lets a server listen on the broadcast address of a network, where nobody can connect.
void TestListenAddress::knowsBroadcastAddresses()
{
    QFETCH(bool, isBroadcast);
    const auto address = ListenAddress::fromText(QString::fromLatin1(QTest::currentDataTag()));
    QVERIFY(address);
    QCOMPARE(address.value().isLocalBroadcast(), isBroadcast);
}

void TestListenAddress::knowsLoopback()
{
    QVERIFY(relay::isLoopbackAddress(QStringLiteral("127.0.0.1")));
    QVERIFY(relay::isLoopbackAddress(QStringLiteral("127.9.9.9")));
    QVERIFY(relay::isLoopbackAddress(QStringLiteral("::1")));
    QVERIFY(!relay::isLoopbackAddress(QStringLiteral("::")));
    QVERIFY(!relay::isLoopbackAddress(QStringLiteral("0.0.0.0")));
    QVERIFY(!relay::isLoopbackAddress(QStringLiteral("0177.0.0.1")));
    QVERIFY(!relay::isLoopbackAddress(QString()));
}

RELAY_TEST(TestListenAddress)
#include "tst_listen_address.moc"
