#include "bench_run.h"
#include "support/test_main.h"

#include <QProcess>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>
#include <QWebSocket>
#include <QWebSocketServer>

#include <utility>

namespace {

/// A relay with one fault, which relay-bench has to find. In this process, so that nothing else
/// touches its sockets.
class FaultyRelay : public QObject
{
public:
    enum Fault {
        None,
        NoEcho,
        LosesOne,
        LosesTheLast,
        SendsOneTwice,
        SwapsOfOnePublisher,  ///< one client gets two messages of the same publisher the wrong way
                              ///< round
        SwapsOfTwoPublishers, ///< ... of different publishers: only the total order is broken
        ClosesOne,
        DropsOne,
        TruncatesOne,
        TalksToo, ///< sends what no client of this run has sent
        PingsAll,
        RelaysToNobody,
    };

    explicit FaultyRelay(Fault fault)
        : m_fault(fault)
        , m_server(QStringLiteral("faulty"), QWebSocketServer::NonSecureMode)
    {
        m_server.listen(QHostAddress::LocalHost);
        connect(&m_server, &QWebSocketServer::newConnection, this, [this] {
            QWebSocket *client = m_server.nextPendingConnection();
            m_clients << client;
            connect(client, &QWebSocket::textMessageReceived, this,
                    [this, client](const QString &message) { relay(client, message); });
            connect(client, &QWebSocket::pong, this, [this] { ++m_pongs; });
        });
    }

    ~FaultyRelay() override { qDeleteAll(m_clients); }
    FaultyRelay(const FaultyRelay &) = delete;
    FaultyRelay &operator=(const FaultyRelay &) = delete;

    [[nodiscard]] QString url() const { return m_server.serverUrl().toString() + QLatin1Char('/'); }
    [[nodiscard]] int pongs() const { return m_pongs; }

private:
    void relay(QWebSocket *sender, const QString &message)
    {
        const bool isProbe = publisherOf(message) == QLatin1String("ffffffff");
        const int number = isProbe ? -1 : m_messages++;
        if (m_fault == RelaysToNobody) {
            return;
        }
        for (qsizetype i = 0; i < m_clients.size(); ++i) {
            if (m_fault == NoEcho && m_clients[i] == sender) {
                continue;
            }
            if (i == m_clients.size() - 1 && !isProbe) {
                sendToVictim(m_clients[i], number, message);
            } else {
                m_clients[i]->sendTextMessage(message);
            }
            if (m_fault == PingsAll && number == 5) {
                m_clients[i]->ping("are you there?");
            }
        }
    }

    static QString publisherOf(const QString &message) { return message.mid(8, 8); }

    /// The last client suffers for all.
    void sendToVictim(QWebSocket *victim, int number, const QString &message)
    {
        const bool isSwapping = m_fault == SwapsOfOnePublisher || m_fault == SwapsOfTwoPublishers;
        if (number == 10) {
            switch (m_fault) {
            case LosesOne:
                return;
            case SendsOneTwice:
                victim->sendTextMessage(message);
                break;
            case ClosesOne:
                victim->close(QWebSocketProtocol::CloseCodePolicyViolated,
                              QStringLiteral("slow consumer"));
                return;
            case DropsOne:
                victim->abort();
                return;
            case TruncatesOne:
                victim->sendTextMessage(message.left(50));
                return;
            case TalksToo:
                victim->sendTextMessage(QStringLiteral("hello"));
                victim->sendTextMessage(QString(64, QLatin1Char('0')));
                break;
            default:
                break;
            }
        }
        if (m_fault == LosesTheLast && number == 99) {
            return;
        }
        if (isSwapping && number == 10) {
            m_held = message;
            return;
        }
        if (!m_held.isEmpty()) {
            swapWithHeld(victim, message);
            return;
        }
        victim->sendTextMessage(message);
    }

    /// The publishers' messages come in any order: which are swapped is decided as they come.
    void swapWithHeld(QWebSocket *victim, const QString &message)
    {
        const bool isOfSame = publisherOf(message) == publisherOf(m_held);
        if (isOfSame && m_fault == SwapsOfTwoPublishers) {
            victim->sendTextMessage(std::exchange(m_held, message));
            return;
        }
        victim->sendTextMessage(message);
        if (isOfSame || m_fault == SwapsOfTwoPublishers) {
            victim->sendTextMessage(std::exchange(m_held, {}));
        }
    }

    Fault m_fault;
    QWebSocketServer m_server;
    QList<QWebSocket *> m_clients;
    QString m_held;
    int m_messages = 0;
    int m_pongs = 0;
};

/// 100 messages of two publishers in half a second, to five clients.
Outcome benchShortly(const QString &url, const QStringList &more = {})
{
    QStringList arguments{QStringLiteral("--json"), QStringLiteral("--url"), url};
    for (const char *argument : {"--clients", "5", "--publishers", "2", "--rate", "200", "--warmup",
                                 "0", "--duration", "500ms"})
    {
        arguments << QLatin1String(argument);
    }
    return bench(arguments + more);
}

/// `floor`, on a port that it chose.
class Floor
{
public:
    Floor()
    {
        m_process.start(QStringLiteral(RELAY_FLOOR_PROGRAM), {QStringLiteral("0")});
        m_process.waitForReadyRead();
        m_port = m_process.readLine().trimmed().split(':').last();
    }
    ~Floor()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    Floor(const Floor &) = delete;
    Floor &operator=(const Floor &) = delete;

