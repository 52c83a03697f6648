#include "hub/hub.h"

#include "bench_run.h"
#include "support/test_main.h"

#include <QLoggingCategory>
#include <QTest>

namespace {

/// A hub that keeps so many messages of each channel, on two workers.
relay::HubOptions keeping(int messages)
{
    relay::HubOptions options;
    options.port = 0;
    options.workers = 2;
    relay::ChannelRule rule{.match = relay::ChannelPattern::fromText("**").value(), .options = {}};
    rule.options.history.messages = messages;
    options.channels << rule;
    return options;
}

} // namespace

// The relay's own hub, held to its word by its own load generator.
class TestHub : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void losesNothing_data();
    void losesNothing();
    void tellsWhatIsGone_data();
    void tellsWhatIsGone();
};

// Thousands of clients come and go.
void TestHub::initTestCase()
{
    QLoggingCategory::setFilterRules(QStringLiteral("relay.*.info=false"));
}

void TestHub::losesNothing_data()
{
    QTest::addColumn<QByteArray>("load");
    QTest::addRow("channels") << QByteArray("--clients 20 --channels 5 --publishers 10");
    QTest::addRow("everybody alone") << QByteArray("--clients 20 --channels 20 --publishers 20");
    QTest::addRow("EventSource") << QByteArray("--clients 20 --event-source");
    QTest::addRow("long messages by EventSource")
        << QByteArray("--clients 10 --event-source --size 20KiB");
    QTest::addRow("resuming WebSockets") << QByteArray("--clients 21 --drop-rate 200");
    QTest::addRow("resuming EventSources")
        << QByteArray("--clients 21 --drop-rate 200 --event-source");
    QTest::addRow("resuming on channels, at once")
        << QByteArray("--clients 24 --channels 4 --publishers 4 --drop-rate 200 --away 0");
}

// Whatever the medium and the channel, each message comes once and in order; who drops and comes
// back at any moment has every offset once.
void TestHub::losesNothing()
{
    QFETCH(QByteArray, load);
    relay::Hub hub(keeping(10'000));
    QVERIFY(hub.listen());
    const Outcome outcome = bench(
        words("--json --rate 500 --warmup 0 --duration 1s") + words(load.constData())
        + words("--url") + QStringList{QStringLiteral("ws://127.0.0.1:%1/room").arg(hub.port())});
    QVERIFY2(outcome.status == 0, outcome.text().constData());
    QVERIFY(outcome.number("checked") > 0);
    if (load.contains("--drop-rate")) {
        QVERIFY2(outcome.number("resumes") > 20, outcome.text().constData());
        QCOMPARE(outcome.number("resumes"), outcome.number("drops"));
        QCOMPARE(outcome.number("gaps_told"), 0);
    }
}

void TestHub::tellsWhatIsGone_data()
{
    QTest::addColumn<int>("kept");
    QTest::addColumn<QByteArray>("medium");
    for (const char *medium : {"--threads 1", "--event-source"}) {
        QTest::addRow("a short history, %s", medium) << 5 << QByteArray(medium);
        QTest::addRow("no history, %s", medium) << 0 << QByteArray(medium);
    }
}

// What the history does not reach is told as a gap: no hole in silence, no double.
void TestHub::tellsWhatIsGone()
{
    QFETCH(int, kept);
    QFETCH(QByteArray, medium);
    relay::Hub hub(keeping(kept));
    QVERIFY(hub.listen());
    const Outcome outcome =
        bench(words("--json --rate 500 --warmup 0 --duration 1s --clients 21 --drop-rate 200")
              + words(medium.constData()) + words("--url")
              + QStringList{QStringLiteral("ws://127.0.0.1:%1/room").arg(hub.port())});
    QVERIFY2(outcome.status == 0, outcome.text().constData());
    QVERIFY2(outcome.number("gaps_told") > 20, outcome.text().constData());
    for (const char *key : {"holes", "doubles", "lost"}) {
        QCOMPARE(outcome.number(key), 0);
    }
}

RELAY_TEST(TestHub)
#include "tst_hub.moc"
