#include "wire/authority.h"

#include "support/test_main.h"

#include <QTest>

using relay::Authority;

class TestAuthority : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesHostAndPort_data();
    void takesHostAndPort();
};

void TestAuthority::takesHostAndPort_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<int>("port"); // -1: none
    QTest::addColumn<bool>("isAddress");
    const auto row = [](const char *text, const char *host, int port = -1, bool isAddress = false) {
        QTest::newRow(text) << QByteArray(text) << QByteArray(host) << port << isAddress;
    };
    row("", "");
    row("a.example", "a.example");
    row("A.Example:80", "a.example", 80);
    row("a:", "a");
    row("a:0080", "a", 80);
    row("a:65535", "a", 65535);
    row("127.0.0.1:8443", "127.0.0.1", 8443, true);
    row("[::1]", "::1", -1, true);
    row("[::1]:", "::1", -1, true);
    row("[0:0:0:0:0:0:0:1]:8443", "::1", 8443, true);
    row("[::ffff:127.0.0.1]:8443", "127.0.0.1", 8443, true);
    row("2130706433", "2130706433");
    row("0177.0.0.1", "0177.0.0.1");
    row("a%41", "a%41");
}

// What two texts mean is compared by these values: case, leading zeros and forms of an address are gone. What breaks the grammar is in
// the table of tst_http_request, as Host.
void TestAuthority::takesHostAndPort()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, host);
    QFETCH(int, port);
    QFETCH(bool, isAddress);
    const auto authority = Authority::fromText(text);
    QVERIFY(authority.has_value());
    QCOMPARE(authority->host, host);
    QCOMPARE(authority->portOr(-1), port);
    QCOMPARE(authority->isAddress, isAddress);
}

RELAY_TEST(TestAuthority)
#include "tst_authority.moc"