    [[nodiscard]] QString url() const
    {
        return QLatin1String("ws://127.0.0.1:") + QString::fromLatin1(m_port) + QLatin1String("/");
    }
    [[nodiscard]] QString pid() const { return QString::number(m_process.processId()); }

private:
    QProcess m_process;
    QByteArray m_port;
};

} // namespace

class TestRelayBench : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsFaults_data();
    void findsFaults();
    void measuresFloor_data();
    void measuresFloor();
    void holdsIdleClients();
    void leavesStalledClientsOut();
    void answersPings();
    void saysWhyItCannotMeasure_data();
    void saysWhyItCannotMeasure();
    void showsTheRefusal();
    void needsDescriptors();
};

void TestRelayBench::findsFaults_data()
{
    QTest::addColumn<int>("fault");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArrayList>("wanted"); // key and value
    const auto row = [](const char *name, FaultyRelay::Fault fault, int status,
                        const QByteArrayList &wanted) {
        QTest::newRow(name) << int{fault} << status << wanted;
    };
    row("none", FaultyRelay::None, 0, {"echo", "1", "checked", "500", "order_compared", "5"});
    row("no echo", FaultyRelay::NoEcho, 0, {"echo", "0", "checked", "400", "order_compared", "3"});
    row("loses one", FaultyRelay::LosesOne, 1, {"lost", "1", "order_compared", "4"});
    row("loses the last", FaultyRelay::LosesTheLast, 1, {"lost", "1"});
    row("sends one twice", FaultyRelay::SendsOneTwice, 1, {"lost", "0", "duplicated", "1"});
    row("swaps two of a publisher", FaultyRelay::SwapsOfOnePublisher, 1,
        {"out_of_order", "1", "lost", "0", "duplicated", "0"});
    row("swaps two publishers", FaultyRelay::SwapsOfTwoPublishers, 1,
        {"order_mismatches", "1", "out_of_order", "0", "lost", "0"});
    row("closes one", FaultyRelay::ClosesOne, 1, {"connections_lost", "1", "lost", "0"});
    row("drops one", FaultyRelay::DropsOne, 1, {"connections_lost", "1", "lost", "0"});
    row("truncates one", FaultyRelay::TruncatesOne, 1, {"malformed", "1", "lost", "1"});
    row("talks too", FaultyRelay::TalksToo, 0, {"foreign", "2", "lost", "0", "malformed", "0"});
}

// Each way in which a relay can fail its promise is found, told apart from the others, and sets the
// exit status.
void TestRelayBench::findsFaults()
{
    QFETCH(int, fault);
    QFETCH(QByteArrayList, wanted);
    const FaultyRelay relay(static_cast<FaultyRelay::Fault>(fault));
    const Outcome outcome = benchShortly(relay.url());
    QVERIFY2(!outcome.json.isEmpty(), outcome.errors.constData());
    QTEST(outcome.status, "status");
    for (qsizetype i = 0; i < wanted.size(); i += 2) {
        QVERIFY2(outcome.number(wanted[i]) == wanted[i + 1].toInt(), outcome.text().constData());
    }
    if (fault == FaultyRelay::ClosesOne) {
        QVERIFY(outcome.json[QLatin1String("first_failure")].toString().contains(
            QLatin1String("code 1008 (slow consumer)")));
    }
}

void TestRelayBench::measuresFloor_data()
{
    QTest::addColumn<QStringList>("load");
    QTest::newRow("a schedule") << words(
        "--clients 50 --publishers 5 --rate 400 --warmup 100ms --duration 500ms");
    QTest::newRow("a window") << words(
        "--clients 20 --publishers 5 --window 4 --warmup 100ms --duration 300ms");
    QTest::newRow("a window each, two clients")
        << words("--clients 2 --publishers 2 --window 128 --warmup 0 --duration 300ms");
    QTest::newRow("several threads") << words(
        "--threads 3 --clients 31 --publishers 7 --rate 500 --warmup 100ms --duration 500ms");
    QTest::newRow("large, binary")
        << words("--clients 5 --binary --size 100KiB --rate 50 --warmup 0 --duration 500ms");
    QTest::newRow("one client") << words("--clients 1 --rate 100 --warmup 0 --duration 300ms");
    QTest::newRow("slowly connected")
        << words("--clients 20 --connect-rate 100 --rate 50 --warmup 0 --duration 200ms");
}

