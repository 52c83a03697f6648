#include "config/load_settings.h"
#include "config/schema.h"

#include "read_text.h"
#include "support/test_main.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace std::chrono_literals;

namespace {

QProcessEnvironment
environment(std::initializer_list<std::pair<const char *, const char *>> variables)
{
    QProcessEnvironment result;
    for (const auto &[name, value] : variables) {
        result.insert(QString::fromLatin1(name), QString::fromUtf8(value));
    }
    return result;
}

/// Loads with a file of this text.
relay::LoadedSettings load(const QByteArray &text, const QProcessEnvironment &variables)
{
    const QTemporaryDir directory;
    QFile file(directory.filePath(QStringLiteral("relay.yaml")));
    if (!file.open(QIODevice::WriteOnly)) {
        qFatal("no temporary file");
    }
    file.write(text);
    file.close();
    return relay::loadSettings(file.fileName(), variables);
}

} // namespace

class TestLoadSettings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void withoutAnythingThereAreTheDefaults();
    void environmentOverridesTheFile();
    void readsVariables_data();
    void readsVariables();
    void refusesVariables_data();
    void refusesVariables();
    void emptyVariablesOpenNoDoor();
    void emptyInTheFileMeansNone();
    void missingFileMayMeanTheDefaults();
    void unreadableFileNeverMeansTheDefaults_data();
    void unreadableFileNeverMeansTheDefaults();
    void rulesHoldOverFileAndEnvironment();
    void environmentMayMendTheFile();
    void unknownVariablesAreWarnedOf();
    void rulesOfChannelsHaveNoVariable();
    void rulesFollowTheEchoInEffect();
    void rulesHistoriesFitTheBudgetInEffect();
    void foreignVariablesAreIgnored();
    void fileAndEnvironmentProblemsAreListedTogether();
};

// A relay needs no file.
void TestLoadSettings::withoutAnythingThereAreTheDefaults()
{
    const relay::LoadedSettings loaded = relay::loadSettings(std::nullopt, QProcessEnvironment());
    QVERIFY(loaded.isUsable());
    QCOMPARE(loaded.warnings, QStringList());
    QCOMPARE(loaded.settings.hub.port, quint16{8443});
    QCOMPARE(loaded.settings.hub.address, QStringLiteral("127.0.0.1"));
}

// The order is defaults, file, environment.
void TestLoadSettings::environmentOverridesTheFile()
{
    const relay::LoadedSettings loaded =
        load("server: {port: 1000, workers: 2}\n", environment({{"RELAY_SERVER_PORT", "2000"}}));
    QCOMPARE(loaded.problems, QStringList());
    QCOMPARE(loaded.settings.hub.port, quint16{2000});
    QCOMPARE(loaded.settings.hub.workers, 2);
}

using Check = bool (*)(const relay::Settings &);
void TestLoadSettings::readsVariables_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("value");
    QTest::addColumn<Check>("check");
    const auto row = [](const char *title, const char *name, const char *value, Check check) {
        QTest::newRow(title) << QString::fromLatin1(name) << QString::fromUtf8(value) << check;
    };
    row("boolean", "RELAY_HUB_ECHO", "false", [](const relay::Settings &s) { return !s.hub.echo; });
    row("size", "RELAY_LIMITS_MESSAGE_SIZE", "64 KiB",
        [](const relay::Settings &s) { return s.hub.limits.messageSize == 65536; });
    row("duration", "RELAY_KEEPALIVE_INTERVAL", "45",
        [](const relay::Settings &s) { return s.hub.keepalive.interval == 45s; });
    row("choice", "RELAY_LOGGING_FORMAT", "json",
        [](const relay::Settings &s) { return s.logging.format == relay::LogFormat::Json; });
    row("text in a subsection", "RELAY_SERVER_TLS_CERT_FILE", "/etc/relay/a b.pem",
        [](const relay::Settings &s) {
            return s.tls.certFile == QStringLiteral("/etc/relay/a b.pem");
        });
    row("list of one", "RELAY_SERVER_ORIGINS", "https://a.example", [](const relay::Settings &s) {
        return s.hub.origins == QStringList{QStringLiteral("https://a.example")};
    });
    row("list", "RELAY_SERVER_ORIGINS", "https://a.example, https://*.b.example",
        [](const relay::Settings &s) {
            return s.hub.origins.size() == 2
                   && s.hub.origins[1] == QStringLiteral("https://*.b.example");
        });
    row("empty list", "RELAY_SERVER_ORIGINS", "",
        [](const relay::Settings &s) { return s.hub.origins.isEmpty(); });
}

// Every type has its form in the environment.
void TestLoadSettings::readsVariables()
{
    QFETCH(QString, name);
    QFETCH(QString, value);
    QFETCH(Check, check);
    QProcessEnvironment variables;
    variables.insert(name, value);
    const relay::LoadedSettings loaded = relay::loadSettings(std::nullopt, variables);
    QCOMPARE(loaded.problems, QStringList());
    QVERIFY(check(loaded.settings));
}

