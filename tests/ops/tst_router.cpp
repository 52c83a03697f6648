#include "ops/router.h"

#include "recorded_reply.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay;

namespace {

const QString kPeer = QStringLiteral("127.0.0.1:50112");

HttpRequest requestOf(const QByteArray &method, const QByteArray &target)
{
    HttpRequest request;
    request.method = method;
    request.target = target;
    return request;
}

/// A handler that answers its own name, and what it was given.
Route::Handler named(const QByteArray &name)
{
    return answering([name](const RoutedRequest &request) {
        return plainResponse(200, name + '(' + request.parameter + ')' + request.body);
    });
}

Router someRouter(Access access = Access({}, true))
{
    Router router(std::move(access));
    router.add({"GET", "/plain", "", named("plain")});
    router.add({"GET", "/things/first", "", named("first")});
    router.add({"GET", "/things/*", "", named("thing")});
    router.add({"POST", "/things/*", "", named("post"), AccessKind::Change, 100});
    router.add({"DELETE", "/things/deep/*", "", named("deep"), AccessKind::Change});
    router.add({"GET", "/health", "", named("health"), AccessKind::Health});
    return router;
}

HttpResponse answerOf(const Router &router, const HttpRequest &request, const QByteArray &body = {})
{
    if (const auto refused = router.refuse(request, !body.isEmpty())) {
        return *refused;
    }
    const auto reply = std::make_shared<RecordedReply>();
    router.answer(request, body, kPeer, reply);
    return reply->answer.value_or(HttpResponse());
}

} // namespace

/// Which route a request gets, and whether it does.
class TestRouter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void finds_data();
    void finds();
    void allowNamesTheMethodsOfAllThatFit();
    void bodyIsAllowedWhereARouteTakesOne();
    void bodyReachesTheHandler();
    void everyOrderLeavesALine_data();
    void everyOrderLeavesALine();
    void anOrderThatNobodyAnswersLeavesALine();
    void readingLeavesNoLine();
    void whoMayNotLookLearnsNothing_data();
    void whoMayNotLookLearnsNothing();
};

void TestRouter::finds_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("answer"); ///< empty: 404
    const auto row = [](const char *method, const char *target, const char *answer) {
        QTest::addRow("%s %s", method, target)
            << QByteArray(method) << QByteArray(target) << QByteArray(answer);
    };
    row("GET", "/plain", "plain()");
    row("HEAD", "/plain", "plain()");
    row("GET", "/plain?a=/b", "plain()");
    row("GET", "/plain/", "");
    row("GET", "/plai", "");
    row("GET", "/things/first", "first()");
    row("GET", "/things/firs", "thing(firs)");
    row("GET", "/things/first/x", "thing(first/x)");
    row("GET", "/things/a%2Fb/c?d=e", "thing(a%2Fb/c)");
    row("GET", "http://localhost/things/x", "thing(x)");
    row("GET", "/things/*", "thing(*)");
    row("GET", "/things//", "thing(/)");
    row("GET", "/things/", "");
    row("GET", "/things", "");
    row("POST", "/things/first", "post(first)");
    row("DELETE", "/things/deep/x", "deep(x)");
    row("GET", "/things/deep/x", "thing(deep/x)");
}

/// The first that fits by method and path; a `*` stands for at least a character, and the handler
/// gets it as the client wrote it, so that an encoded slash stays one.
void TestRouter::finds()
{
    QFETCH(const QByteArray, method);
    QFETCH(const QByteArray, target);
    QFETCH(const QByteArray, answer);
    const HttpResponse response = answerOf(someRouter(), requestOf(method, target));
    if (answer.isEmpty()) {
        QCOMPARE(response.status, 404);
    } else {
        QCOMPARE(response.status, 200);
        QCOMPARE(response.body, QByteArray(answer + '\n'));
    }
}

/// 405 is right for every path that anything answers.
void TestRouter::allowNamesTheMethodsOfAllThatFit()
{
    const HttpResponse response = answerOf(someRouter(), requestOf("PUT", "/things/deep/x"));
    QCOMPARE(response.status, 405);
    QCOMPARE(response.fields.first().name, QByteArray("Allow"));
    QCOMPARE(response.fields.first().value, QByteArray("GET, HEAD, POST, DELETE"));
}

