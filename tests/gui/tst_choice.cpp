#include "gui/choice.h"
#include "gui/relay/remote_relay.h"
#include "support/test_main.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace relay;
using namespace relay::gui;

/// What relay-dashboard's command line means, and what comes of it.
class TestChoice : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isRead_data();
    void isRead();
    void mistakesAreNamed_data();
    void mistakesAreNamed();
    void helpListsEveryOptionAndNotQts();
    void versionIsTheLibrarys();

    void nothingChosenIsNoRelay();
    void remoteIsAtItsAddress_data();
    void remoteIsAtItsAddress();
    void addressesAreRefused_data();
    void addressesAreRefused();
    void tokenFileIsRead();
    void badTokenFileIsNamedAndNotQuoted_data();
    void badTokenFileIsNamedAndNotQuoted();
    void badConfigurationIsSaid_data();
    void badConfigurationIsSaid();

private:
    [[nodiscard]] QString write(const QString &name, const QByteArray &content) const;

    QTemporaryDir m_folder;
};

namespace {

Result<DashboardCommandLine> parse(const char *arguments)
{
    const QString line = QLatin1String("relay-dashboard ") + QString::fromUtf8(arguments);
    return parseDashboardCommandLine(line.split(QLatin1Char(' '), Qt::SkipEmptyParts));
}

Choice remote(const QString &url, const QString &tokenFile = {})
{
    return {Choice::Kind::Remote, url, tokenFile, {}};
}

/// What is wrong with the choice; empty: nothing.
QString problemOf(const Choice &choice)
{
    const auto source = makeSource(choice);
    return source ? QString() : source.error().message;
}

} // namespace

QString TestChoice::write(const QString &name, const QByteArray &content) const
{
    QFile file(m_folder.filePath(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size()) {
        qFatal("no temporary file");
    }
    return file.fileName();
}

void TestChoice::isRead_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("tokenFile");
    QTest::addColumn<QString>("configFile");
    using Kind = Choice::Kind;
    const auto row = [](const char *arguments, Kind kind, const char *url, const char *tokenFile,
                        const char *configFile) {
        QTest::newRow(arguments) << static_cast<int>(kind) << QString::fromLatin1(url)
                                 << QString::fromLatin1(tokenFile)
                                 << QString::fromLatin1(configFile);
    };
    row("", Kind::Ask, "", "", "");
    row("--url http://a:1", Kind::Remote, "http://a:1", "", "");
    row("--url=http://a:1", Kind::Remote, "http://a:1", "", "");
    row("-url http://a:1", Kind::Remote, "http://a:1", "", "");
    row("--url http://a:1 --token-file t", Kind::Remote, "http://a:1", "t", "");
    row("--token-file t --url http://a:1", Kind::Remote, "http://a:1", "t", "");
    row("--embed", Kind::Embedded, "", "", "");
    row("--embed relay.yaml", Kind::Embedded, "", "", "relay.yaml");
    row("relay.yaml --embed", Kind::Embedded, "", "", "relay.yaml");
    row("--embed -- -odd.yaml", Kind::Embedded, "", "", "-odd.yaml");
    // Qt's own options, with their values, are left to it.
    row("-platform offscreen", Kind::Ask, "", "", "");
    row("--platform offscreen -style fusion --url http://a:1", Kind::Remote, "http://a:1", "", "");
    row("--embed -geometry 800x600 relay.yaml -reverse", Kind::Embedded, "", "", "relay.yaml");
}

/// Promise: each option means the same wherever it stands.
void TestChoice::isRead()
{
    QFETCH(int, kind);
    QFETCH(QString, url);
    QFETCH(QString, tokenFile);
    QFETCH(QString, configFile);
    const auto read = parse(QTest::currentDataTag());
    QVERIFY2(read.hasValue(), read ? "" : qPrintable(read.error().message));
    const Choice &choice = read.value().choice;
    QCOMPARE(static_cast<int>(choice.kind), kind);
    QCOMPARE(choice.url, url);
    QCOMPARE(choice.tokenFile, tokenFile);
    QCOMPARE(choice.configFile, configFile);
    QCOMPARE(read.value().text, QString());
}

