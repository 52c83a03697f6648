#include "support/test_main.h"

#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QWebSocket>

#include <csignal>
#include <functional>
#include <memory>

namespace {

constexpr int kPatienceMs = 20000;

/// The test's environment without what would configure a relay, then `variables` ("NAME=value").
QProcessEnvironment environmentWith(const QStringList &variables)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const QString &name : environment.keys()) {
        if (name.startsWith(QStringLiteral("RELAY_"))) {
            environment.remove(name);
        }
    }
    for (const QString &variable : variables) {
        environment.insert(variable.section(QLatin1Char('='), 0, 0),
                           variable.section(QLatin1Char('='), 1));
    }
    return environment;
}

/// relayd as its own process, on ports that the system chose. Killed at the end of its scope.
class RunningRelayd
{
public:
    /// `inChild` is called in the new process before relayd begins.
    explicit RunningRelayd(QStringList variables = {},
                           const std::function<void()> &inChild = nullptr)
    {
        if (inChild) {
            m_process.setChildProcessModifier(inChild);
        }
        variables << QStringLiteral("RELAY_SERVER_PORT=0")
                  << QStringLiteral("RELAY_METRICS_PORT=0");
        m_process.setProcessEnvironment(environmentWith(variables));
        m_process.start(QStringLiteral(RELAYD_PROGRAM), QStringList());
        waitForLog(QStringLiteral("metrics at http://127\\.0\\.0\\.1:\\d+/metrics"));
    }
    ~RunningRelayd()
    {
        m_process.kill();
        m_process.waitForFinished(kPatienceMs);
    }
    RunningRelayd(const RunningRelayd &) = delete;
    RunningRelayd &operator=(const RunningRelayd &) = delete;

    /// Whether the log has a line that matches, within patience.
    bool waitForLog(const QString &pattern)
    {
        const QRegularExpression expression(pattern);
        return QTest::qWaitFor(
            [&] {
                collectLog();
                return expression.match(m_log).hasMatch();
            },
            kPatienceMs);
    }

    [[nodiscard]] quint16 port() const
    {
        return portIn(QStringLiteral("ws://127\\.0\\.0\\.1:(\\d+)/"));
    }
    [[nodiscard]] quint16 metricsPort() const
    {
        return portIn(QStringLiteral("http://127\\.0\\.0\\.1:(\\d+)/metrics"));
    }
    [[nodiscard]] QUrl url() const
    {
        return QUrl(QStringLiteral("ws://127.0.0.1:%1/").arg(port()));
    }
    [[nodiscard]] const QString &log() const { return m_log; }

    void signal(int number) { ::kill(static_cast<pid_t>(m_process.processId()), number); }

    bool waitForEnd()
    {
        const bool hasEnded =
            QTest::qWaitFor([&] { return m_process.state() == QProcess::NotRunning; }, kPatienceMs);
        collectLog();
        return hasEnded;
    }
    [[nodiscard]] const QProcess &process() const { return m_process; }

private:
    void collectLog() { m_log += QString::fromUtf8(m_process.readAllStandardError()); }
    [[nodiscard]] quint16 portIn(const QString &pattern) const
    {
        return QRegularExpression(pattern).match(m_log).captured(1).toUShort();
    }

    QProcess m_process;
    QString m_log;
};

