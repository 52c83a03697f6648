#include "base/version.h"
#include "ops/relay_sampler.h"

#include "support/test_hub.h"
#include "support/test_main.h"

#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>

#include <vector>

using namespace relay;
using namespace relay::test;

namespace {

/// The same by an obvious way: walks along a list of all observations, each of which stands where
/// it would if those of its bucket were evenly spread.
double quantileOfList(const LatencySnapshot &histogram, double q)
{
    std::vector<double> values;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
        const bool isLast = i == kLatencyBounds.size();
        const double upper = kLatencyBounds[isLast ? i - 1 : i];
        const double lower = isLast ? upper : i == 0 ? 0 : kLatencyBounds[i - 1];
        const quint64 count = histogram.buckets[i];
        for (quint64 n = 1; n <= count; ++n) {
            values.push_back(
                lower + (upper - lower) * static_cast<double>(n) / static_cast<double>(count));
        }
    }
    const auto rank = static_cast<std::size_t>(q * static_cast<double>(values.size()));
    return values[std::max<std::size_t>(rank, 1) - 1];
}

LatencySnapshot observed(std::initializer_list<std::pair<std::size_t, quint64>> buckets)
{
    LatencySnapshot histogram;
    for (const auto &[bucket, count] : buckets) {
        histogram.buckets[bucket] = count;
    }
    return histogram;
}

} // namespace

/// Numbers of the last seconds, made of counters.
class TestRelaySampler : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void quantileOfNothingIsNothing();
    void quantileLiesInItsBucket();
    void quantileAgreesWithTheObviousWay();
    void firstOverviewHasTotalsAndNoRates();
    void ratesAreThoseOfTheSecond();
    void stateFollowsTheHub();
    void samplerMayBeThereFirst();
};

void TestRelaySampler::quantileOfNothingIsNothing()
{
    QVERIFY(!quantile(LatencySnapshot(), 0.5));
}

/// At bounds it is the bound, in between it is in between; beyond the last bound nothing is known.
void TestRelaySampler::quantileLiesInItsBucket()
{
    QCOMPARE(quantile(observed({{0, 100}}), 1.0).value(), kLatencyBounds[0]);
    QCOMPARE(quantile(observed({{0, 100}}), 0.5).value(), kLatencyBounds[0] / 2);
    QCOMPARE(quantile(observed({{3, 1}}), 1.0).value(), kLatencyBounds[3]);
    QCOMPARE(quantile(observed({{3, 1}}), 0.0).value(), kLatencyBounds[2]);
    QCOMPARE(quantile(observed({{2, 50}, {5, 50}}), 0.5).value(), kLatencyBounds[2]);
    QCOMPARE(quantile(observed({{kLatencyBounds.size(), 9}}), 0.5).value(), kLatencyBounds.back());
    QCOMPARE(quantile(observed({{0, 99}, {kLatencyBounds.size(), 1}}), 0.99).value(),
             kLatencyBounds[0]);
}

void TestRelaySampler::quantileAgreesWithTheObviousWay()
{
    const quint32 seed = QRandomGenerator::global()->generate();
    QRandomGenerator random(seed);
    for (int round = 0; round < 500; ++round) {
        LatencySnapshot histogram;
        quint64 count = 0;
        for (quint64 &bucket : histogram.buckets) {
            bucket = random.bounded(3) == 0 ? random.bounded(50) : 0;
            count += bucket;
        }
        if (count == 0) {
            continue;
        }
        // Fractions that fall on an observation: between two, both ways may differ.
        for (quint64 rank = 1; rank <= count; ++rank) {
            const double q = (static_cast<double>(rank) + 1e-6) / static_cast<double>(count);
            const double actual = quantile(histogram, std::min(q, 1.0)).value();
            const double expected = quantileOfList(histogram, std::min(q, 1.0));
            // A bucket's width over its observations, times the 1e-6 that keeps q off the edge; the
            // first of the next bucket follows an edge.
            QVERIFY2(actual >= expected - 1e-12, qPrintable(QStringLiteral("seed %1").arg(seed)));
            const double next =
                quantileOfList(histogram, std::min(1.0, (static_cast<double>(rank) + 1.5)
                                                            / static_cast<double>(count)));
            QVERIFY2(actual <= next + 1e-12, qPrintable(QStringLiteral("seed %1").arg(seed)));
        }
    }
}