void TestChoice::mistakesAreNamed_data()
{
    QTest::addColumn<QString>("message");
    const auto row = [](const char *arguments, const char *message) {
        QTest::newRow(arguments) << QString::fromLatin1(message);
    };
    row("--prot 1", "Unknown option 'prot'");
    row("-x", "Unknown option 'x'");
    row("--url", "Missing value after '--url'");
    row("--url http://a:1 --token-file", "Missing value after '--token-file'");
    row("-platform", "Missing value after '-platform'");
    row("--url http://a:1 --embed", "--url and --embed cannot be used together");
    row("--embed --url http://a:1 relay.yaml", "--url and --embed cannot be used together");
    row("--embed --token-file t", "--token-file needs --url");
    row("--token-file t", "--token-file needs --url");
    row("relay.yaml", "unexpected argument 'relay.yaml'");
    row("--url http://a:1 relay.yaml", "unexpected argument 'relay.yaml'");
    row("--embed a.yaml b.yaml", "unexpected argument 'b.yaml'");
    row("--embed=yes", "Unexpected value after '--embed'");
    row("--url http://a:1 --url http://b:1", "--url is given 2 times, and may be given once");
    row("--url http://a:1 --token-file a --token-file b",
        "--token-file is given 2 times, and may be given once");
}

/// Promise: a slip of the fingers is told in one line, and nothing is guessed.
void TestChoice::mistakesAreNamed()
{
    QFETCH(QString, message);
    const auto read = parse(QTest::currentDataTag());
    QVERIFY(!read.hasValue());
    QCOMPARE(read.error().message,
             message + QLatin1String(" (relay-dashboard --help lists the options)"));
}

/// Promise: --help says all that the program itself takes.
void TestChoice::helpListsEveryOptionAndNotQts()
{
    for (const char *arguments : {"--help", "-h", "--url http://a:1 --help", "--help --version"}) {
        const auto read = parse(arguments);
        QVERIFY(read.hasValue());
        const QString text = read.value().text;
        for (const char *part :
             {"--url <url>", "--token-file <file>", "--embed", "--help", "--version", "relay.yaml"})
        {
            QVERIFY2(text.contains(QLatin1String(part)), part);
        }
        QVERIFY(!text.contains(QLatin1String("widgetcount")));
        QVERIFY(text.endsWith(QLatin1Char('\n')));
    }
}

/// Promise: one line with name and version, for scripts and reports.
void TestChoice::versionIsTheLibrarys()
{
    for (const char *arguments : {"--version", "-v"}) {
        const auto read = parse(arguments);
        QVERIFY(read.hasValue());
        QCOMPARE(read.value().text.count(QLatin1Char('\n')), 1);
        QVERIFY(read.value().text.startsWith(QLatin1String("relay-dashboard ")));
    }
}

/// Promise: who chose nothing is asked, not connected somewhere.
void TestChoice::nothingChosenIsNoRelay()
{
    const auto source = makeSource(Choice());
    QVERIFY(source.hasValue());
    QVERIFY(source.value() == nullptr);
}

void TestChoice::remoteIsAtItsAddress_data()
{
    QTest::addColumn<QString>("title");
    const auto row = [](const char *url, const char *title) {
        QTest::newRow(url) << QString::fromLatin1(title);
    };
    row("http://127.0.0.1:9464", "http://127.0.0.1:9464");
    row("http://127.0.0.1:9464/", "http://127.0.0.1:9464");
    row("https://relay.example", "https://relay.example");
    row("http://[::1]:9464", "http://[::1]:9464");
    row("127.0.0.1:9464", "http://127.0.0.1:9464"); // as people type it
    row("localhost:9464", "http://localhost:9464");
    row("relay.example:9464", "http://relay.example:9464");
}

/// Promise: an address is taken as people write it.
void TestChoice::remoteIsAtItsAddress()
{
    QFETCH(QString, title);
    const auto source = makeSource(remote(QString::fromLatin1(QTest::currentDataTag())));
    QVERIFY2(source.hasValue(), source ? "" : qPrintable(source.error().message));
    QCOMPARE(source.value()->title(), title);
}

