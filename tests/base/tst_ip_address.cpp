#include "base/ip_address.h"

#include "support/test_main.h"

#include <QTest>

#include <array>

using relay::IpAddress;

class TestIpAddress : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsAddresses_data();
    void readsAddresses();
    void refusesWhatIsNone_data();
    void refusesWhatIsNone();
    void knowsItsKind_data();
    void knowsItsKind();
    void comesFromBytes();
};

void TestIpAddress::readsAddresses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("canonical");
    QTest::addColumn<bool>("isV4");
    const auto row = [](const char *text, const char *canonical, bool isV4) {
        QTest::newRow(text) << QByteArray(text) << QByteArray(canonical) << isV4;
    };
    row("127.0.0.1", "127.0.0.1", true);
    row("0.0.0.0", "0.0.0.0", true);
    row("255.255.255.255", "255.255.255.255", true);
    row("::", "::", false);
    row("::1", "::1", false);
    row("0:0:0:0:0:0:0:1", "::1", false);
    row("2001:DB8::A", "2001:db8::a", false);
    row("::ffff:192.0.2.1", "192.0.2.1", true);
    row("::FFFF:c000:201", "192.0.2.1", true);
    row("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1", true);
    row("64:ff9b::192.0.2.1", "64:ff9b::c000:201", false);
}

// One address has one form: what is compared and shown does not depend on how it was written.
void TestIpAddress::readsAddresses()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, canonical);
    QFETCH(bool, isV4);
    const auto address = IpAddress::fromText(text);
    QVERIFY(address.has_value());
    QCOMPARE(address->toText(), canonical);
    QCOMPARE(address->isV4(), isV4);
    QVERIFY(IpAddress::fromText(canonical) == address);
}

void TestIpAddress::refusesWhatIsNone_data()
{
    QTest::addColumn<QByteArray>("text");
    for (const char *text : {"",
                             " ",
                             "localhost",
                             "127.1",
                             "1",
                             "2130706433",
                             "0x7f.0.0.1",
                             "0x7f000001",
                             "0177.0.0.1",
                             "127.0.0.01",
                             "00.0.0.0",
                             "127.0.0.1.",
                             "127.0.0",
                             "1.2.3.4.5",
                             "256.0.0.1",
                             "127.0.0.1 ",
                             " 127.0.0.1",
                             "+1.2.3.4",
                             "127.0.0.1:80",
                             "[::1]",
                             "::1%lo",
                             ":::",
                             "1::2::3",
                             "::12345",
                             "1:2:3:4:5:6:7",
                             "1:2:3:4:5:6:7:8:9",
                             "::ffff:0177.0.0.1",
                             "::ffff:127.1",
                             "127.0.0.1/8",
                             "0000000000000000000000000000000000000000000000000001"})
    {
        QTest::newRow(text) << QByteArray(text);
    }
    QTest::newRow("a NUL behind it") << QByteArray("127.0.0.1\0x", 11);
    QTest::newRow("a NUL at its end") << QByteArray("127.0.0.1\0", 10);
}

// What other programs read in their own ways is no address here, so that nobody is let in, or listened on, by mistake.
void TestIpAddress::refusesWhatIsNone()
{
    QFETCH(QByteArray, text);
    QVERIFY(!IpAddress::fromText(text));
}

void TestIpAddress::knowsItsKind_data()
{
    QTest::addColumn<QByteArray>("kinds");
    const auto row = [](const char *text, const char *kinds) {
        QTest::newRow(text) << QByteArray(kinds);
    };
    row("0.0.0.0", "any");
    row("::", "any");
    row("::ffff:0.0.0.0", "any");
    row("127.0.0.1", "loopback");
    row("127.255.0.9", "loopback");
    row("::1", "loopback");
    row("::ffff:127.0.0.1", "loopback");
    row("128.0.0.1", "");
    row("::2", "");
    row("192.0.2.1", "");
    row("223.255.255.255", "");
    row("224.0.0.0", "multicast");
    row("239.255.255.255", "multicast");
    row("240.0.0.1", "");
    row("255.255.255.254", "");
    row("255.255.255.255", "broadcast");
    row("ff02::1", "multicast");
    row("fe80::1", "link-local");
    row("febf::1", "link-local");
    row("fec0::1", "");
}

// The edges of each block of addresses.
void TestIpAddress::knowsItsKind()
{
    QFETCH(QByteArray, kinds);
    const auto address = IpAddress::fromText(QByteArray(QTest::currentDataTag()));
    QVERIFY(address.has_value());
    QCOMPARE(address->isAny(), kinds == "any");
    QCOMPARE(address->isLoopback(), kinds == "loopback");
    QCOMPARE(address->isMulticast(), kinds == "multicast");
    QCOMPARE(address->isBroadcast(), kinds == "broadcast");
    QCOMPARE(address->isLinkLocal(), kinds == "link-local");
}

void TestIpAddress::comesFromBytes()
{
    static constexpr std::array<quint8, 4> kV4{192, 0, 2, 1};
    QCOMPARE(IpAddress(std::span<const quint8, 4>(kV4)).toText(), QByteArray("192.0.2.1"));
    static constexpr std::array<quint8, 16> kV6{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0,
                                                0,    0, 0,    0,    0, 0, 0, 1};
    QCOMPARE(IpAddress(std::span<const quint8, 16>(kV6)).toText(), QByteArray("2001:db8::1"));
    QCOMPARE(IpAddress().toText(), QByteArray("::"));
}

RELAY_TEST(TestIpAddress)
#include "tst_ip_address.moc"