/// A client that completes the handshake and never says another word: it does not answer a close.
class MuteClient
{
public:
    explicit MuteClient(quint16 port)
    {
        m_socket.connectToHost(QStringLiteral("127.0.0.1"), port);
        m_socket.write(
            "GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    }
    bool waitForUpgrade() { return waitFor("\r\n\r\n"); }
    /// A server's close frame with the code 1001 begins so: FIN and opcode 8, a length, 0x03E9.
    bool waitForClose() { return waitFor(QByteArray("\x03\xE9", 2)); }

private:
    bool waitFor(const QByteArray &bytes)
    {
        return QTest::qWaitFor(
            [&] {
                m_received += m_socket.readAll();
                return m_received.contains(bytes);
            },
            kPatienceMs);
    }

    QTcpSocket m_socket;
    QByteArray m_received;
};

QByteArray get(quint16 port, const QByteArray &path)
{
    QTcpSocket socket;
    socket.connectToHost(QStringLiteral("127.0.0.1"), port);
    socket.write("GET " + path + " HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    if (!QTest::qWaitFor([&] { return socket.state() == QAbstractSocket::UnconnectedState; },
                         kPatienceMs))
    {
        return "no answer";
    }
    return socket.readAll();
}

struct Run
{
    int status = -1;
    QString out;
    QString err;
};

/// Runs relayd to its end.
Run run(const QStringList &arguments, const QStringList &variables = {})
{
    QProcess process;
    process.setProcessEnvironment(environmentWith(variables));
    process.start(QStringLiteral(RELAYD_PROGRAM), arguments);
    if (!process.waitForFinished(kPatienceMs) || process.exitStatus() != QProcess::NormalExit) {
        process.kill();
        process.waitForFinished(kPatienceMs);
        return {};
    }
    return {process.exitCode(), QString::fromUtf8(process.readAllStandardOutput()),
            QString::fromUtf8(process.readAllStandardError())};
}

} // namespace

class TestRelayd : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void endsInGoodOrder_data();
    void endsInGoodOrder();
    void otherSignalsDisturbNobody();
    void nohupIsObeyed();
    void isNotReadyWhileStopping();
    void secondSignalEndsAtOnce_data();
    void secondSignalEndsAtOnce();
    void refusesToStart_data();
    void refusesToStart();
    void saysWhichPortIsInUse_data();
    void saysWhichPortIsInUse();
    void listsEveryProblem();
    void printsNoSecret();
    void startsWithoutAFileThatNeedNotExist();
    void printsWhatWasAskedFor();
    void logsAsJson();
};

void TestRelayd::endsInGoodOrder_data()
{
    QTest::addColumn<int>("number");
    QTest::newRow("SIGTERM") << SIGTERM;
    QTest::newRow("SIGINT") << SIGINT;
    QTest::newRow("SIGHUP") << SIGHUP;
    QTest::newRow("SIGQUIT") << SIGQUIT;
}

// What a service manager, Ctrl-C or a closed terminal does: clients are told 1001, and the status is 0.
void TestRelayd::endsInGoodOrder()
{
    QFETCH(int, number);
    // A shell ignores some of them for what it starts in the background.
    RunningRelayd relayd({}, [number] { std::signal(number, SIG_DFL); });
    QVERIFY2(relayd.port() != 0, qPrintable(relayd.log()));
    QWebSocket client;
    QSignalSpy received(&client, &QWebSocket::textMessageReceived);
    QSignalSpy disconnected(&client, &QWebSocket::disconnected);
    QObject::connect(&client, &QWebSocket::connected, &client,
                     [&] { client.sendTextMessage(QStringLiteral("hello")); });
    client.open(relayd.url());
    QTRY_COMPARE_WITH_TIMEOUT(received.size(), 1, kPatienceMs);
    QCOMPARE(received.first().first().toString(), QStringLiteral("hello"));

    relayd.signal(number);
    QTRY_COMPARE_WITH_TIMEOUT(disconnected.size(), 1, kPatienceMs);
    QCOMPARE(client.closeCode(), QWebSocketProtocol::CloseCodeGoingAway);
    QVERIFY(relayd.waitForEnd());
    QCOMPARE(relayd.process().exitStatus(), QProcess::NormalExit);
    QCOMPARE(relayd.process().exitCode(), 0);
    QVERIFY2(relayd.log().contains(QStringLiteral("relay.app: stopped")), qPrintable(relayd.log()));
}

// logrotate sends SIGUSR1, a forgotten timer SIGALRM: none of them costs a client its connection.
void TestRelayd::otherSignalsDisturbNobody()
{
    RunningRelayd relayd;
    QWebSocket client;
    QSignalSpy received(&client, &QWebSocket::textMessageReceived);
    QSignalSpy connected(&client, &QWebSocket::connected);
    client.open(relayd.url());
    QTRY_COMPARE_WITH_TIMEOUT(connected.size(), 1, kPatienceMs);
    for (const int number : {SIGUSR1, SIGUSR2, SIGALRM, SIGPROF, SIGPIPE, SIGXFSZ, SIGRTMIN}) {
        relayd.signal(number);
    }
    QVERIFY(relayd.waitForLog(QStringLiteral("SIGALRM is ignored")));
    client.sendTextMessage(QStringLiteral("still there"));
    QTRY_COMPARE_WITH_TIMEOUT(received.size(), 1, kPatienceMs);
    QCOMPARE(relayd.process().state(), QProcess::Running);
}

