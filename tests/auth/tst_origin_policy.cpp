#include "auth/origin_policy.h"

#include "support/test_main.h"

#include <QTest>

using relay::OriginPolicy;

class TestOriginPolicy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void knowsItsOwnHost_data();
    void knowsItsOwnHost();
    void takesWhatIsListed_data();
    void trustsNoNameOnLoopback_data();
    void trustsNoNameOnLoopback();
    void takesWhatIsListed();
    void tellsNamedPagesFromAnyone_data();
    void tellsNamedPagesFromAnyone();
    void isNotSlowedByAnyPattern();
};

void TestOriginPolicy::knowsItsOwnHost_data()
{
    QTest::addColumn<QByteArray>("origin");
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<bool>("isAllowed");
    const auto row = [](const char *name, const char *origin, const char *host, bool isAllowed) {
        QTest::newRow(name) << QByteArray(origin) << QByteArray(host) << isAllowed;
    };
    row("no browser", "", "relay.test", true);
    row("same host", "http://relay.test", "relay.test", true);
    row("same host and port", "http://relay.test:8443", "relay.test:8443", true);
    row("default port of http left out", "http://relay.test", "relay.test:80", true);
    row("default port of http written", "http://relay.test:80", "relay.test", true);
    row("default port of https left out", "https://relay.test", "relay.test:443", true);
    row("case of the host", "http://Relay.Test", "relay.TEST", true);
    row("address", "http://127.0.0.1:8443", "127.0.0.1:8443", true);
    row("IPv6 address", "http://[::1]:8443", "[::1]:8443", true);
    row("behind a proxy that ends TLS", "https://relay.test", "relay.test", true);

    row("IPv4 written as IPv6", "http://127.0.0.1:8443", "[::ffff:127.0.0.1]:8443", true);
    row("two ways to write IPv6", "http://[::1]", "[0:0:0:0:0:0:0:1]", true);

    row("a scheme of no page", "ftp://127.0.0.1", "127.0.0.1", false);
    row("a user before the host", "http://user@127.0.0.1", "127.0.0.1", false);
    row("a path", "http://relay.test/", "relay.test", false);
    row("a number that browsers read as an address", "http://2130706433", "127.0.0.1", false);
    row("an octal address", "http://0177.0.0.1", "127.0.0.1", false);
    row("another host", "http://evil.test", "relay.test", false);
    row("another port", "http://relay.test:3000", "relay.test:8443", false);
    row("port of another scheme", "https://relay.test", "relay.test:80", false);
    row("host as a prefix", "http://relay.test.evil.test", "relay.test", false);
    row("host as a suffix", "http://evilrelay.test", "relay.test", false);
    row("host as a user name", "http://relay.test@evil.test", "relay.test", false);
    row("host as a path", "http://evil.test/relay.test", "relay.test", false);
    row("localhost is not its address", "http://localhost:8443", "127.0.0.1:8443", false);
    row("opaque", "null", "relay.test", false);
    row("opaque, at a host of that name", "null", "null", false);
    row("file", "file://", "relay.test", false);
    row("no URL", "http://[", "relay.test", false);
    row("two origins", "http://relay.test http://evil.test", "relay.test", false);
    row("no host in the request", "http://relay.test", "", false);
    row("nonsense in the request", "http://relay.test", "relay.test:http", false);
    row("bytes that are no text", "http://\xFF\xFE", "relay.test", false);
}

// Without any setting only pages that this very host serves may connect: a page elsewhere on the
// web does not reach a relay on its visitor's machine.
void TestOriginPolicy::knowsItsOwnHost()
{
    QFETCH(QByteArray, origin);
    QFETCH(QByteArray, host);
    QFETCH(bool, isAllowed);
    QCOMPARE(OriginPolicy().allows(origin, host), isAllowed);
}

// A relay on loopback trusts no name: the page's owner may have let it point here (DNS rebinding).
void TestOriginPolicy::trustsNoNameOnLoopback_data()
{
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<bool>("isAllowed");
    QTest::newRow("IPv4 address") << QByteArray("127.0.0.1:8443") << true;
    QTest::newRow("IPv6 address") << QByteArray("[::1]:8443") << true;
    QTest::newRow("localhost") << QByteArray("localhost:8443") << true;
    QTest::newRow("below localhost") << QByteArray("app.localhost:8443") << true;
    QTest::newRow("IPv4 address written as IPv6") << QByteArray("[::ffff:127.0.0.1]:8443") << true;
    QTest::newRow("a number") << QByteArray("2130706433:8443") << false;
    QTest::newRow("a short address") << QByteArray("127.1:8443") << false;
    QTest::newRow("an octal address") << QByteArray("0177.0.0.1") << false;
    QTest::newRow("a name") << QByteArray("evil.test:8443") << false;
    QTest::newRow("a name that ends alike") << QByteArray("evillocalhost:8443") << false;
    QTest::newRow("a name that is listed") << QByteArray("relay.example:8443") << true;
}

void TestOriginPolicy::trustsNoNameOnLoopback()
{
    QFETCH(QByteArray, host);
    QFETCH(bool, isAllowed);
    const OriginPolicy policy({QStringLiteral("http://relay.example:*")},
                              OriginPolicy::OwnHost::LocalOnly);
    QCOMPARE(policy.allows("http://" + host, host), isAllowed);
    QVERIFY(policy.allows({}, host)); // no browser
}

