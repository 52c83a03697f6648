#include "options.h"
#include "support/test_main.h"

#include <QTest>

#include <vector>

using relay::bench::Information;
using relay::bench::kMillisecond;
using relay::bench::kSecond;
using relay::bench::Options;
using relay::bench::parseOptions;
using relay::bench::Problem;

namespace {

auto parse(const QByteArrayList &arguments)
{
    std::vector<const char *> pointers;
    for (const QByteArray &argument : arguments) {
        pointers.push_back(argument.constData());
    }
    return parseOptions(pointers);
}

} // namespace

class TestOptions : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void defaults();
    void readsAll();
    void tellsWhoListensAndDrops();
    void readsUnits_data();
    void readsUnits();
    void readsUrls_data();
    void readsUrls();
    void refuses_data();
    void refuses();
    void helpNamesEveryOption();
};

void TestOptions::defaults()
{
    const auto parsed = parse({});
    const auto *options = std::get_if<Options>(&parsed);
    QVERIFY(options != nullptr);
    QCOMPARE(options->url.text(), std::string("ws://127.0.0.1:8443/"));
    QCOMPARE(options->window, 0);
    QCOMPARE(options->messagesPerSecond, 50.0);
    QCOMPARE(options->readingClients(), options->clients);
    QCOMPARE(options->channels, 1);
    QVERIFY(!options->isListener(99) && !options->isDropping(99));
}

// Both ways to write a value; a closed loop has no rate.
void TestOptions::readsAll()
{
    const auto parsed = parse({"--clients",
                               "20",
                               "--publishers=3",
                               "--window",
                               "4",
                               "--size=1KiB",
                               "--duration",
                               "500ms",
                               "--warmup=0",
                               "--stall",
                               "2",
                               "--slow=10KiB/s",
                               "--slow-clients=3",
                               "--pid",
                               "1",
                               "--threads",
                               "2",
                               "--json",
                               "--binary",
                               "--no-echo",
                               "--connect-rate",
                               "100/s"});
    const auto *options = std::get_if<Options>(&parsed);
    QVERIFY(options != nullptr);
    QCOMPARE(options->clients, 20);
    QCOMPARE(options->publishers, 3);
    QCOMPARE(options->window, 4);
    QCOMPARE(options->messagesPerSecond, 0.0);
    QCOMPARE(options->messageBytes, std::size_t{1024});
    QCOMPARE(options->duration, 500 * kMillisecond);
    QCOMPARE(options->warmup, relay::bench::Nanoseconds{0});
    QCOMPARE(options->slowBytesPerSecond, std::size_t{10240});
    QCOMPARE(options->readingClients(), 15);
    QCOMPARE(options->serverPid.value_or(0), 1);
    QCOMPARE(options->connectsPerSecond, 100.0);
    QVERIFY(options->isJson && options->isBinary && options->isWithoutEcho);
}

// Publishers, and who asks for a channel's receivers, send: they are WebSocket clients, and
// publishers stay. Slow clients are not asked to resume.
void TestOptions::tellsWhoListensAndDrops()
{
    const auto parsed =
        parse({"--clients", "10", "--publishers", "2", "--channels=3", "--event-source",
               "--drop-rate", "5/s", "--away", "50ms", "--stall", "1"});
    const auto *options = std::get_if<Options>(&parsed);
    QVERIFY(options != nullptr);
    QCOMPARE(options->dropsPerSecond, 5.0);
    QCOMPARE(options->longestAway, 50 * kMillisecond);
    QVERIFY(!options->isListener(2) && options->isListener(3) && options->isListener(9));
    QVERIFY(!options->isDropping(1) && options->isDropping(2));
    QVERIFY(options->isDropping(8) && !options->isDropping(9));

    const auto idle = parse({"--clients", "5", "--idle", "1s", "--event-source"});
    QVERIFY(std::get<Options>(idle).isListener(0));
}

void TestOptions::readsUnits_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("nanoseconds");
    QTest::addRow("seconds") << QByteArray("10s") << qint64{10 * kSecond};
    QTest::addRow("bare") << QByteArray("10") << qint64{10 * kSecond};
    QTest::addRow("fraction") << QByteArray("0.5") << qint64{kSecond / 2};
    QTest::addRow("milliseconds") << QByteArray("250ms") << qint64{250 * kMillisecond};
    QTest::addRow("minutes") << QByteArray("2m") << qint64{120 * kSecond};
    QTest::addRow("a day") << QByteArray("86400s") << qint64{86400 * kSecond};
}

void TestOptions::readsUnits()
{
    QFETCH(QByteArray, text);
    const auto parsed = parse({"--duration", text});
    const auto *options = std::get_if<Options>(&parsed);
    QVERIFY(options != nullptr);
    QTEST(qint64{options->duration}, "nanoseconds");
}

void TestOptions::readsUrls_data()
{
    QTest::addColumn<QByteArray>("url");
    QTest::addColumn<QByteArrayList>("parts");
    QTest::addRow("whole") << QByteArray("ws://relay.example:8443/chat/42?echo=1")
                           << QByteArrayList{"relay.example", "8443", "/chat/42?echo=1"};
    QTest::addRow("no path") << QByteArray("ws://127.0.0.1:1")
                             << QByteArrayList{"127.0.0.1", "1", "/"};
    QTest::addRow("no port") << QByteArray("ws://localhost/")
                             << QByteArrayList{"localhost", "80", "/"};
    QTest::addRow("only a query") << QByteArray("ws://h:9?a") << QByteArrayList{"h", "9", "/?a"};
    QTest::addRow("IPv6") << QByteArray("ws://[::1]:8443/") << QByteArrayList{"::1", "8443", "/"};
    QTest::addRow("IPv6, no port") << QByteArray("ws://[::1]") << QByteArrayList{"::1", "80", "/"};
}

