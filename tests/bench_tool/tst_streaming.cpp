#include "bench_run.h"
#include "streaming_relay.h"
#include "support/test_main.h"

#include <QTest>

namespace {

/// 300 messages of two publishers in half a second.
constexpr const char *kLoad = "--json --publishers 2 --rate 600 --warmup 0 --duration 500ms";
/// The same load, while ten receivers drop about 50 times.
constexpr const char *kDrops = "--clients 12 --drop-rate 100 --away 20ms";

Outcome benchOn(const QString &url, const QByteArray &more)
{
    return bench(words(kLoad) + words(more.constData())
                 + QStringList{QStringLiteral("--url"), url});
}

Outcome dropOn(const QString &url, const QByteArray &more)
{
    return bench(words(kLoad) + words(kDrops) + words(more.constData())
                 + QStringList{QStringLiteral("--url"), url});
}

} // namespace

class TestStreaming : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void spreadsOverChannels_data();
    void spreadsOverChannels();
    void asksForEachChannelsUrl();
    void listensByEventSource_data();
    void listensByEventSource();
    void findsWhatAStreamLost();
    void resumes_data();
    void resumes();
    void findsHolesAndDoubles_data();
    void findsHolesAndDoubles();
    void saysWhyItCannotResume_data();
    void saysWhyItCannotResume();
};

void TestStreaming::spreadsOverChannels_data()
{
    QTest::addColumn<QByteArray>("load");
    QTest::addColumn<int>("received"); // of 300 messages
    QTest::addRow("one channel") << QByteArray("--clients 5") << 300 * 5;
    QTest::addRow("a publisher and two more each")
        << QByteArray("--clients 6 --channels 2") << 300 * 3;
    // Clients 0, 3, 6 on the first, 1 and 4 on the second; nobody sends to the third.
    QTest::addRow("unequal, and one that is silent")
        << QByteArray("--clients 7 --channels 3") << 150 * 3 + 150 * 2;
    QTest::addRow("everybody alone")
        << QByteArray("--clients 6 --channels 6 --publishers 6") << 300;
    QTest::addRow("several publishers a channel")
        << QByteArray("--clients 12 --channels 3 --publishers 6") << 300 * 4;
    QTest::addRow("threads that share no factor with the channels")
        << QByteArray("--clients 12 --channels 4 --publishers 4 --threads 3") << 300 * 3;
    QTest::addRow("all at the same moments")
        << QByteArray("--clients 6 --channels 3 --publishers 3 --at-once") << 300 * 2;
}

// What is expected of a relay is computed for each channel: a run on any spread of clients is
// clean, and counts what the channels' members got.
void TestStreaming::spreadsOverChannels()
{
    QFETCH(QByteArray, load);
    const StreamingRelay relay(StreamingRelay::None);
    const Outcome outcome = benchOn(relay.url(), load);
    QVERIFY2(outcome.status == 0, outcome.text().constData());
    QCOMPARE(outcome.number("lost"), 0);
    QTEST(outcome.number("checked"), "received");
    QVERIFY(outcome.number("channels") >= 1);
}

// One channel is the URL itself; of several, each is a segment more, and the query stays. A relay
// that mixes them up is found out.
void TestStreaming::asksForEachChannelsUrl()
{
    const StreamingRelay one(StreamingRelay::None);
    QCOMPARE(benchOn(one.url("/chat?x=1"), "--clients 3").status, 0);
    QCOMPARE(one.channels(), QStringList{QStringLiteral("/chat")});

    const StreamingRelay two(StreamingRelay::None);
    QCOMPARE(benchOn(two.url("/chat?x=1"), "--clients 4 --channels 2").status, 0);
    QCOMPARE(two.channels(), words("/chat/bench-0 /chat/bench-1"));

    const StreamingRelay mixed(StreamingRelay::OneRoom);
    const Outcome outcome = benchOn(mixed.url(), "--clients 4 --channels 2");
    QVERIFY2(outcome.status == 1, outcome.text().constData());
    QVERIFY(outcome.number("strayed") >= 300 * 2);
    QCOMPARE(outcome.number("lost"), 0);
}

void TestStreaming::listensByEventSource_data()
{
    QTest::addColumn<int>("framing");
    QTest::addColumn<QByteArray>("load");
    QTest::addColumn<int>("received");
    QTest::addRow("chunked") << int{StreamingRelay::Chunked} << QByteArray("--clients 7")
                             << 300 * 7;
    QTest::addRow("until the end")
        << int{StreamingRelay::UntilTheEnd} << QByteArray("--clients 7") << 300 * 7;
    QTest::addRow("longer than a reader keeps")
        << int{StreamingRelay::Chunked} << QByteArray("--clients 4 --size 5000") << 300 * 4;
    QTest::addRow("on channels") << int{StreamingRelay::Chunked}
                                 << QByteArray("--clients 9 --channels 3") << 300 * 3;
}

