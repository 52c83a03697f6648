#include "ops/access.h"

#include "support/test_main.h"

#include <QTest>

using namespace relay;

namespace {

const QByteArray kToken = "f3a9c0d1e2b4a5968778695a4b3c2d1e";

HttpRequest requestWith(const QByteArrayList &authorizations)
{
    HttpRequest request;
    request.method = "GET";
    request.target = "/-/api/overview";
    request.fields.append(HttpField{"Host", "127.0.0.1:9464"});
    for (const QByteArray &authorization : authorizations) {
        request.fields.append(HttpField{"Authorization", authorization});
    }
    return request;
}

int statusOf(const Access &access, const HttpRequest &request, AccessKind kind)
{
    const auto refused = access.refuse(request, kind);
    return refused ? refused->status : 200;
}

/// The rule in words.
bool needsToken(AccessKind kind, bool hasToken, bool isLoopback, bool readWithoutToken)
{
    switch (kind) {
    case AccessKind::Health:
        return false;
    case AccessKind::Read:
        return !isLoopback || (hasToken && !readWithoutToken);
    case AccessKind::Change:
        return !isLoopback || hasToken;
    }
    return true;
}

} // namespace

/// Who is let in to the ops port.
class TestAccess : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tokenIsAskedForWhereItIsNeeded_data();
    void tokenIsAskedForWhereItIsNeeded();
    void onlyTheTokenItselfIsTaken_data();
    void onlyTheTokenItselfIsTaken();
    void refusalSaysHowToComeIn();
    void foreignPagesAreRefused_data();
    void foreignPagesAreRefused();
    void browserSaysWhoAsks_data();
    void browserSaysWhoAsks();
    void foreignHostIsToldWhichAreTaken();
};

void TestAccess::tokenIsAskedForWhereItIsNeeded_data()
{
    QTest::addColumn<bool>("isLoopback");
    QTest::addColumn<bool>("hasToken");
    QTest::addColumn<int>("kind");
    const auto row = [](const char *name, bool isLoopback, bool hasToken, AccessKind kind) {
        QTest::newRow(name) << isLoopback << hasToken << static_cast<int>(kind);
    };
    row("loopback, token, health", true, true, AccessKind::Health);
    row("loopback, token, read", true, true, AccessKind::Read);
    row("loopback, token, change", true, true, AccessKind::Change);
    row("loopback, none, health", true, false, AccessKind::Health);
    row("loopback, none, read", true, false, AccessKind::Read);
    row("loopback, none, change", true, false, AccessKind::Change);
    row("public, token, health", false, true, AccessKind::Health);
    row("public, token, read", false, true, AccessKind::Read);
    row("public, token, change", false, true, AccessKind::Change);
    row("public, none, health", false, false, AccessKind::Health);
    row("public, none, read", false, false, AccessKind::Read);
    row("public, none, change", false, false, AccessKind::Change);
}

/// Each cell of the table of port, token and kind, without, with a wrong and with the right token.
/// Without a token in force no guess is the right one: not even an empty one.
void TestAccess::tokenIsAskedForWhereItIsNeeded()
{
    QFETCH(const bool, isLoopback);
    QFETCH(const bool, hasToken);
    QFETCH(const int, kind);
    const auto wanted = static_cast<AccessKind>(kind);
    for (const bool readWithoutToken : {false, true}) {
        const Access access(hasToken ? kToken : QByteArray(), isLoopback, readWithoutToken);
        const int withoutIt =
            needsToken(wanted, hasToken, isLoopback, readWithoutToken) ? 401 : 200;
        const int withIt = hasToken ? 200 : withoutIt;
        QCOMPARE(statusOf(access, requestWith({}), wanted), withoutIt);
        QCOMPARE(statusOf(access, requestWith({"Bearer "}), wanted), withoutIt);
        QCOMPARE(statusOf(access, requestWith({"Bearer wrong"}), wanted), withoutIt);
        QCOMPARE(statusOf(access, requestWith({"Bearer " + kToken}), wanted), withIt);
    }
}

void TestAccess::onlyTheTokenItselfIsTaken_data()
{
    QTest::addColumn<QByteArrayList>("authorizations");
    QTest::addColumn<int>("status");
    const auto row = [](const char *name, const QByteArrayList &authorizations, int status) {
        QTest::newRow(name) << authorizations << status;
    };
    row("right", {"Bearer " + kToken}, 200);
    row("scheme in another case", {"bearer " + kToken}, 200);
    row("two spaces", {"Bearer  " + kToken}, 200);
    row("no scheme", {kToken}, 401);
    row("other scheme", {"Basic " + kToken}, 401);
    row("scheme alone", {"Bearer"}, 401);
    row("nothing", {""}, 401);
    row("one byte less", {"Bearer " + kToken.chopped(1)}, 401);
    row("one byte more", {"Bearer " + kToken + "e"}, 401);
    row("other case", {"Bearer " + kToken.toUpper()}, 401);
    row("in quotes", {"Bearer \"" + kToken + "\""}, 401);
    row("two at once", {"Bearer " + kToken + ", Bearer " + kToken}, 401);
    row("twice", {"Bearer " + kToken, "Bearer " + kToken}, 401);
    row("wrong first", {"Bearer wrong", "Bearer " + kToken}, 401);
}

/// Fields that a proxy and the relay might read differently are not read at all.
void TestAccess::onlyTheTokenItselfIsTaken()
{
    QFETCH(const QByteArrayList, authorizations);
    const Access access(kToken, false);
    QTEST(statusOf(access, requestWith(authorizations), AccessKind::Read), "status");
}