void TestChoice::addressesAreRefused_data()
{
    QTest::addColumn<QString>("url");
    const auto row = [](const char *name, const char *url) {
        QTest::newRow(name) << QString::fromLatin1(url);
    };
    row("nothing", "");
    row("a path", "/-/api");
    row("a relative path", "./relay.sock");
    row("another protocol", "ftp://127.0.0.1");
    row("the clients' port", "ws://127.0.0.1:8443");
    row("no host", "http://");
    row("no port", "http://127.0.0.1:99999");
    row("a file", "file:///etc/hosts");
    row("words", "two words");
}

/// Promise: what is no address of a relay is told at once, with an example; not tried for ever.
void TestChoice::addressesAreRefused()
{
    QFETCH(QString, url);
    const QString problem = problemOf(remote(url));
    QVERIFY2(problem.contains(QLatin1String("http://127.0.0.1:9464")), qPrintable(problem));
    QVERIFY(problem.contains(url));
}

/// Promise: a file with a token, as `openssl rand -hex 16 > file` makes it, is taken.
void TestChoice::tokenFileIsRead()
{
    const QString file = write(QStringLiteral("token"), "f3a9c0d1e2b4a5968778695a4b3c2d1e\n");
    QCOMPARE(problemOf(remote(QStringLiteral("http://127.0.0.1:9464"), file)), QString());
}

void TestChoice::badTokenFileIsNamedAndNotQuoted_data()
{
    QTest::addColumn<QString>("file");
    QTest::newRow("missing") << m_folder.filePath(QStringLiteral("absent"));
    QTest::newRow("a folder") << m_folder.path();
    QTest::newRow("empty") << write(QStringLiteral("empty"), "");
    QTest::newRow("white space") << write(QStringLiteral("white"), " \n\n");
    QTest::newRow("too short") << write(QStringLiteral("short"), "hunter2\n");
    QTest::newRow("two lines") << write(QStringLiteral("lines"),
                                        "hunter2hunter2hunter2\nhunter2hunter2hunter2\n");
}

/// Promise: which file is wrong is said, what stands in it never: the line may end in a log.
void TestChoice::badTokenFileIsNamedAndNotQuoted()
{
    QFETCH(QString, file);
    const QString problem = problemOf(remote(QStringLiteral("http://127.0.0.1:9464"), file));
    QVERIFY2(problem.contains(file), qPrintable(problem));
    QVERIFY2(!problem.contains(QLatin1String("hunter2")), qPrintable(problem));
}

void TestChoice::badConfigurationIsSaid_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("problem");
    const QString absent = m_folder.filePath(QStringLiteral("absent.yaml"));
    QTest::newRow("missing") << absent << absent + QStringLiteral(": there is no such file");
    QString file = write(QStringLiteral("no.yaml"), "server: [\n");
    QTest::newRow("no YAML") << file << file;
    file = write(QStringLiteral("wrong.yaml"), "server:\n  port: 99999\n  adress: x\n");
    QTest::newRow("two mistakes")
        << file
        << file + QStringLiteral(":2: server.port: 99999 is not a port (0 to 65535)\n") + file
               + QStringLiteral(":3: server.adress: unknown key: did you mean server.address?");
    file = write(QStringLiteral("away.yaml"), "server:\n  address: 192.0.2.1\n");
    QTest::newRow("address of another machine") << file << QStringLiteral("192.0.2.1");
    file = write(QStringLiteral("tls.yaml"),
                 "server:\n  port: 0\n  tls:\n    enabled: true\n    cert_file: absent.pem\n"
                 "    key_file: absent.pem\n");
    QTest::newRow("missing certificate") << file << QStringLiteral("absent.pem");
}

/// Promise: a relay that cannot be run here is told with all its mistakes and their lines.
void TestChoice::badConfigurationIsSaid()
{
    QFETCH(QString, file);
    QFETCH(QString, problem);
    const QString said = problemOf({Choice::Kind::Embedded, {}, {}, file});
    QVERIFY2(said.contains(problem), qPrintable(said));
}

RELAY_TEST(TestChoice)
#include "tst_choice.moc"