void TestLoadSettings::refusesVariables_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("problem");
    const auto row = [](const char *title, const char *name, const char *value,
                        const char *problem) {
        QTest::newRow(title) << QString::fromLatin1(name) << QString::fromUtf8(value)
                             << QString::fromUtf8(problem);
    };
    row("out of bounds", "RELAY_SERVER_PORT", "99999",
        "environment RELAY_SERVER_PORT: server.port: 99999 is not a port (0 to 65535)");
    // What a container platform sets for a service that is called "relay-server".
    row("a link", "RELAY_SERVER_PORT", "tcp://10.0.0.1:8443",
        "environment RELAY_SERVER_PORT: server.port: tcp://10.0.0.1:8443 is not a port (0 to "
        "65535)");
    row("empty number", "RELAY_SERVER_PORT", "",
        "environment RELAY_SERVER_PORT: server.port: \"\" is not a port (0 to 65535)");
    row("boolean", "RELAY_HUB_ECHO", "on",
        "environment RELAY_HUB_ECHO: hub.echo: on is neither true nor false");
    row("origin", "RELAY_SERVER_ORIGINS", "https://a.example,b.example",
        "environment RELAY_SERVER_ORIGINS: server.origins: b.example is not an origin");
    row("control characters", "RELAY_LOGGING_LEVEL", "\x1b[2J",
        "environment RELAY_LOGGING_LEVEL: logging.level: \"\\x1b[2J\" is not one of");
}

// A bad variable is told by its name and its key.
void TestLoadSettings::refusesVariables()
{
    QFETCH(QString, name);
    QFETCH(QString, value);
    QFETCH(QString, problem);
    QProcessEnvironment variables;
    variables.insert(name, value);
    const relay::LoadedSettings loaded = relay::loadSettings(std::nullopt, variables);
    QCOMPARE(loaded.problems.size(), 1);
    QVERIFY(!loaded.isUsable());
    QVERIFY2(loaded.problems.first().startsWith(problem), qPrintable(loaded.problems.first()));
}

// A secret that was not passed on (`RELAY_OPS_TOKEN: ${TOKEN}` without TOKEN) must not remove a protection without a word:
// neither the token itself nor any file that holds a secret, nor what the configuration file says of it.
void TestLoadSettings::emptyVariablesOpenNoDoor()
{
    int settings = 0;
    for (const auto &setting : relay::settingsSchema().settings) {
        if (!setting.isSecret && !setting.key.endsWith(QStringLiteral("_file"))) {
            continue;
        }
        ++settings;
        const QString name = relay::environmentName(setting);
        for (const char *value : {"", " ", "\t\n"}) {
            QProcessEnvironment variables;
            variables.insert(name, QString::fromLatin1(value));
            const relay::LoadedSettings loaded =
                load("ops: {token: 0123456789abcdef}\n", variables);
            QCOMPARE(loaded.problems,
                     QStringList({QStringLiteral("environment %1: %2: the variable is set but "
                                                 "empty: give it a value, or unset it")
                                      .arg(name, setting.key)}));
        }
    }
    QVERIFY(settings >= 4); // token, token file, certificate, key
}

// In the file, empty is how the sample says "none".
void TestLoadSettings::emptyInTheFileMeansNone()
{
    const relay::LoadedSettings loaded =
        load("ops: {token: \"\", token_file: \"\"}\n", QProcessEnvironment());
    QCOMPARE(loaded.problems, QStringList());
    QVERIFY(loaded.settings.ops.token.isEmpty());
}