/// RFC 9110, section 15.5.2: a 401 names the scheme. It does not tell the token.
void TestAccess::refusalSaysHowToComeIn()
{
    const auto refused = Access(kToken, false).refuse(requestWith({}), AccessKind::Read);
    QVERIFY(refused);
    QCOMPARE(refused->fields.first().name, QByteArray("WWW-Authenticate"));
    QVERIFY(refused->fields.first().value.startsWith("Bearer "));
    QVERIFY(refused->body.contains("ops.token"));
    QVERIFY(!refused->serialize().contains(kToken));
}

void TestAccess::foreignPagesAreRefused_data()
{
    QTest::addColumn<bool>("isLoopback");
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<QByteArray>("origin");
    QTest::addColumn<bool>("isLetIn");
    const auto row = [](const char *name, bool isLoopback, const char *host, const char *origin,
                        bool isLetIn) {
        QTest::newRow(name) << isLoopback << QByteArray(host) << QByteArray(origin) << isLetIn;
    };
    row("a program", true, "127.0.0.1:9464", "", true);
    row("by name", true, "localhost:9464", "", true);
    row("IPv6", true, "[::1]:9464", "", true);
    row("HTTP/1.0", true, "", "", true);
    row("own page", true, "localhost:9464", "http://localhost:9464", true);
    row("foreign page", true, "localhost:9464", "https://evil.example", false);
    row("other port", true, "localhost:9464", "http://localhost:8080", false);
    row("file", true, "localhost:9464", "null", false);
    row("name that points here", true, "evil.example:9464", "", false);
    row("page of a name that points here", true, "evil.example:9464", "http://evil.example:9464",
        false);
    row("public: any name", false, "relay.example:9464", "", true);
    row("public: own page", false, "relay.example:9464", "http://relay.example:9464", true);
    row("public: foreign page", false, "relay.example:9464", "https://evil.example", false);
}

/// A page that the operator looks at must not steer his relay; but whoever asks for health may.
void TestAccess::foreignPagesAreRefused()
{
    QFETCH(const bool, isLoopback);
    QFETCH(const QByteArray, host);
    QFETCH(const QByteArray, origin);
    QFETCH(const bool, isLetIn);
    const Access access(kToken, isLoopback);
    HttpRequest request;
    request.method = "POST";
    request.target = "/-/api/drain";
    request.fields.append(HttpField{"Authorization", "Bearer " + kToken});
    if (!host.isEmpty()) {
        request.fields.append(HttpField{"Host", host});
    }
    if (!origin.isEmpty()) {
        request.fields.append(HttpField{"Origin", origin});
    }
    QCOMPARE(statusOf(access, request, AccessKind::Change), isLetIn ? 200 : 403);
    QCOMPARE(statusOf(access, request, AccessKind::Read), isLetIn ? 200 : 403);
    QCOMPARE(statusOf(access, request, AccessKind::Health), 200);
}

void TestAccess::browserSaysWhoAsks_data()
{
    QTest::addColumn<QByteArray>("site");
    QTest::addColumn<QByteArray>("destination");
    QTest::addColumn<bool>("mayRead");
    QTest::addColumn<bool>("mayChange");
    QTest::newRow("own page") << QByteArray("same-origin") << QByteArray("empty") << true << true;
    QTest::newRow("typed address") << QByteArray("none") << QByteArray("document") << true << true;
    QTest::newRow("link") << QByteArray("cross-site") << QByteArray("document") << true << false;
    QTest::newRow("image") << QByteArray("cross-site") << QByteArray("image") << false << false;
    QTest::newRow("frame") << QByteArray("cross-site") << QByteArray("iframe") << false << false;
    QTest::newRow("fetch") << QByteArray("cross-site") << QByteArray("empty") << false << false;
    QTest::newRow("other port") << QByteArray("same-site") << QByteArray("script") << false
                                << false;
    QTest::newRow("no destination") << QByteArray("cross-site") << QByteArray() << false << false;
}

/// Browsers send no Origin when a page loads an image or a script, but say whose page it is: it could
/// otherwise take up all of the port's connections with streams. A link is the operator's own doing.
void TestAccess::browserSaysWhoAsks()
{
    QFETCH(const QByteArray, site);
    QFETCH(const QByteArray, destination);
    QFETCH(const bool, mayRead);
    QFETCH(const bool, mayChange);
    const Access access({}, true);
    HttpRequest request = requestWith({});
    request.fields.append(HttpField{"Sec-Fetch-Site", site});
    if (!destination.isEmpty()) {
        request.fields.append(HttpField{"Sec-Fetch-Dest", destination});
    }
    QCOMPARE(statusOf(access, request, AccessKind::Read), mayRead ? 200 : 403);
    QCOMPARE(statusOf(access, request, AccessKind::Health), 200);
    request.method = "POST";
    QCOMPARE(statusOf(access, request, AccessKind::Change), mayChange ? 200 : 403);
}

/// Who reaches a loopback port by a name, as through a proxy, finds out what is wrong with that.
void TestAccess::foreignHostIsToldWhichAreTaken()
{
    HttpRequest request;
    request.method = "GET";
    request.target = "/metrics";
    request.fields.append(HttpField{"Host", "relay.example:9464"});
    const auto refused = Access({}, true).refuse(request, AccessKind::Read);
    QVERIFY(refused);
    QCOMPARE(refused->status, 403);
    QVERIFY(refused->body.contains("forbidden_origin"));
    QVERIFY2(refused->body.contains("Host"), refused->body.constData());
    QVERIFY2(refused->body.contains("localhost"), refused->body.constData());
}

RELAY_TEST(TestAccess)
#include "tst_access.moc"