// A relay that was started with nohup outlives its terminal.
void TestRelayd::nohupIsObeyed()
{
    RunningRelayd relayd({}, [] { std::signal(SIGHUP, SIG_IGN); });
    relayd.signal(SIGHUP);
    relayd.signal(SIGUSR1); // arrives after it
    QVERIFY(relayd.waitForLog(QStringLiteral("SIGUSR1 is ignored")));
    QVERIFY(get(relayd.metricsPort(), "/-/readyz").startsWith("HTTP/1.1 200 "));
    relayd.signal(SIGTERM);
    QVERIFY(relayd.waitForEnd());
    QCOMPARE(relayd.process().exitCode(), 0);
}

// A load balancer sends nobody to a relay that is on its way out, and nobody to one that is not
// serving.
void TestRelayd::isNotReadyWhileStopping()
{
    RunningRelayd relayd({QStringLiteral("RELAY_SERVER_SHUTDOWN_TIMEOUT=1h"),
                          QStringLiteral("RELAY_SERVER_CLOSE_TIMEOUT=10m")});
    MuteClient client(relayd.port());
    QVERIFY(client.waitForUpgrade());
    QVERIFY(get(relayd.metricsPort(), "/-/readyz").startsWith("HTTP/1.1 200 "));
    relayd.signal(SIGTERM);
    QVERIFY(client.waitForClose());
    QVERIFY(get(relayd.metricsPort(), "/-/readyz").startsWith("HTTP/1.1 503 "));
    QVERIFY(get(relayd.metricsPort(), "/-/healthz").startsWith("HTTP/1.1 200 "));
}

void TestRelayd::secondSignalEndsAtOnce_data()
{
    QTest::addColumn<int>("first");
    QTest::addColumn<int>("second");
    QTest::newRow("SIGTERM twice") << SIGTERM << SIGTERM;
    QTest::newRow("SIGINT twice") << SIGINT << SIGINT;
    QTest::newRow("SIGTERM, then SIGINT") << SIGTERM << SIGINT;
    QTest::newRow("SIGINT, then SIGTERM") << SIGINT << SIGTERM;
}

// Who presses Ctrl-C again does not wait for clients that never answer.
void TestRelayd::secondSignalEndsAtOnce()
{
    QFETCH(int, first);
    QFETCH(int, second);
    RunningRelayd relayd({QStringLiteral("RELAY_SERVER_SHUTDOWN_TIMEOUT=1h"),
                          QStringLiteral("RELAY_SERVER_CLOSE_TIMEOUT=10m")});
    MuteClient client(relayd.port());
    QVERIFY(client.waitForUpgrade());
    relayd.signal(first);
    QVERIFY(client.waitForClose());
    QCOMPARE(relayd.process().state(), QProcess::Running);
    relayd.signal(second);
    QVERIFY(relayd.waitForEnd());
    if (first == second) { // the system's default ended it
        QCOMPARE(relayd.process().exitStatus(), QProcess::CrashExit);
        QCOMPARE(relayd.process().exitCode(), second);
    } else {
        QCOMPARE(relayd.process().exitStatus(), QProcess::NormalExit);
        QCOMPARE(relayd.process().exitCode(), 128 + second);
    }
}