// The service unit starts with the defaults until somebody writes a file.
void TestLoadSettings::missingFileMayMeanTheDefaults()
{
    const QTemporaryDir directory;
    for (const char *name : {"relay.yaml", "absent/relay.yaml"}) {
        const QString path = directory.filePath(QString::fromLatin1(name));
        const relay::LoadedSettings loaded =
            relay::loadSettings(path, QProcessEnvironment(), relay::ConfigFile::IfItExists);
        QCOMPARE(loaded.problems, QStringList());
        QVERIFY(loaded.isFileMissing);
        QVERIFY(!relay::loadSettings(path, QProcessEnvironment()).isUsable());
    }
    QFile file(directory.filePath(QStringLiteral("there.yaml")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("server: {port: 9000}\n");
    file.close();
    const relay::LoadedSettings loaded =
        relay::loadSettings(file.fileName(), QProcessEnvironment(), relay::ConfigFile::IfItExists);
    QVERIFY(!loaded.isFileMissing);
    QCOMPARE(loaded.settings.hub.port, quint16{9000});
}

void TestLoadSettings::unreadableFileNeverMeansTheDefaults_data()
{
    QTest::addColumn<bool>("isLink");
    QTest::newRow("link to nowhere") << true;
    QTest::newRow("directory") << false;
}

// Somebody has put something there: the defaults are not what they wanted.
void TestLoadSettings::unreadableFileNeverMeansTheDefaults()
{
    QFETCH(bool, isLink);
    const QTemporaryDir directory;
    const QString path = directory.filePath(QStringLiteral("relay.yaml"));
    QVERIFY(isLink ? QFile::link(directory.filePath(QStringLiteral("absent")), path)
                   : QDir().mkdir(path));
    QVERIFY(!relay::loadSettings(path, QProcessEnvironment(), relay::ConfigFile::IfItExists)
                 .isUsable());
}

// A rule that file and environment break together is told where the reason stands.
void TestLoadSettings::rulesHoldOverFileAndEnvironment()
{
    const relay::LoadedSettings loaded = load("limits:\n  message_size: 2 MiB\n",
                                              environment({{"RELAY_LIMITS_QUEUE_SIZE", "1 MiB"}}));
    QCOMPARE(loaded.problems.size(), 1);
    QVERIFY(loaded.problems.first().startsWith(
        QStringLiteral("environment RELAY_LIMITS_QUEUE_SIZE: limits.queue_size: 1 MiB cannot")));
}

// Rules are about what is in effect, not about what the file alone would be.
void TestLoadSettings::environmentMayMendTheFile()
{
    const relay::LoadedSettings loaded = load("limits: {message_size: 8 MiB}\n",
                                              environment({{"RELAY_LIMITS_QUEUE_SIZE", "16 MiB"}}));
    QCOMPARE(loaded.problems, QStringList());
}

// A misspelt variable is told, but container platforms' variables do not keep the relay from
// starting.
void TestLoadSettings::unknownVariablesAreWarnedOf()
{
    const relay::LoadedSettings loaded =
        relay::loadSettings(std::nullopt, environment({{"RELAY_SERVER_PROT", "1"}}));
    QVERIFY(loaded.isUsable());
    QCOMPARE(loaded.warnings,
             QStringList({QStringLiteral("environment RELAY_SERVER_PROT: there is no such setting, "
                                         "ignored: did you mean RELAY_SERVER_PORT?")}));
}

// Only a file holds rules of channels: a variable changes none, and is told.
void TestLoadSettings::rulesOfChannelsHaveNoVariable()
{
    const relay::LoadedSettings loaded =
        load("channels: [{match: a}]\n",
             environment({{"RELAY_CHANNELS", "[]"}, {"RELAY_CHANNELS_0_MATCH", "b"}}));
    QVERIFY(loaded.isUsable());
    QCOMPARE(loaded.warnings.size(), 2);
    QCOMPARE(loaded.settings.hub.channels.size(), 1);
    QCOMPARE(loaded.settings.hub.channels.first().match.bytes(), QByteArray("a"));
}

// The default of a rule's echo is hub.echo, also when the environment sets that.
void TestLoadSettings::rulesFollowTheEchoInEffect()
{
    const relay::LoadedSettings loaded =
        load("hub: {echo: true}\nchannels: [{match: a}, {match: b, echo: true}]\n",
             environment({{"RELAY_HUB_ECHO", "false"}}));
    QCOMPARE(loaded.problems, QStringList());
    QVERIFY(!loaded.settings.hub.channels[0].options.echo);
    QVERIFY(loaded.settings.hub.channels[1].options.echo);
}

// A rule's history is held against the budget in effect, and told where the rule stands.
void TestLoadSettings::rulesHistoriesFitTheBudgetInEffect()
{
    const QByteArray file("channels:\n  - match: a\n    history: {size: 65 MiB}\n");
    const relay::LoadedSettings small = load("history: {total_size: 100 MiB}\n" + file,
                                             environment({{"RELAY_HISTORY_TOTAL_SIZE", "64 MiB"}}));
    QCOMPARE(small.problems.size(), 1);
    QVERIFY(small.problems.first().contains(QStringLiteral("relay.yaml:4: channels[0].history")));
    const relay::LoadedSettings large =
        load(file, environment({{"RELAY_HISTORY_TOTAL_SIZE", "65 MiB"}}));
    QCOMPARE(large.problems, QStringList());
}

// Names that are not the relay's are none of its business.
void TestLoadSettings::foreignVariablesAreIgnored()
{
    const relay::LoadedSettings loaded = relay::loadSettings(
        std::nullopt,
        environment({{"PATH", "/bin"}, {"relay_server_port", "1"}, {"SERVER_PORT", "2"}}));
    QVERIFY(loaded.isUsable());
    QCOMPARE(loaded.warnings, QStringList());
    QCOMPARE(loaded.settings.hub.port, quint16{8443});
}

// All mistakes are listed, wherever they were made.
void TestLoadSettings::fileAndEnvironmentProblemsAreListedTogether()
{
    const relay::LoadedSettings loaded =
        load("server: {port: x}\n", environment({{"RELAY_METRICS_PORT", "y"}}));
    QCOMPARE(loaded.problems.size(), 2);
    QVERIFY(loaded.problems[0].contains(QStringLiteral("relay.yaml:1: server.port")));
    QVERIFY(loaded.problems[1].contains(QStringLiteral("RELAY_METRICS_PORT")));
}

RELAY_TEST(TestLoadSettings)
#include "tst_load_settings.moc"