void TestOriginPolicy::takesWhatIsListed_data()
{
    QTest::addColumn<QStringList>("patterns");
    QTest::addColumn<QByteArray>("origin");
    QTest::addColumn<bool>("isAllowed");
    const auto row = [](const char *name, const QStringList &patterns, const char *origin,
                        bool isAllowed) {
        QTest::newRow(name) << patterns << QByteArray(origin) << isAllowed;
    };
    const QStringList one{QStringLiteral("https://example.com")};
    const QStringList wild{QStringLiteral("https://*.example.com")};
    row("listed", one, "https://example.com", true);
    row("in another case", {QStringLiteral("HTTPS://Example.COM")}, "https://eXample.com", true);
    row("second in the list", {QStringLiteral("http://a.test"), QStringLiteral("http://b.test")},
        "http://b.test", true);
    row("another scheme", one, "http://example.com", false);
    row("another port", one, "https://example.com:444", false);
    row("longer", one, "https://example.com.evil.test", false);
    row("shorter", one, "https://example.co", false);
    row("subdomain", wild, "https://a.example.com", true);
    row("subdomain of a subdomain", wild, "https://a.b.example.com", true);
    row("the domain itself is none", wild, "https://example.com", false);
    row("subdomain of a longer domain", wild, "https://a.example.com.evil.test", false);
    row("subdomain of a similar domain", wild, "https://evilexample.com", false);
    row("any port", {QStringLiteral("http://localhost:*")}, "http://localhost:5173", true);
    row("any port of another host", {QStringLiteral("http://localhost:*")}, "http://evil:5173",
        false);
    row("all", {QStringLiteral("*")}, "https://evil.test", true);
    row("all, opaque ones too", {QStringLiteral("*")}, "null", true);
    row("opaque, listed", {QStringLiteral("null")}, "null", true);
    row("stars match nothing, too", {QStringLiteral("**https://*a*.test**")}, "https://a.test",
        true);
    row("a dot is a dot", {QStringLiteral("https://a.test")}, "https://aXtest", false);
    row("an empty pattern", {QString()}, "https://a.test", false);
}

// server.origins lets in what it names, and nothing that only looks like it.
void TestOriginPolicy::takesWhatIsListed()
{
    QFETCH(QStringList, patterns);
    QFETCH(QByteArray, origin);
    QFETCH(bool, isAllowed);
    const OriginPolicy policy(patterns);
    QCOMPARE(policy.allows(origin, "relay.test"), isAllowed);
    QVERIFY(policy.allows("http://relay.test", "relay.test")); // its own host stays
}

void TestOriginPolicy::tellsNamedPagesFromAnyone_data()
{
    QTest::addColumn<QStringList>("patterns");
    QTest::addColumn<QByteArray>("origin");
    QTest::addColumn<OriginPolicy::Decision>("decision");
    using Decision = OriginPolicy::Decision;
    const auto row = [](const char *patterns, const char *origin, Decision decision) {
        QTest::addRow("%s from %s", patterns, origin)
            << QString::fromLatin1(patterns).split(QLatin1Char(' ')) << QByteArray(origin)
            << decision;
    };
    row("https://a.test", "", Decision::NoOrigin);
    row("https://a.test", "http://relay.test", Decision::OwnHost);
    row("https://a.test", "https://a.test", Decision::Listed);
    row("https://*.a.test", "https://b.a.test", Decision::Listed);
    row("http://localhost:*", "http://localhost:3000", Decision::Listed);
    row("http://[::1]:*", "http://[::1]:3000", Decision::Listed);
    row("*://a.test", "https://a.test", Decision::Listed);
    row("*", "https://a.test", Decision::Anyone);
    row("*", "null", Decision::Anyone);
    row("null", "null", Decision::Anyone);
    row("https://*", "https://a.test", Decision::Anyone);
    row("*://*:3000", "http://a.test:3000", Decision::Anyone);
    row("https://*.*", "https://a.test", Decision::Anyone);
    row("* https://a.test", "https://a.test", Decision::Listed);
    row("https://a.test *", "https://b.test", Decision::Anyone);
    row("https://a.test", "https://b.test", Decision::Refused);
}

// Who is let in by name may send credentials; who is let in as anyone may not.
void TestOriginPolicy::tellsNamedPagesFromAnyone()
{
    QFETCH(QStringList, patterns);
    QFETCH(QByteArray, origin);
    QFETCH(OriginPolicy::Decision, decision);
    QCOMPARE(OriginPolicy(patterns).decide(origin, "relay.test"), decision);
}

// An Origin is hostile input of up to 16 KiB: with a backtracking matcher this case would not end.
void TestOriginPolicy::isNotSlowedByAnyPattern()
{
    const OriginPolicy policy({QStringLiteral("*a").repeated(20) + QLatin1Char('b')});
    QVERIFY(!policy.allows(QByteArray(16'000, 'a'), "relay.test"));
    QVERIFY(policy.allows(QByteArray(16'000, 'a') + 'b', "relay.test"));
}

RELAY_TEST(TestOriginPolicy)
#include "tst_origin_policy.moc"