void TestRelayd::refusesToStart_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QStringList>("variables");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("message");
    const auto row = [](const char *name, const char *arguments, const char *variables, int status,
                        const char *message) {
        QTest::newRow(name) << QString::fromLatin1(arguments).split(QLatin1Char(' '),
                                                                    Qt::SkipEmptyParts)
                            << QString::fromLatin1(variables).split(QLatin1Char(' '),
                                                                    Qt::SkipEmptyParts)
                            << status << QString::fromLatin1(message);
    };
    row("unknown option", "--prot 1", "", 2,
        "relayd: Unknown option 'prot' (relayd --help lists the options)\n");
    row("Qt's option", "--help-all", "", 2, "relayd: Unknown option 'help-all'");
    row("argument", "relay.yaml", "", 2, "relayd: unexpected argument 'relay.yaml'");
    row("option without its file", "--config-file", "", 2,
        "relayd: Missing value after '--config-file'");
    row("empty file name", "--config-file=", "", 2, "relayd: ");
    row("two files", "-c a -c b", "", 2, "relayd: 2 configuration files are given");
    row("a file of each kind", "-c a --config-file-if-exists b", "", 2,
        "relayd: 2 configuration files are given");
    row("two tasks", "--check --print-config", "", 2,
        "relayd: --check and --print-config cannot be combined");
    row("missing file", "-c absent.yaml", "", 2, "absent.yaml: there is no such file\n");
    row("missing file, checked", "--check -c absent.yaml", "", 2,
        "absent.yaml: there is no such file\n");
    row("bad variable", "", "RELAY_SERVER_PORT=99999", 2,
        "environment RELAY_SERVER_PORT: server.port: 99999 is not a port (0 to 65535)\n");
    row("public ops port without a token", "", "RELAY_METRICS_ADDRESS=0.0.0.0", 2,
        "metrics.address: other machines can reach 0.0.0.0, and there is no token");
    row("empty token", "", "RELAY_OPS_TOKEN=", 2,
        "environment RELAY_OPS_TOKEN: ops.token: the variable is set but empty");
    row("empty token file, checked", "--check", "RELAY_OPS_TOKEN_FILE=", 2,
        "environment RELAY_OPS_TOKEN_FILE: ops.token_file: the variable is set but empty");
    row("bad token", "", "RELAY_OPS_TOKEN=secret", 2, "ops.token: the value is not a token");
    row("no token in its file", "", "RELAY_OPS_TOKEN_FILE=absent", 1,
        "ops.token_file: cannot read absent");
    row("no token in its file, checked", "--check", "RELAY_OPS_TOKEN_FILE=absent", 1,
        "ops.token_file: cannot read absent");
    row("bad variable, printed", "--print-config", "RELAY_HUB_ECHO=maybe", 2,
        "hub.echo: maybe is neither true nor false\n");
    const char *const absentTls =
        "RELAY_SERVER_TLS_ENABLED=true RELAY_SERVER_TLS_CERT_FILE=absent.pem "
        "RELAY_SERVER_TLS_KEY_FILE=absent.pem";
    row("missing certificate", "", absentTls, 1,
        "cannot start: certificate file absent.pem: there is no such file\n");
    row("missing certificate, checked", "--check", absentTls, 1,
        "certificate file absent.pem: there is no such file\n");
    row("address of another machine", "", "RELAY_SERVER_ADDRESS=192.0.2.1 RELAY_METRICS_PORT=0", 1,
        "192.0.2.1");
}

// Scripts tell by the status whether to mend the configuration (2) or the machine (1); people by
// the line.
void TestRelayd::refusesToStart()
{
    QFETCH(QStringList, arguments);
    QFETCH(QStringList, variables);
    QFETCH(int, status);
    QFETCH(QString, message);
    const Run result = run(arguments, variables);
    QVERIFY2(result.err.contains(message), qPrintable(result.err));
    QCOMPARE(result.status, status);
    QCOMPARE(result.err.count(QLatin1Char('\n')), 1);
    QCOMPARE(result.out, QString());
}

void TestRelayd::saysWhichPortIsInUse_data()
{
    QTest::addColumn<QString>("taken");
    QTest::addColumn<QString>("other");
    QTest::newRow("clients") << QStringLiteral("SERVER_PORT") << QStringLiteral("METRICS_PORT");
    QTest::newRow("metrics") << QStringLiteral("METRICS_PORT") << QStringLiteral("SERVER_PORT");
}

