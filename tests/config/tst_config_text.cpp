#include "config/config_text.h"
#include "config/schema.h"

#include "read_text.h"
#include "support/test_main.h"

#include <QFile>
#include <QRegularExpression>
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

relay::ChannelPattern pattern(const char *text)
{
    return relay::ChannelPattern::fromText(text).value();
}

/// One with every field at a value that is not its default, and some whose names need care in YAML.
QList<relay::ChannelRule> unusualRules()
{
    relay::ChannelRule rule{pattern("chat/*/\xC3\xBC \"quoted\" \\ #no: {comment}/**"), {}};
    rule.options.echo = false;
    rule.options.publish = false;
    rule.options.subscribe = false;
    rule.options.maxClients = 7;
    rule.options.history.messages = 0;
    rule.options.history.size = 1025;
    rule.options.history.age = 1500ms;
    QList<relay::ChannelRule> rules{rule};
    for (const char *name : {"/", "null", "~", "true", "0x10", "- a", "a: b", " a ", "\xEF\xBB\xBF",
                             "\xE2\x80\xA8", "\xF0\x9F\x98\x80", "*", "**"})
    {
        rules.append({pattern(name), relay::ChannelOptions()});
    }
    return rules;
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
    settings.hub.channels = unusualRules();
    settings.hub.history.totalSize = (3LL << 20) + 1;
    settings.hub.http.bodyTimeout = 1s;
    settings.hub.http.idleTimeout = 24h;
    settings.hub.http.batchSize = 1024;
    settings.hub.http.idempotencyAge = 1001ms;
    settings.hub.http.idempotencyKeys = 0;
    settings.hub.eventSource.heartbeat = 0ms;
    settings.hub.eventSource.retry = 100ms;
    settings.hub.limits.connections = 12345;
    settings.hub.limits.messageSize = 1025;
    settings.hub.limits.controlFrames = 17;
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
    settings.metrics.limits.maxConnections = 1;
    settings.metrics.limits.requestTimeout = 100ms;
    settings.logging.level = relay::LogLevel::Error;
    settings.logging.format = relay::LogFormat::Json;
    settings.logging.rate = 7;
    settings.metrics.readWithoutToken = true;
    settings.shutdownTimeout = 0ms;
    return settings;
}

} // namespace

using relay::test::read;

class TestConfigText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sampleFileIsUpToDate();
    void referenceIsUpToDate();
    void sampleReadsAsDefaults();
    void printedConfigReadsAsTheSame();
    void printedInheritedEchoIsTheOneInEffect();
    void theMostRulesCanBePrintedAndRead();
    void sampleShowsTheDefaultRule();
    void secretsAreNeverShown();
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
    const relay::SettingsDraft draft = read(relay::renderSampleConfig().toUtf8());
    QCOMPARE(draft.problems().join(QLatin1Char(0x0a)), QString());
    QCOMPARE(relay::renderConfig(draft.settings()), relay::renderSampleConfig());
}

// What --print-config prints can be saved and used: every field comes back as it was, compared one
// by one.
void TestConfigText::printedConfigReadsAsTheSame()
{
    const relay::Settings was = unusualSettings();
    const relay::SettingsDraft draft = read(relay::renderConfig(was).toUtf8());
    QCOMPARE(draft.problems().join(QLatin1Char(0x0a)), QString());
    const relay::Settings &is = draft.settings();
    QCOMPARE(is.hub.address, was.hub.address);
    QCOMPARE(is.hub.port, was.hub.port);
    QCOMPARE(is.hub.workers, was.hub.workers);
    QCOMPARE(is.hub.origins, was.hub.origins);
    QCOMPARE(is.hub.closeTimeout, was.hub.closeTimeout);
    QCOMPARE(is.hub.echo, was.hub.echo);
    QCOMPARE(is.hub.channels, was.hub.channels);
    QCOMPARE(is.hub.history.totalSize, was.hub.history.totalSize);
    QCOMPARE(is.hub.http.bodyTimeout, was.hub.http.bodyTimeout);
    QCOMPARE(is.hub.http.idleTimeout, was.hub.http.idleTimeout);
    QCOMPARE(is.hub.http.batchSize, was.hub.http.batchSize);
    QCOMPARE(is.hub.http.idempotencyAge, was.hub.http.idempotencyAge);
    QCOMPARE(is.hub.http.idempotencyKeys, was.hub.http.idempotencyKeys);
    QCOMPARE(is.hub.eventSource.heartbeat, was.hub.eventSource.heartbeat);
    QCOMPARE(is.hub.eventSource.retry, was.hub.eventSource.retry);
    QCOMPARE(is.hub.limits.connections, was.hub.limits.connections);
    QCOMPARE(is.hub.limits.messageSize, was.hub.limits.messageSize);
    QCOMPARE(is.hub.limits.controlFrames, was.hub.limits.controlFrames);
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
    QCOMPARE(is.metrics.limits.maxConnections, was.metrics.limits.maxConnections);
    QCOMPARE(is.metrics.limits.requestTimeout, was.metrics.limits.requestTimeout);
    QCOMPARE(is.logging.level, was.logging.level);
    QCOMPARE(is.metrics.readWithoutToken, was.metrics.readWithoutToken);
    QCOMPARE(is.logging.format, was.logging.format);
    QCOMPARE(is.logging.rate, was.logging.rate);
    QCOMPARE(is.shutdownTimeout, was.shutdownTimeout);
}