// A listener by EventSource is held to the same as a WebSocket client.
void TestStreaming::listensByEventSource()
{
    QFETCH(int, framing);
    QFETCH(QByteArray, load);
    const StreamingRelay relay(StreamingRelay::None, static_cast<StreamingRelay::Framing>(framing));
    const Outcome outcome = benchOn(relay.url(), load + " --event-source");
    QVERIFY2(outcome.status == 0, outcome.text().constData());
    QTEST(outcome.number("checked"), "received");
    QCOMPARE(outcome.number("event_source"), 1);
}

void TestStreaming::findsWhatAStreamLost()
{
    const StreamingRelay relay(StreamingRelay::LosesOneOfAStream);
    const Outcome outcome = benchOn(relay.url(), "--clients 5 --event-source");
    QVERIFY2(outcome.status == 1, outcome.text().constData());
    QCOMPARE(outcome.number("lost"), 3);
}

void TestStreaming::resumes_data()
{
    QTest::addColumn<QByteArray>("more");
    QTest::addRow("WebSocket") << QByteArray("--threads 1");
    QTest::addRow("EventSource") << QByteArray("--event-source");
    QTest::addRow("on channels") << QByteArray("--channels 2");
    QTest::addRow("on threads") << QByteArray("--threads 3");
    QTest::addRow("back at once") << QByteArray("--away 0");
}

// Receivers that drop and come back where they were have every offset once.
void TestStreaming::resumes()
{
    QFETCH(QByteArray, more);
    const StreamingRelay relay(StreamingRelay::None);
    const Outcome outcome = dropOn(relay.url(), more);
    QVERIFY2(outcome.status == 0, outcome.text().constData());
    QVERIFY2(outcome.number("resumes") > 10, outcome.text().constData());
    QCOMPARE(outcome.number("resumes"), outcome.number("drops"));
    for (const char *key : {"holes", "doubles", "gaps_told", "lost", "duplicated", "malformed"}) {
        QVERIFY2(outcome.number(key) == 0, outcome.text().constData());
    }
}

void TestStreaming::findsHolesAndDoubles_data()
{
    QTest::addColumn<int>("fault");
    QTest::addColumn<QByteArray>("medium");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArrayList>("wanted"); // key, "=" or ">", value
    for (const char *medium : {"--threads 1", "--event-source"}) {
        const auto row = [medium](const char *name, StreamingRelay::Fault fault, int status,
                                  const char *wanted) {
            QTest::addRow("%s, %s", name, medium)
                << int{fault} << QByteArray(medium) << status << QByteArray(wanted).split(' ');
        };
        row("loses one", StreamingRelay::LosesOneOnResume, 1, "holes = 1 lost = 1 doubles = 0");
        row("repeats one", StreamingRelay::RepeatsOnResume, 1,
            "doubles = 1 duplicated = 1 holes = 0 lost = 0");
        row("tells gaps", StreamingRelay::TellsGaps, 0,
            "gaps_told > 10 holes = 0 lost = 0 doubles = 0");
        row("hides gaps", StreamingRelay::HidesGaps, 1,
            "gaps_told = 0 holes > 1 lost > 1 doubles = 0");
        row("another stream", StreamingRelay::ChangesEpoch, 1,
            "gaps_told = 0 holes > 1 lost = 0 doubles = 0");
        row("refuses returns", StreamingRelay::RefusesReturns, 1,
            "connections_lost > 1 resumes = 0 holes = 0");
    }
}

// A hole or a double that nobody told of is found, by the offset and by the message; a gap that was
// told is none.
void TestStreaming::findsHolesAndDoubles()
{
    QFETCH(int, fault);
    QFETCH(QByteArray, medium);
    QFETCH(QByteArrayList, wanted);
    const StreamingRelay relay(static_cast<StreamingRelay::Fault>(fault));
    const Outcome outcome = dropOn(relay.url(), medium);
    QVERIFY2(!outcome.json.isEmpty(), outcome.errors.constData());
    for (qsizetype i = 0; i < wanted.size(); i += 3) {
        const int got = outcome.number(wanted[i]);
        const int value = wanted[i + 2].toInt();
        QVERIFY2(wanted[i + 1] == ">" ? got > value : got == value, outcome.text().constData());
    }
    QTEST(outcome.status, "status");
}

void TestStreaming::saysWhyItCannotResume_data()
{
    QTest::addColumn<QByteArray>("medium");
    QTest::addColumn<QByteArray>("says");
    QTest::addRow("WebSocket") << QByteArray("--threads 1")
                               << QByteArray("does not speak relay.meta");
    QTest::addRow("EventSource") << QByteArray("--event-source") << QByteArray("\"malformed\":");
}

// A relay without positions is not held to have resumed.
void TestStreaming::saysWhyItCannotResume()
{
    QFETCH(QByteArray, medium);
    QFETCH(QByteArray, says);
    const StreamingRelay relay(StreamingRelay::KnowsNoPositions);
    const Outcome outcome = dropOn(relay.url(), medium);
    QCOMPARE(outcome.status, 1);
    QVERIFY2(outcome.text().contains(says), outcome.text().constData());
}

RELAY_TEST(TestStreaming)
#include "tst_streaming.moc"