// Every kind of load runs against a plain loop without a finding, and the figures are there.
void TestRelayBench::measuresFloor()
{
    QFETCH(QStringList, load);
    const Floor floor;
    const Outcome outcome = bench(words("--json --url") + QStringList{floor.url()} + load
                                  + QStringList{QStringLiteral("--pid"), floor.pid()});
    QVERIFY2(outcome.status == 0, outcome.text().constData());
    for (const char *key :
         {"deliveries", "deliveries_per_second", "latency_p50_ms", "latency_max_ms",
          "server_cpu_us_per_delivery", "server_bytes", "connects_per_second", "order_compared"})
    {
        QVERIFY2(outcome.json[QLatin1String(key)].toDouble() > 0, key);
    }
    QVERIFY(outcome.json[QLatin1String("latency_p50_ms")].toDouble()
            <= outcome.json[QLatin1String("latency_max_ms")].toDouble());
    QCOMPARE(outcome.json[QLatin1String("order_compared")], outcome.json[QLatin1String("clients")]);
}

void TestRelayBench::holdsIdleClients()
{
    const Floor floor;
    const Outcome outcome = bench(words("--json --clients 100 --idle 200ms --url")
                                  + QStringList{floor.url(), QStringLiteral("--pid"), floor.pid()});
    QVERIFY2(outcome.status == 0, outcome.text().constData());
    QCOMPARE(outcome.json[QLatin1String("connected")].toInt(), 100);
    QVERIFY(outcome.json[QLatin1String("server_bytes_per_client")].toDouble() > 0);
    QVERIFY(!outcome.json.contains(QLatin1String("deliveries")));
}

// What a client does not read is not lost; the others are judged as ever.
void TestRelayBench::leavesStalledClientsOut()
{
    const Floor floor;
    const Outcome outcome =
        bench(words("--json --clients 10 --publishers 2 --stall 2 --slow 100KiB/s --slow-clients 2 "
                    "--rate 100 --size 16KiB --warmup 0 --duration 1s --url")
              + QStringList{floor.url()});
    QVERIFY2(outcome.status == 0, outcome.text().constData());
    QCOMPARE(outcome.json[QLatin1String("order_compared")].toInt(), 6);
    QCOMPARE(outcome.json[QLatin1String("checked")].toInt() % 6, 0);
}

// A relay that pings is answered: it would else close the connection.
void TestRelayBench::answersPings()
{
    const FaultyRelay relay(FaultyRelay::PingsAll);
    const Outcome outcome = benchShortly(relay.url());
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.json[QLatin1String("pings")].toInt(), 5);
    QCOMPARE(relay.pongs(), 5);
}

void TestRelayBench::saysWhyItCannotMeasure_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("usage") << words("--rate 0") << 2 << QByteArray("--rate '0' is not");
    QTest::newRow("no such process")
        << words("--pid 4194304") << 1 << QByteArray("there is no such process");
    QTest::newRow("no such host") << words("--url ws://host.invalid/") << 1
                                  << QByteArray("cannot find host 'host.invalid'");
    QTest::newRow("nothing listens") << words("--url ws://127.0.0.1:1/") << 1
                                     << QByteArray("connection refused: nothing listens there");
}

// Each is one line that says what to do.
void TestRelayBench::saysWhyItCannotMeasure()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, says);
    const Outcome outcome = bench(arguments);
    QTEST(outcome.status, "status");
    QVERIFY2(outcome.errors.contains(says), outcome.errors.constData());
    QCOMPARE(outcome.errors.count('\n'), 1);
    QVERIFY(outcome.output.isEmpty());
}

// A server that refuses the upgrade, and a relay that does not relay, are named as such.
void TestRelayBench::showsTheRefusal()
{
    QTcpServer server;
    QVERIFY(server.listen(QHostAddress::LocalHost));
    connect(&server, &QTcpServer::newConnection, this, [&server] {
        QTcpSocket *socket = server.nextPendingConnection();
        connect(socket, &QTcpSocket::readyRead, socket, [socket] {
            socket->write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        });
    });
    const Outcome refused = bench(
        {QStringLiteral("--url"), QStringLiteral("ws://127.0.0.1:%1/").arg(server.serverPort())});
    QCOMPARE(refused.status, 1);
    QVERIFY2(refused.errors.contains("HTTP/1.1 503 Service Unavailable"),
             refused.errors.constData());

    const FaultyRelay silent(FaultyRelay::RelaysToNobody);
    const Outcome unheard = benchShortly(silent.url());
    QCOMPARE(unheard.status, 1);
    QVERIFY2(unheard.errors.contains("does not relay"), unheard.errors.constData());
}

// How many descriptors are needed, and how to get them.
void TestRelayBench::needsDescriptors()
{
    const Outcome outcome = bench(words("--clients 1000000"));
    QCOMPARE(outcome.status, 1);
    QVERIFY2(outcome.errors.contains("1000000 clients need 1000017 descriptors"),
             outcome.errors.constData());
    QVERIFY(outcome.errors.contains("ulimit -n 1000017"));
}

RELAY_TEST(TestRelayBench)
#include "tst_relay_bench.moc"
