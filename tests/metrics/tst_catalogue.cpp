#include "base/version.h"
#include "metrics/catalogue.h"

#include "support/test_main.h"

#include <QByteArray>
#include <QHash>
#include <QList>
#include <QProcess>
#include <QSet>
#include <QStandardPaths>
#include <QTest>

using namespace relay;
using namespace std::chrono_literals;

namespace {

MetricsInput emptyInput()
{
    MetricsInput input;
    input.process = ProcessStats{};
    static constexpr std::array<const char *, kProtocolRules> kRules{
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10"};
    input.protocolRuleLabels = kRules;
    return input;
}

/// A page taken apart: "name{labels}" to value as text, and the comment lines.
struct Page
{
    QHash<QByteArray, QByteArray> samples;
    QList<QByteArray> comments;
    QList<QByteArray> duplicates;
};

Page parsed(const std::string &text)
{
    Page page;
    const QList<QByteArray> lines = QByteArray::fromStdString(text).split('\n');
    for (const QByteArray &line : lines) {
        const qsizetype blank = line.lastIndexOf(' ');
        if (line.startsWith('#')) {
            page.comments.append(line);
        } else if (blank > 0) {
            const QByteArray key = line.left(blank);
            if (page.samples.contains(key)) {
                page.duplicates.append(key);
            }
            page.samples.insert(key, line.mid(blank + 1));
        }
    }
    return page;
}

/// Every number is another one, as in a relay that has seen everything.
MetricsInput busyInput()
{
    MetricsInput input = emptyInput();
    RelaySnapshot &counters = input.counters;
    counters.connections = 1001;
    counters.disconnections = 1002;
    counters.messages = 1003;
    counters.receivedBytes = 1004;
    counters.sentBytes = (1ULL << 53) - 1; // the largest that a double holds beside its neighbours
    counters.deliveries = 1006;
    counters.pingsSent = 1007;
    counters.inboxPauses = 1008;
    counters.eventStreams = 1009;
    counters.eventStreamsEnded = 1010;
    counters.turnWaits = 1011;
    counters.queued = 2000;
    counters.writtenLater = 1000; // with what was dropped: 397 wait
    const auto fill = [](auto &numbers, quint64 first) {
        for (quint64 &number : numbers) {
            number = first++;
        }
    };
    fill(counters.disconnectionsByCode, 100);
    fill(counters.dropped, 200);
    fill(counters.neverQueued, 210);
    fill(counters.handshakeFailures, 300);
    fill(counters.limitHits, 400);
    fill(counters.protocolViolations, 500);
    fill(counters.resumes, 600);
    quint64 first = 700;
    for (auto &method : counters.httpRequests) {
        fill(method, first);
        first += 100;
    }
    counters.publishToWrite.buckets[0] = 3;
    counters.publishToWrite.buckets[6] = 4;
    counters.publishToWrite.buckets.back() = 5;
    counters.publishToWrite.sum = 61.25;
    counters.turnSeconds.buckets[3] = 2;
    counters.turnSeconds.sum = 0.25;
    input.connectedClients = 17;
    input.eventStreams = 18;
    input.channels = 19;
    input.historyBytes = (qint64{1} << 53) - 1;
    input.maxConnections = 20;
    input.idlePositions = 21;
    input.droppedPositions = 22;
    input.replayLooks = 23;
    input.workers = 2;
    input.droppedLogLines = {31, 32, 33};
    input.longestTurns = {0.5, 7};
    input.process = ProcessStats{1.25, 4096, 8192, 20, 1024, 1'700'001'234.56};
    return input;
}

} // namespace

/// The page that Prometheus reads.
class TestCatalogue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyMetricIsDeclaredOnce();
    void everyMetricHasHelpAndType();
    void everyLabelIsThereFromTheStart_data();
    void everyLabelIsThereFromTheStart();
    void requestsAreThereOnceTheyWereMade();
    void valuesAreExact_data();
    void valuesAreExact();
    void pageHoldsNothingElse();
    void processMetricsAreLeftOutWhenUnknown();
    void promtoolHasNothingToSay();
};

/// Names are unique, counters are told by `_total`, and no two metrics explain themselves alike.
void TestCatalogue::everyMetricIsDeclaredOnce()
{
    QSet<QByteArray> names;
    QSet<QByteArray> helps;
    for (const MetricDefinition &metric : metricCatalogue()) {
        names.insert(metric.name);
        helps.insert(metric.help);
        const bool isCounter = metric.type == prometheus::MetricType::Counter;
        QVERIFY2(isCounter == QByteArray(metric.name).endsWith("_total"), metric.name);
    }
    QCOMPARE(std::size_t(names.size()), metricCatalogue().size());
    QCOMPARE(std::size_t(helps.size()), metricCatalogue().size());
}

/// Each metric of the catalogue is on the page, with one HELP and one TYPE line that say what the
/// catalogue says.
void TestCatalogue::everyMetricHasHelpAndType()
{
    const Page page = parsed(renderMetrics(busyInput()));
    const QHash<prometheus::MetricType, QByteArray> typeNames{
        {prometheus::MetricType::Counter, "counter"},
        {prometheus::MetricType::Gauge, "gauge"},
        {prometheus::MetricType::Histogram, "histogram"}};
    for (const MetricDefinition &metric : metricCatalogue()) {
        const QByteArray name(metric.name);
        QCOMPARE(page.comments.count("# HELP " + name + ' ' + metric.help), 1);
        QCOMPARE(page.comments.count("# TYPE " + name + ' ' + typeNames.value(metric.type)), 1);
    }
    QCOMPARE(std::size_t(page.comments.size()), 2 * metricCatalogue().size());
}

void TestCatalogue::everyLabelIsThereFromTheStart_data()
{
    QTest::addColumn<QByteArray>("sample");
    const auto row = [](const QByteArray &sample) { QTest::newRow(sample.constData()) << sample; };
    for (const char *reason : {"slow_consumer", "drop_oldest", "disconnected"}) {
        for (const char *queued : {"false", "true"}) {
            row(QByteArray("relay_dropped_total{reason=\"") + reason + "\",queued=\"" + queued
                + "\"}");
        }
    }
    for (const char *reason :
         {"bad_request", "forbidden_origin", "method_not_allowed", "upgrade_required", "channel",
          "head_too_large", "connection_limit", "shutting_down", "timeout", "tls", "disconnected"})
    {
        row(QByteArray("relay_handshake_failures_total{reason=\"") + reason + "\"}");
    }
    for (const char *code : {"1000", "1001", "1002", "1003", "1005", "1006", "1007", "1008", "1009",
                             "1010", "1011", "1012", "1013", "1014", "other"})
    {
        row(QByteArray("relay_disconnections_total{code=\"") + code + "\"}");
    }
    for (const char *result : {"exact", "gap", "unknown"}) {
        row(QByteArray("relay_resumes_total{result=\"") + result + "\"}");
    }
    for (const char *limit : {"message_size", "queue_size", "slow_grace", "keepalive_timeout",
                              "channel_clients", "control_frames"})
    {
        row(QByteArray("relay_limit_disconnections_total{limit=\"") + limit + "\"}");
    }
    for (std::size_t rule = 0; rule < kProtocolRules; ++rule) {
        row("relay_protocol_violations_total{rule=\"r" + QByteArray::number(qulonglong(rule))
            + "\"}");
    }
    for (const char *name :
         {"websocket_connected_clients", "websocket_messages_total", "websocket_connections_total",
          "websocket_disconnections_total", "relay_event_streams", "relay_event_streams_total",
          "relay_channels", "relay_history_bytes", "relay_queued_messages", "relay_max_connections",
          "relay_turn_waits_total", "relay_turn_seconds_count",
          "relay_publish_to_write_seconds_count",
          "relay_publish_to_write_seconds_bucket{le=\"+Inf\"}"})
    {
        row(name);
    }
}

/// A rate over a series that appears with its first event misses that event: all series start at 0.
void TestCatalogue::everyLabelIsThereFromTheStart()
{
    QFETCH(const QByteArray, sample);
    QCOMPARE(parsed(renderMetrics(emptyInput())).samples.value(sample, "missing"), "0");
}

/// Methods and statuses are too many to be there before they are met, and most never are.
void TestCatalogue::requestsAreThereOnceTheyWereMade()
{
    MetricsInput input = emptyInput();
    QVERIFY(renderMetrics(input).find("relay_http_requests_total") == std::string::npos);
    input.counters.httpRequests[std::size_t(HttpMethod::Post)][statusIndex(200)] = 1;
    const std::string text = renderMetrics(input);
    QVERIFY(text.find("relay_http_requests_total{method=\"POST\",code=\"200\"} 1\n")
            != std::string::npos);
    QCOMPARE(parsed(text).samples.size(), parsed(renderMetrics(emptyInput())).samples.size() + 1);
}

void TestCatalogue::valuesAreExact_data()
{
    QTest::addColumn<QByteArray>("sample");
    QTest::addColumn<QByteArray>("value");
    const auto row = [](const QByteArray &sample, const QByteArray &value) {
        QTest::newRow(sample.constData()) << sample << value;
    };
    row("websocket_connected_clients", "17");
    row("websocket_connections_total", "1001");
    row("websocket_disconnections_total", "1002");
    row("websocket_messages_total", "1003");
    row("relay_received_bytes_total", "1004");
    row("relay_sent_bytes_total", "9007199254740991");
    row("relay_deliveries_total", "1006");
    row("relay_pings_sent_total", "1007");
    row("relay_inbox_pauses_total", "1008");
    row("relay_event_streams", "18");
    row("relay_event_streams_total", "1009");
    row("relay_channels", "19");
    row("relay_history_bytes", "9007199254740991");
    row("relay_idle_positions", "21");
    row("relay_positions_dropped_total", "22");
    row("relay_replay_looks_total", "23");
    row("relay_resumes_total{result=\"exact\"}", "600");
    row("relay_resumes_total{result=\"unknown\"}", "602");
    row(R"(relay_http_requests_total{method="GET",code="101"})", "700");
    row(R"(relay_http_requests_total{method="POST",code="503"})", "919");
    row(R"(relay_http_requests_total{method="other",code="other"})", "1120");
    row(R"(relay_log_lines_dropped_total{reason="rate"})", "31");
    row(R"(relay_log_lines_dropped_total{reason="write_failed"})", "33");
    row("relay_max_connections", "20");
    row("relay_workers", "2");
    row("relay_turn_waits_total", "1011");
    row(R"(relay_worker_longest_turn_seconds{worker="1"})", "0.5");
    row(R"(relay_worker_longest_turn_seconds{worker="2"})", "7");
    row("relay_turn_seconds_bucket{le=\"0.0001\"}", "2");
    row("relay_turn_seconds_count", "2");
    row("relay_turn_seconds_sum", "0.25");
    row("relay_disconnections_total{code=\"1000\"}", "100");
    row("relay_disconnections_total{code=\"1011\"}", "110");
    row("relay_disconnections_total{code=\"1014\"}", "113");
    row("relay_disconnections_total{code=\"other\"}", "114");
    row("relay_queued_messages", "397");
    row(R"(relay_dropped_total{reason="slow_consumer",queued="true"})", "200");
    row(R"(relay_dropped_total{reason="disconnected",queued="true"})", "202");
    row(R"(relay_dropped_total{reason="slow_consumer",queued="false"})", "210");
    row(R"(relay_dropped_total{reason="disconnected",queued="false"})", "212");
    row("relay_handshake_failures_total{reason=\"bad_request\"}", "300");
    row("relay_handshake_failures_total{reason=\"channel\"}", "304");
    row("relay_handshake_failures_total{reason=\"disconnected\"}", "310");
    row("relay_limit_disconnections_total{limit=\"message_size\"}", "400");
    row("relay_limit_disconnections_total{limit=\"keepalive_timeout\"}", "403");
    row("relay_limit_disconnections_total{limit=\"channel_clients\"}", "404");
    row("relay_limit_disconnections_total{limit=\"control_frames\"}", "405");
    row("relay_protocol_violations_total{rule=\"r0\"}", "500");
    row("relay_protocol_violations_total{rule=\"r10\"}", "510");
    row("relay_publish_to_write_seconds_bucket{le=\"1e-05\"}", "3");
    row("relay_publish_to_write_seconds_bucket{le=\"0.0005\"}", "3");
    row("relay_publish_to_write_seconds_bucket{le=\"0.001\"}", "7");
    row("relay_publish_to_write_seconds_bucket{le=\"10\"}", "7");
    row("relay_publish_to_write_seconds_bucket{le=\"+Inf\"}", "12");
    row("relay_publish_to_write_seconds_count", "12");
    row("relay_publish_to_write_seconds_sum", "61.25");
    row("process_cpu_seconds_total", "1.25");
    row("process_resident_memory_bytes", "4096");
    row("process_virtual_memory_bytes", "8192");
    row("process_open_fds", "20");
    row("process_max_fds", "1024");
    row("process_start_time_seconds", "1700001234.56");
    row(QByteArray("relay_build_info{version=\"") + kVersion + "\",qt=\"" + qVersion() + "\"}",
        "1");
}

/// Every number reaches the page under its own name, unrounded; buckets are cumulative.
void TestCatalogue::valuesAreExact()
{
    QFETCH(const QByteArray, sample);
    QFETCH(const QByteArray, value);
    QCOMPARE(parsed(renderMetrics(busyInput())).samples.value(sample, "missing"), value);
}

/// No sample stands on the page twice, and none that the cases above do not speak of.
void TestCatalogue::pageHoldsNothingElse()
{
    const Page page = parsed(renderMetrics(busyInput()));
    QVERIFY2(page.duplicates.isEmpty(), page.duplicates.join(", ").constData());
    constexpr std::size_t kPlain = 4 + 6 + 1 + 5 + 2 + 3 + 6; // no labels, and relay_build_info
    constexpr std::size_t kLongestTurns = 2;
    constexpr std::size_t kLabelled = kLongestTurns + 2 * kDropReasonLabels.size()
                                      + kHandshakeFailureLabels.size() + kCountedCloseCodes.size()
                                      + 1 + kLimitHitLabels.size() + kProtocolRules
                                      + kResumeResultLabels.size() + kLogDropLabels.size()
                                      + kHttpMethodLabels.size() * (kCountedStatuses.size() + 1);
    constexpr std::size_t kHistogram = kLatencyBounds.size() + 1 + 2;
    QCOMPARE(std::size_t(page.samples.size()), kPlain + kLabelled + 2 * kHistogram);
}

/// Where /proc cannot be read the metrics of the process are absent: a 0 would be a lie that alerts
/// are built on.
void TestCatalogue::processMetricsAreLeftOutWhenUnknown()
{
    MetricsInput input = busyInput();
    input.process.reset();
    const std::string text = renderMetrics(input);
    QVERIFY(text.find("process_") == std::string::npos);
    QVERIFY(text.find("websocket_connected_clients 17") != std::string::npos);
}

/// Prometheus' own checker finds neither an error nor a departure from its conventions.
void TestCatalogue::promtoolHasNothingToSay()
{
    const QString promtool = QStandardPaths::findExecutable(QStringLiteral("promtool"));
    QVERIFY2(!promtool.isEmpty(), "promtool is missing: install the package prometheus");

    for (const MetricsInput &input : {emptyInput(), busyInput()}) {
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(promtool, {QStringLiteral("check"), QStringLiteral("metrics")});
        QVERIFY(process.waitForStarted());
        process.write(QByteArray::fromStdString(renderMetrics(input)));
        process.closeWriteChannel();
        QVERIFY(process.waitForFinished());
        QCOMPARE(process.readAll(), QByteArray());
        QCOMPARE(process.exitCode(), 0);
    }
}

RELAY_TEST(TestCatalogue)
#include "tst_catalogue.moc"