/// Who asks at once is told what there is; a rate needs two looks, and none is invented.
void TestRelaySampler::firstOverviewHasTotalsAndNoRates()
{
    TestHub relay(testOptions(2));
    const RelaySampler sampler(relay.hub());
    const Overview &overview = sampler.overview();
    QCOMPARE(overview.version, QString::fromLatin1(kVersion));
    QCOMPARE(overview.state, QStringLiteral("serving"));
    QCOMPARE(overview.address, std::optional(QStringLiteral("127.0.0.1")));
    QCOMPARE(overview.port, static_cast<int>(relay.port()));
    QVERIFY(!overview.tls);
    QCOMPARE(overview.workers.size(), 2);
    QCOMPARE(overview.messagesPerSecond, 0.0);
    QVERIFY(!overview.cpuCores);
    QVERIFY(!overview.latencyP99);
    QVERIFY(overview.residentBytes.value_or(0) > 0);
    const double now = static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000;
    QVERIFY(overview.startedAt <= now && overview.startedAt > now - 60);
}

/// Rates times their seconds are what was counted: over all ticks that saw the traffic nothing is
/// lost or counted twice.
void TestRelaySampler::ratesAreThoseOfTheSecond()
{
    constexpr int kMessages = 50;
    TestHub relay(testOptions(2));
    const WebClients clients = relay.connectClients(4);
    QCOMPARE(clients.size(), std::size_t{4});
    RelaySampler sampler(relay.hub());
    double uptime = sampler.overview().uptimeSeconds;
    double messages = 0;
    double deliveries = 0;
    double ofWorkers = 0;
    bool hadLatency = false;
    QObject::connect(&sampler, &RelaySampler::sampled, &sampler, [&] {
        const Overview &o = sampler.overview();
        const double seconds = o.uptimeSeconds - uptime;
        uptime = o.uptimeSeconds;
        messages += o.messagesPerSecond * seconds;
        deliveries += o.deliveriesPerSecond * seconds;
        for (const WorkerShare &worker : o.workers) {
            ofWorkers += worker.deliveriesPerSecond * seconds;
        }
        hadLatency = hadLatency || (o.latencyP50 && o.latencyP99 && *o.latencyP50 <= *o.latencyP99);
    });
    for (int i = 0; i < kMessages; ++i) {
        clients.front()->sendText("hello");
    }
    QVERIFY(waitForAll(clients, kMessages));
    QSignalSpy ticks(&sampler, &RelaySampler::sampled);
    QVERIFY(waitFor([&] { return ticks.count() >= 2; }));
    QVERIFY(qAbs(messages - kMessages) < 0.01);
    QVERIFY(qAbs(deliveries - kMessages * 4) < 0.01);
    QVERIFY(qAbs(ofWorkers - kMessages * 4) < 0.01);
    QVERIFY(hadLatency);
    const Overview &o = sampler.overview();
    QCOMPARE(o.messages, kMessages);
    QCOMPARE(o.clients, 4);
    QCOMPARE(o.workers[0].clients + o.workers[1].clients, 4);
    QCOMPARE(o.messagesPerSecond, 0.0);
    QVERIFY(o.workers[0].cpuCores);
    QVERIFY(o.cpuCores.value_or(-1) >= 0);
}

void TestRelaySampler::stateFollowsTheHub()
{
    Hub hub(testOptions());
    QCOMPARE(RelaySampler(hub).overview().state, QStringLiteral("stopping"));
    QVERIFY(hub.listen());
    QCOMPARE(RelaySampler(hub).overview().state, QStringLiteral("serving"));
    hub.drain(std::chrono::milliseconds(0));
    QCOMPARE(RelaySampler(hub).overview().state, QStringLiteral("draining"));
}

/// Who asks a relay in its first second is not told of the one that did not listen yet, and a drain
/// shows at once.
void TestRelaySampler::samplerMayBeThereFirst()
{
    Hub hub(testOptions(2));
    const RelaySampler sampler(hub);
    QVERIFY(hub.listen());
    const Overview overview = sampler.overview();
    QCOMPARE(overview.state, QStringLiteral("serving"));
    QCOMPARE(overview.port, static_cast<int>(hub.port()));
    QCOMPARE(overview.workers.size(), 2);
    QVERIFY(hub.publish("hello", MessageKind::Text).status == Hub::Published::Accepted);
    QCOMPARE(sampler.overview().messages, 1);
    QCOMPARE(sampler.overview().messagesPerSecond, 0.0);
    hub.drain(std::chrono::milliseconds(0));
    QCOMPARE(sampler.overview().state, QStringLiteral("draining"));
}

RELAY_TEST(TestRelaySampler)
#include "tst_relay_sampler.moc"