void TestOptions::readsUrls()
{
    QFETCH(QByteArray, url);
    const auto parsed = parse({"--url", url});
    const auto *options = std::get_if<Options>(&parsed);
    QVERIFY(options != nullptr);
    const QByteArrayList parts{QByteArray::fromStdString(options->url.host),
                               QByteArray::fromStdString(options->url.port),
                               QByteArray::fromStdString(options->url.target)};
    QTEST(parts, "parts");
}

void TestOptions::refuses_data()
{
    QTest::addColumn<QByteArrayList>("arguments");
    QTest::addColumn<QByteArray>("says");
    const auto row = [](const char *name, const QByteArrayList &arguments, const char *says) {
        QTest::newRow(name) << arguments << QByteArray(says);
    };
    row("unknown", {"--client", "5"}, "--client");
    row("no option at all", {"5"}, "unknown option '5'");
    row("a value missing", {"--clients"}, "needs a value");
    row("a value too many", {"--json=1"}, "takes no value");
    row("no number", {"--clients", "many"}, "a count from 1");
    row("no clients", {"--clients", "0"}, "a count from 1");
    row("a number and more", {"--clients", "5x"}, "a count from 1");
    row("negative rate", {"--rate", "-1"}, "above 0");
    row("endless rate", {"--rate", "inf"}, "above 0");
    row("rate and window", {"--rate", "5", "--window", "5"}, "exclude each other");
    row("a window with the default rate named", {"--window", "5", "--rate", "50"}, "exclude");
    row("one byte below a stamp", {"--size", "47"}, "at least 48");
    row("no unit of size", {"--size", "1KB"}, "at least 48");
    row("no unit of time", {"--duration", "10h"}, "10s, 500ms or 2m");
    row("no time", {"--duration", "0"}, "10s, 500ms or 2m");
    row("TLS", {"--url", "wss://127.0.0.1/"}, "TLS is not spoken");
    row("HTTP", {"--url", "http://127.0.0.1/"}, "not a WebSocket URL");
    row("no host", {"--url", "ws://:80/"}, "no host");
    row("port 0", {"--url", "ws://h:0/"}, "not a port");
    row("port 65536", {"--url", "ws://h:65536/"}, "not a port");
    row("all stalled", {"--clients", "5", "--stall", "5"}, "none that reads");
    row("more publishers than readers", {"--clients", "5", "--publishers", "6"}, "more than the 5");
    row("publishers among the stalled", {"--clients", "5", "--publishers", "5", "--stall", "1"},
        "more than the 4");
    row("slow clients without a pace", {"--slow-clients", "2"}, "needs --slow");
    row("more channels than clients", {"--clients", "5", "--channels", "6"},
        "--channels 6 are more than the 5 clients");
    row("a channel of a stalled client only", {"--clients=5", "--channels=5", "--stall=1"},
        "more than the 4 clients");
    row("no channel", {"--channels", "0"}, "a count from 1");
    row("a binary event stream", {"--binary", "--event-source"}, "exclude each other");
    row("nobody to listen", {"--clients=5", "--publishers=5", "--event-source"}, "none to listen");
    row("nobody to listen but who asks", {"--clients=5", "--channels=5", "--event-source"},
        "none to listen");
    row("nobody to drop", {"--clients=5", "--publishers=5", "--drop-rate=1"}, "none to drop");
    row("drops while idle", {"--drop-rate=1", "--idle=1s"}, "exclude each other");
    row("no drops", {"--drop-rate=0"}, "above 0");
    row("away without drops", {"--away=1s"}, "needs --drop-rate");
    row("no time away", {"--drop-rate=1", "--away=-1"}, "such as 100ms or 0");
    row("at once in a closed loop", {"--at-once", "--window=4"}, "excludes --window");
    row("threads without clients", {"--clients", "1", "--threads", "2"}, "more than the clients");
}

// What is wrong is said with the option's name and what would be right; nothing is guessed.
void TestOptions::refuses()
{
    QFETCH(QByteArrayList, arguments);
    QFETCH(QByteArray, says);
    const auto parsed = parse(arguments);
    const auto *problem = std::get_if<Problem>(&parsed);
    QVERIFY(problem != nullptr);
    QVERIFY2(QByteArray::fromStdString(problem->message).contains(says), problem->message.c_str());
}

// --help and --version answer whatever else is asked for.
void TestOptions::helpNamesEveryOption()
{
    const auto help = parse({"--clients", "5", "--help"});
    const auto *text = std::get_if<Information>(&help);
    QVERIFY(text != nullptr);
    for (const char *option : {"--url", "--rate", "--window", "--idle", "--pid", "Exit status"}) {
        QVERIFY2(text->text.find(option) != std::string::npos, option);
    }
    const auto version = parse({"--version"});
    QVERIFY(std::get_if<Information>(&version) != nullptr);
}

RELAY_TEST(TestOptions)
#include "tst_options.moc"