// A rule that leaves out echo follows hub.echo, and what is printed says so: it holds also when
// hub.echo is changed after that.
void TestConfigText::printedInheritedEchoIsTheOneInEffect()
{
    const relay::SettingsDraft draft =
        read(QStringLiteral("channels: [{match: a}, {match: b, echo: "
                            "true}]\nhub: {echo: false}\n")
                 .toUtf8());
    QCOMPARE(draft.problems().join(QLatin1Char(0x0a)), QString());
    const QString text = relay::renderConfig(draft.settings());
    QVERIFY(text.contains(QStringLiteral("\n  - match: a\n    echo: false\n")));
    QVERIFY(text.contains(QStringLiteral("\n  - match: b\n    echo: true\n")));
}

// As many rules as are allowed, all keys written out, are a file that is not too long.
void TestConfigText::theMostRulesCanBePrintedAndRead()
{
    relay::Settings was;
    const QByteArray padding(relay::ChannelName::kMaxBytes - 6, 'x');
    for (qsizetype i = 0; i < relay::kMaxChannelRules; ++i) {
        const QByteArray name = QByteArray::number(i).rightJustified(4, '0') + padding + "/*";
        was.hub.channels.append({pattern(name.constData()), relay::ChannelOptions()});
    }
    const QString text = relay::renderConfig(was);
    QVERIFY(text.toUtf8().size() <= relay::kMaxConfigFileSize);
    const relay::SettingsDraft draft = read(text.toUtf8());
    QCOMPARE(draft.problems().join(QLatin1Char(0x0a)), QString());
    QVERIFY(draft.settings().hub.channels == was.hub.channels);
}

// What people print, send to others and see in the dashboard holds no secret, whichever setting it is in; and cannot be
// used as if it were one.
void TestConfigText::secretsAreNeverShown()
{
    int secrets = 0;
    for (const auto &setting : relay::settingsSchema().settings) {
        if (!setting.isSecret) {
            continue;
        }
        ++secrets;
        relay::Settings settings;
        QCOMPARE(relay::renderShownConfig(settings),
                 relay::renderSampleConfig()); // none: nothing to hide
        setting.write(settings, relay::SettingValue{QStringLiteral("0123456789abcdef")});
        const QString shown = relay::renderShownConfig(settings);
        QVERIFY(!shown.contains(QStringLiteral("0123456789abcdef")));
        QVERIFY(shown.contains(QStringLiteral("(hidden)")));
        QVERIFY(!read(shown.toUtf8()).problems().isEmpty());
    }
    QVERIFY(secrets >= 1);
}

// The example in the sample is a rule: without its comment signs it reads as the defaults.
void TestConfigText::sampleShowsTheDefaultRule()
{
    QString text = relay::renderSampleConfig();
    text.replace(QRegularExpression(QStringLiteral("^  # (- match:|  [a-z_]+: [{a-z0-9])"),
                                    QRegularExpression::MultilineOption),
                 QStringLiteral("  \\1"));
    const relay::SettingsDraft draft = read(text.toUtf8());
    QCOMPARE(draft.problems().join(QLatin1Char(0x0a)), QString());
    QCOMPARE(draft.settings().hub.channels.size(), 1);
    QCOMPARE(draft.settings().hub.channels.first(), relay::channelRuleSchema().defaults);
}

RELAY_TEST(TestConfigText)
#include "tst_config_text.moc"