/// The limit is known before the body is read; where there is none, the refusal says what is wrong.
void TestRouter::bodyIsAllowedWhereARouteTakesOne()
{
    const Router router = someRouter();
    const auto refusal = [&](const char *method, const char *target) {
        const auto refused = router.refuse(requestOf(method, target), true);
        return refused ? refused->status : 0;
    };
    QCOMPARE(router.maxBodyBytes(requestOf("POST", "/things/x")), 100);
    QCOMPARE(router.maxBodyBytes(requestOf("GET", "/things/x")), 0);
    QCOMPARE(refusal("POST", "/things/x"), 0);
    QCOMPARE(refusal("GET", "/things/x"), 413);
    QCOMPARE(refusal("HEAD", "/things/x"), 413);
    QCOMPARE(refusal("PUT", "/things/x"), 405);
    QCOMPARE(refusal("POST", "/nothing"), 404);
    // curl -d within=5, for which the relay asks in the query
    const auto refused = router.refuse(requestOf("GET", "/things/x"), true);
    QVERIFY2(refused->body.contains("query"), refused->body.constData());
}

void TestRouter::bodyReachesTheHandler()
{
    const HttpResponse response = answerOf(someRouter(), requestOf("POST", "/things/x"), "body");
    QCOMPARE(response.body, QByteArray("post(x)body\n"));
}

void TestRouter::everyOrderLeavesALine_data()
{
    QTest::addColumn<QByteArray>("authorization"); ///< empty: none
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("without") << QByteArray() << QByteArray("/things/17/disconnect?x=1")
                             << QByteArray("order: POST /things/17/disconnect?x=1 from "
                                           "127.0.0.1:50112 without a token answered 200");
    QTest::newRow("with") << QByteArray("Bearer 0123456789abcdef") << QByteArray("/things/x")
                          << QByteArray("order: POST /things/x from 127.0.0.1:50112 with the token "
                                        "answered 200");
    QTest::newRow("long") << QByteArray() << "/things/" + QByteArray(1000, 'x')
                          << "order: POST /things/" + QByteArray(192, 'x')
                                 + "... from 127.0.0.1:50112 without a token answered 200";
}

/// Who drained the relay last night? What changes something says who ordered it, whether with the token (never which), and
/// what came of it.
void TestRouter::everyOrderLeavesALine()
{
    QFETCH(const QByteArray, authorization);
    QFETCH(const QByteArray, target);
    QFETCH(const QByteArray, line);
    const bool hasToken = !authorization.isEmpty();
    const Router router = someRouter(Access(hasToken ? "0123456789abcdef" : "", true));
    HttpRequest order = requestOf("POST", target);
    order.fields.append(HttpField{"Host", "127.0.0.1"});
    if (hasToken) {
        order.fields.append(HttpField{"Authorization", authorization});
    }
    QTest::ignoreMessage(QtInfoMsg, line.constData());
    QCOMPARE(answerOf(router, order, "body").status, 200);
}

/// It may have been carried out all the same.
void TestRouter::anOrderThatNobodyAnswersLeavesALine()
{
    Router router;
    router.add({"POST", "/silent", "", [](const RoutedRequest &, const ReplyPtr &) {},
                AccessKind::Change});
    QTest::ignoreMessage(QtWarningMsg, "order: POST /silent from 127.0.0.1:50112 without a token "
                                       "was not answered");
    answerOf(router, requestOf("POST", "/silent"));
}

/// A scrape every few seconds does not fill the log.
void TestRouter::readingLeavesNoLine()
{
    static int lines = 0;
    const QtMessageHandler before = qInstallMessageHandler(
        [](QtMsgType, const QMessageLogContext &, const QString &) { ++lines; });
    answerOf(someRouter(), requestOf("GET", "/plain"));
    answerOf(someRouter(), requestOf("GET", "/health"));
    qInstallMessageHandler(before);
    QCOMPARE(lines, 0);
}

void TestRouter::whoMayNotLookLearnsNothing_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<int>("status");
    QTest::newRow("what there is") << QByteArray("GET") << QByteArray("/plain") << 401;
    QTest::newRow("what there is not") << QByteArray("GET") << QByteArray("/nothing") << 401;
    QTest::newRow("a method that there is not") << QByteArray("PUT") << QByteArray("/plain") << 401;
    QTest::newRow("health") << QByteArray("GET") << QByteArray("/health") << 200;
}

/// Without the token one cannot find out which paths and methods there are.
void TestRouter::whoMayNotLookLearnsNothing()
{
    QFETCH(const QByteArray, method);
    QFETCH(const QByteArray, target);
    const Router router = someRouter(Access("a token of the relay", false));
    QTEST(answerOf(router, requestOf(method, target)).status, "status");
}

RELAY_TEST(TestRouter)
#include "tst_router.moc"
