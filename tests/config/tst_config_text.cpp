#include "config/config_file.h"
#include "config/config_text.h"

#include <QFile>
#include <QTest>

using namespace std::chrono_literals;

namespace {

/// Compares a file of the source tree with what the schema says; writes it instead when
/// RELAY_TEST_UPDATE is set.
void compareWithSourceFile(const QString &name, const QString &expected)
{
    QFile file(QStringLiteral(RELAY_SOURCE_DIRECTORY "/") + name);
    if (qEnvironmentVariableIsSet("RELAY_TEST_UPDATE")) {
        QVERIFY2(file.open(QIODevice::WriteOnly), qPrintable(file.errorString()));
        file.write(expected.toUtf8());
        return;
    }
    QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(name + QStringLiteral(" is missing")));
    const QString hint = QStringLiteral("%1 is not what the schema says. Write it anew with:\n"
                                        "  RELAY_TEST_UPDATE=1 %2")
                             .arg(name, QCoreApplication::applicationFilePath());
    QVERIFY2(file.readAll() == expected.toUtf8(), qPrintable(hint));
}

/// Every field at a value that is not its default.
relay::Settings unusualSettings()
{
    relay::Settings settings;
    settings.hub.address = QStringLiteral("::1");
    settings.hub.port = 0;
    settings.hub.workers = 3;
    settings.hub.origins = {QStringLiteral("https://*.example.com"), QStringLiteral("null")};
    settings.hub.closeTimeout = 1500ms;
    settings.hub.echo = false;
    settings.hub.limits.connections = 12345;
    settings.hub.limits.messageSize = 1025;
    settings.hub.limits.requestHeadSize = 2000;
    settings.hub.limits.requestHeaderFields = 8;
    settings.hub.limits.handshakeTimeout = 90s;
    settings.hub.limits.queueSize = 3LL << 30;
    settings.hub.limits.inboxSize = 5LL << 30;
    settings.hub.keepalive.interval = 0ms;
    settings.hub.keepalive.timeout = 1h;
    settings.hub.slowClients.policy = relay::HubOptions::SlowClientPolicy::DropOldest;
    settings.hub.slowClients.grace = 1ms;
    settings.tls.enabled = true;
    settings.tls.certFile = QStringLiteral("C: \"quoted\" \\ #no comment\tand more.pem");
    settings.tls.keyFile = QStringLiteral("null");
    settings.metrics.enabled = false;
    settings.metrics.address = QStringLiteral("0.0.0.0");
    settings.metrics.port = 65535;
    settings.metrics.connections = 1;
    settings.metrics.requestTimeout = 100ms;
    settings.logging.level = relay::LogLevel::Error;
    settings.logging.format = relay::LogFormat::Json;
    settings.shutdownTimeout = 0ms;
    return settings;
}

} // namespace

class TestConfigText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sampleFileIsUpToDate();
    void referenceIsUpToDate();
    void sampleReadsAsDefaults();
    void printedConfigReadsAsTheSame();
};

// relay.yaml shows every key at its default: it cannot fall behind the program.
void TestConfigText::sampleFileIsUpToDate()
{
    compareWithSourceFile(QStringLiteral("relay.yaml"), relay::renderSampleConfig());
}

// Nor can the reference.
void TestConfigText::referenceIsUpToDate()
{
    compareWithSourceFile(QStringLiteral("docs/configuration.md"), relay::renderConfigReference());
}

// Starting with the sample is starting without a file.
void TestConfigText::sampleReadsAsDefaults()
{
    relay::SettingsDraft draft;
    relay::readConfigText(relay::renderSampleConfig().toUtf8(), QStringLiteral("sample"), draft);
    QCOMPARE(draft.problems(), QStringList());
    QCOMPARE(relay::renderConfig(draft.settings()), relay::renderSampleConfig());
}

// What --print-config prints can be saved and used: every field comes back as it was, compared one
// by one.
void TestConfigText::printedConfigReadsAsTheSame()
{
    const relay::Settings was = unusualSettings();
    relay::SettingsDraft draft;
    relay::readConfigText(relay::renderConfig(was).toUtf8(), QStringLiteral("printed"), draft);
    QCOMPARE(draft.problems(), QStringList());
    const relay::Settings &is = draft.settings();
    QCOMPARE(is.hub.address, was.hub.address);
    QCOMPARE(is.hub.port, was.hub.port);
    QCOMPARE(is.hub.workers, was.hub.workers);
    QCOMPARE(is.hub.origins, was.hub.origins);
    QCOMPARE(is.hub.closeTimeout, was.hub.closeTimeout);
    QCOMPARE(is.hub.echo, was.hub.echo);
    QCOMPARE(is.hub.limits.connections, was.hub.limits.connections);
    QCOMPARE(is.hub.limits.messageSize, was.hub.limits.messageSize);
    QCOMPARE(is.hub.limits.requestHeadSize, was.hub.limits.requestHeadSize);
    QCOMPARE(is.hub.limits.requestHeaderFields, was.hub.limits.requestHeaderFields);
    QCOMPARE(is.hub.limits.handshakeTimeout, was.hub.limits.handshakeTimeout);
    QCOMPARE(is.hub.limits.queueSize, was.hub.limits.queueSize);
    QCOMPARE(is.hub.limits.inboxSize, was.hub.limits.inboxSize);
    QCOMPARE(is.hub.keepalive.interval, was.hub.keepalive.interval);
    QCOMPARE(is.hub.keepalive.timeout, was.hub.keepalive.timeout);
    QCOMPARE(is.hub.slowClients.policy, was.hub.slowClients.policy);
    QCOMPARE(is.hub.slowClients.grace, was.hub.slowClients.grace);
    QCOMPARE(is.tls.enabled, was.tls.enabled);
    QCOMPARE(is.tls.certFile, was.tls.certFile);
    QCOMPARE(is.tls.keyFile, was.tls.keyFile);
    QCOMPARE(is.metrics.enabled, was.metrics.enabled);
    QCOMPARE(is.metrics.address, was.metrics.address);
    QCOMPARE(is.metrics.port, was.metrics.port);
    QCOMPARE(is.metrics.connections, was.metrics.connections);
    QCOMPARE(is.metrics.requestTimeout, was.metrics.requestTimeout);
    QCOMPARE(is.logging.level, was.logging.level);
    QCOMPARE(is.logging.format, was.logging.format);
    QCOMPARE(is.shutdownTimeout, was.shutdownTimeout);
}

QTEST_GUILESS_MAIN(TestConfigText)
#include "tst_config_text.moc"