// The commonest reason of all is told with the port, so that its owner can be found.
void TestRelayd::saysWhichPortIsInUse()
{
    QFETCH(QString, taken);
    QFETCH(QString, other);
    QTcpServer occupant;
    QVERIFY(occupant.listen(QHostAddress::LocalHost, 0));
    const QString port = QString::number(occupant.serverPort());
    const Run result = run({}, {QStringLiteral("RELAY_%1=%2").arg(taken, port),
                                QStringLiteral("RELAY_%1=0").arg(other)});
    QCOMPARE(result.status, 1);
    QVERIFY2(result.err.contains(QStringLiteral("cannot start: ")), qPrintable(result.err));
    QVERIFY2(result.err.contains(port), qPrintable(result.err));
    QCOMPARE(result.err.count(QLatin1Char('\n')), 1);
}

// All mistakes of a file are on standard error, each with its line.
void TestRelayd::listsEveryProblem()
{
    const QTemporaryDir directory;
    QFile file(directory.filePath(QStringLiteral("relay.yaml")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("server:\n  port: 99999\n  adress: 127.0.0.1\n");
    file.close();
    const Run result = run({QStringLiteral("--config-file"), file.fileName()});
    QCOMPARE(result.status, 2);
    QCOMPARE(result.err,
             QStringLiteral("%1:2: server.port: 99999 is not a port (0 to 65535)\n"
                            "%1:3: server.adress: unknown key: did you mean server.address?\n")
                 .arg(file.fileName()));
}

// Neither the terminal's history nor a bug report with --print-config gives the token away.
void TestRelayd::printsNoSecret()
{
    const Run printed = run({QStringLiteral("--print-config")},
                            {QStringLiteral("RELAY_OPS_TOKEN=0123456789abcdef")});
    QCOMPARE(printed.status, 0);
    QVERIFY(printed.out.contains(QStringLiteral("token: \"(hidden)\"")));
    QVERIFY(!printed.out.contains(QStringLiteral("0123456789abcdef")));
}

// The unit of the service names a file that may not be there yet.
void TestRelayd::startsWithoutAFileThatNeedNotExist()
{
    const QTemporaryDir directory;
    const QString file = directory.filePath(QStringLiteral("relay.yaml"));
    const QStringList arguments{QStringLiteral("--check"),
                                QStringLiteral("--config-file-if-exists"), file};
    const Run checked = run(arguments);
    QCOMPARE(checked.status, 0);
    QCOMPARE(checked.err, file + QStringLiteral(" does not exist: the defaults apply\n"));
    QFile written(file);
    QVERIFY(written.open(QIODevice::WriteOnly));
    written.write("server: {port: 99999}\n");
    written.close();
    QCOMPARE(run(arguments).status, 2);
}

// What is asked for goes to standard output, with status 0, so that it can be redirected.
void TestRelayd::printsWhatWasAskedFor()
{
    QFile sample(QStringLiteral(RELAY_SOURCE_DIRECTORY "/relay.yaml"));
    QVERIFY(sample.open(QIODevice::ReadOnly));
    const Run printed =
        run({QStringLiteral("--print-config"), QStringLiteral("-c"), sample.fileName()});
    QCOMPARE(printed.status, 0);
    QCOMPARE(printed.out, QString::fromUtf8(sample.readAll()));

    const Run checked = run({QStringLiteral("--check"), QStringLiteral("-c"), sample.fileName()});
    QCOMPARE(checked.status, 0);
    QCOMPARE(checked.out, QStringLiteral("the configuration is good\n"));

    const Run help = run({QStringLiteral("--help")});
    QCOMPARE(help.status, 0);
    for (const char *word : {"--config-file", "--config-file-if-exists", "--check",
                             "--print-config", "--version", "Exit status"})
    {
        QVERIFY2(help.out.contains(QLatin1StringView(word)), word);
    }

    const Run version = run({QStringLiteral("--version")});
    QCOMPARE(version.status, 0);
    QVERIFY(QRegularExpression(QStringLiteral("\\Arelayd \\d+\\.\\d+\\.\\d+\n\\z"))
                .match(version.out)
                .hasMatch());
}

// The setting reaches the log from its first line on.
void TestRelayd::logsAsJson()
{
    RunningRelayd relayd({QStringLiteral("RELAY_LOGGING_FORMAT=json")});
    QVERIFY(relayd.log().startsWith(QLatin1Char('{')));
}

RELAY_TEST(TestRelayd)
#include "tst_relayd.moc"
