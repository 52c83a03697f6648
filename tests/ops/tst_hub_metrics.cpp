#include "ops/hub_metrics.h"
#include "ops/ops_server.h"

#include "http_client.h"
#include "some_options.h"
#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WorkerHold;

/// What the ops port says of a hub.
class TestHubMetrics : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aHungWorkerIsTold();
    void limitsInForceAreShown();
};

/// A worker that a receiver of the hub's signals blocks: both checks name it and the seconds, and are
/// good again when it goes on. By a clock that is a minute ahead.
void TestHubMetrics::aHungWorkerIsTold()
{
    TestHub relay(testOptions(1), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    OpsServer server(anyPort(), metricsSource(relay.hub()));
    server.setHealthSource(
        healthSource(relay.hub(), [] { return Clock::now() + std::chrono::minutes(1); }));
    server.setReadiness(OpsServer::Readiness::Ready);
    QVERIFY(server.listen());
    const auto statusOf = [&](const QByteArray &target) {
        const std::optional<Answer> answer = request(server.port(), "GET " + target);
        return answer ? answer->status : 0;
    };
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QVERIFY(client.sendText("hold"));
    QVERIFY(hold.waitUntilHeld());
    QVERIFY(waitFor([&] { return statusOf("/-/healthz") == 503; })); // it is asked once a second
    QCOMPARE(statusOf("/-/readyz"), 503);
    const std::optional<Answer> answer = request(server.port(), "GET /-/healthz");
    QVERIFY(answer);
    QVERIFY2(answer->body.startsWith("worker 1 has not answered for 6"), answer->body.constData());
    hold.release();
    QVERIFY(waitFor([&] { return statusOf("/-/healthz") == 200; }));
    QCOMPARE(statusOf("/-/readyz"), 200);
}

/// The metrics have the number of connections that is in force, and a longest turn for each worker.
void TestHubMetrics::limitsInForceAreShown()
{
    HubOptions options = testOptions(3);
    options.limits.connections = 77;
    TestHub relay(options);
    const MetricsInput input = metricsOf(relay.hub());
    QCOMPARE(input.maxConnections, 77);
    QCOMPARE(input.longestTurns.size(), std::size_t{3});
}

RELAY_TEST(TestHubMetrics)
#include "tst_hub_metrics.moc"
