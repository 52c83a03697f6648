#include "config/schema.h"
#include "config/setting_value.h"

#include "support/test_main.h"

#include <QRegularExpression>
#include <QSet>
#include <QTest>

using relay::Setting;

namespace {

/// The section that a setting or section stands in; empty at the top.
QString parentOf(const QString &key)
{
    return key.section(QLatin1Char('.'), 0, -2);
}

/// A value of the setting that is not this one.
relay::SettingValue otherThan(const Setting &setting, const relay::SettingValue &value)
{
    switch (setting.type) {
    case relay::ValueType::Boolean:
        return !std::get<bool>(value);
    case relay::ValueType::Text:
        return QStringLiteral("10.1.2.3");
    case relay::ValueType::TextList:
        return QStringList{QStringLiteral("https://a.example"), QStringLiteral("*")};
    case relay::ValueType::Pattern:
        return relay::ChannelPattern::fromText("chat/*").value();
    case relay::ValueType::Choice:
        return setting.choices.first() == std::get<QString>(value) ? setting.choices.last()
                                                                   : setting.choices.first();
    default:
        return std::get<qint64>(value) == setting.maximum ? setting.minimum : setting.maximum;
    }
}

} // namespace

class TestSchema : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void defaultsAreTheDocumentedOnes_data();
    void defaultsAreTheDocumentedOnes();
    void ruleDefaultsAreTheDocumentedOnes_data();
    void ruleDefaultsAreTheDocumentedOnes();
    void defaultsTablesAreComplete();
    void everyRowIsComplete_data();
    void everyRowIsComplete();
    void everyRuleRowIsComplete_data();
    void everyRuleRowIsComplete();
    void everyRowReadsWhatItWrote_data();
    void everyRowReadsWhatItWrote();
    void everyRuleRowReadsWhatItWrote_data();
    void everyRuleRowReadsWhatItWrote();
    void boundsAreAllowedAndNoMore();
    void keysAndVariablesAreUnique();
    void everyDefaultIsValid();
    void theDefaultRuleChangesNothing();
};

namespace {

const QList<std::pair<const char *, const char *>> &documentedDefaults()
{
    static const QList<std::pair<const char *, const char *>> kDefaults{
        {"server.address", "127.0.0.1"},
        {"server.port", "8443"},
        {"server.workers", "0"},
        {"server.origins", "[]"},
        {"server.shutdown_timeout", "10s"},
        {"server.close_timeout", "5s"},
        {"server.tls.enabled", "false"},
        {"server.tls.cert_file", "\"\""},
        {"server.tls.key_file", "\"\""},
        {"hub.echo", "true"},
        {"history.total_size", "64 MiB"},
        {"history.positions", "100000"},
        {"history.position_age", "24h"},
        {"limits.connections", "0"},
        {"limits.control_frames", "100"},
        {"limits.message_size", "1 MiB"},
        {"limits.request_head_size", "16 KiB"},
        {"limits.request_header_fields", "100"},
        {"limits.handshake_timeout", "10s"},
        {"limits.queue_size", "4 MiB"},
        {"limits.inbox_size", "2 MiB"},
        {"keepalive.interval", "30s"},
        {"keepalive.timeout", "10s"},
        {"http.body_timeout", "30s"},
        {"http.idle_timeout", "1m"},
        {"http.batch_size", "4 MiB"},
        {"http.batch_messages", "1000"},
        {"http.idempotency_age", "5m"},
        {"http.idempotency_keys", "100000"},
        {"event_source.heartbeat", "15s"},
        {"event_source.retry", "2s"},
        {"slow_clients.policy", "disconnect"},
        {"slow_clients.grace", "10s"},
        {"metrics.enabled", "true"},
        {"metrics.address", "127.0.0.1"},
        {"metrics.port", "9464"},
        {"metrics.connections", "64"},
        {"metrics.request_timeout", "10s"},
        {"ops.token", "\"\""},
        {"ops.token_file", "\"\""},
        {"ops.read_without_token", "false"},
        {"logging.level", "info"},
        {"logging.format", "text"},
        {"logging.rate", "1000"},
    };
    return kDefaults;
}

const QList<std::pair<const char *, const char *>> &documentedRuleDefaults()
{
    static const QList<std::pair<const char *, const char *>> kDefaults{
        {"match", "\"**\""},       {"echo", "true"},       {"publish", "true"},
        {"subscribe", "true"},     {"max_clients", "0"},   {"history.messages", "100"},
        {"history.size", "1 MiB"}, {"history.age", "10m"},
    };
    return kDefaults;
}

void addDefaults(const QList<std::pair<const char *, const char *>> &defaults)
{
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("value");
    for (const auto &[key, value] : defaults) {
        QTest::newRow(key) << QString::fromLatin1(key) << QString::fromLatin1(value);
    }
}

template <typename Holder>
void checkDefault(const relay::Schema<Holder> &schema)
{
    QFETCH(QString, key);
    QFETCH(QString, value);
    const auto *setting = schema.findSetting(key);
    QVERIFY(setting != nullptr);
    QCOMPARE(relay::formatValue(*setting, schema.defaultValue(*setting)), value);
}

template <typename Holder>
void addKeys(const relay::Schema<Holder> &schema)
{
    QTest::addColumn<QString>("key");
    for (const Setting &setting : schema.settings) {
        QTest::newRow(qPrintable(setting.key)) << setting.key;
    }
}

template <typename Holder>
void checkRowIsComplete(const relay::Schema<Holder> &schema, const QRegularExpression &keyForm)
{
    QFETCH(QString, key);
    const Setting &setting = *schema.findSetting(key);
    QVERIFY(keyForm.match(key).hasMatch());
    if (!parentOf(key).isEmpty()) {
        const relay::Section *section = schema.findSection(parentOf(key));
        QVERIFY(section != nullptr);
        QVERIFY(section->kind == relay::Section::Kind::Map);
    }
    QVERIFY(setting.help.endsWith(QLatin1Char('.')));
    QVERIFY(!setting.help.contains(QLatin1Char('\n')));
    QVERIFY(setting.minimum <= setting.maximum);
    QCOMPARE(setting.type == relay::ValueType::Choice, !setting.choices.isEmpty());
    QVERIFY(setting.defaultKey.isEmpty()
            || relay::settingsSchema().findSetting(setting.defaultKey) != nullptr);
}

template <typename Holder>
void checkRowReadsWhatItWrote(const relay::Schema<Holder> &schema)
{
    QFETCH(QString, key);
    const auto &setting = *schema.findSetting(key);
    const relay::SettingValue value = otherThan(setting, schema.defaultValue(setting));
    Holder holder = schema.defaults;
    setting.write(holder, value);
    QVERIFY(setting.read(holder) == value);
    QVERIFY(setting.read(holder) != schema.defaultValue(setting));
    for (const auto &other : schema.settings) {
        if (other.key != key) {
            QVERIFY2(other.read(holder) == schema.defaultValue(other), qPrintable(other.key));
        }
    }
}

/// A number as it is written for the setting, without rounding.
QString written(const Setting &setting, qint64 number)
{
    return QString::number(number)
           + (setting.type == relay::ValueType::Duration ? QStringLiteral("ms") : QString());
}

template <typename Holder>
void checkBounds(const relay::Schema<Holder> &schema)
{
    for (const Setting &setting : schema.settings) {
        if (setting.minimum == setting.maximum) {
            continue; // no number
        }
        for (const qint64 bound : {setting.minimum, setting.maximum}) {
            const auto value = relay::parseScalar(setting, written(setting, bound));
            QVERIFY2(value && std::get<qint64>(value.value()) == bound, qPrintable(setting.key));
        }
        for (const qint64 beyond : {setting.minimum - 1, setting.maximum + 1}) {
            QVERIFY2(!relay::parseScalar(setting, written(setting, beyond)),
                     qPrintable(setting.key));
        }
    }
}

/// The default as text is read as the default.
template <typename Holder>
void checkDefaultsAreValid(const relay::Schema<Holder> &schema)
{
    for (const auto &setting : schema.settings) {
        if (setting.type == relay::ValueType::TextList) {
            continue; // an empty list has nothing to check
        }
        QString text = relay::formatValue(setting, schema.defaultValue(setting));
        text.remove(QLatin1Char('"'));
        const auto value = relay::parseScalar(setting, text);
        QVERIFY2(value, value ? "" : qPrintable(setting.key + value.error().message));
        QVERIFY(value.value() == schema.defaultValue(setting));
    }
}

} // namespace

void TestSchema::defaultsAreTheDocumentedOnes_data()
{
    addDefaults(documentedDefaults());
}

// Keys and defaults are promised to files that exist: changing one is a decision, made here too.
void TestSchema::defaultsAreTheDocumentedOnes()
{
    checkDefault(relay::settingsSchema());
}

void TestSchema::ruleDefaultsAreTheDocumentedOnes_data()
{
    addDefaults(documentedRuleDefaults());
}

// So are those of a channel's rule.
void TestSchema::ruleDefaultsAreTheDocumentedOnes()
{
    checkDefault(relay::channelRuleSchema());
}

// A key that is added must be added to the promises above.
void TestSchema::defaultsTablesAreComplete()
{
    QCOMPARE(static_cast<qsizetype>(relay::settingsSchema().settings.size()),
             documentedDefaults().size());
    QCOMPARE(static_cast<qsizetype>(relay::channelRuleSchema().settings.size()),
             documentedRuleDefaults().size());
}

void TestSchema::everyRowIsComplete_data()
{
    addKeys(relay::settingsSchema());
}

// The sample, the reference and the messages are made of these: none may be missing or out of form.
void TestSchema::everyRowIsComplete()
{
    checkRowIsComplete(relay::settingsSchema(),
                       QRegularExpression(QStringLiteral("\\A[a-z_]+(\\.[a-z_]+)+\\z")));
}

void TestSchema::everyRuleRowIsComplete_data()
{
    addKeys(relay::channelRuleSchema());
}

// As above; a rule's sections are printed on one line, and so have none of their own.
void TestSchema::everyRuleRowIsComplete()
{
    checkRowIsComplete(relay::channelRuleSchema(),
                       QRegularExpression(QStringLiteral("\\A[a-z_]+(\\.[a-z_]+)?\\z")));
}

void TestSchema::everyRowReadsWhatItWrote_data()
{
    addKeys(relay::settingsSchema());
}

// A row writes its own field and no other: after writing, all other keys are still at their
// defaults.
void TestSchema::everyRowReadsWhatItWrote()
{
    checkRowReadsWhatItWrote(relay::settingsSchema());
}

void TestSchema::everyRuleRowReadsWhatItWrote_data()
{
    addKeys(relay::channelRuleSchema());
}

// As above.
void TestSchema::everyRuleRowReadsWhatItWrote()
{
    checkRowReadsWhatItWrote(relay::channelRuleSchema());
}

// What the reference calls the least and the most is allowed, and one past it is not.
void TestSchema::boundsAreAllowedAndNoMore()
{
    checkBounds(relay::settingsSchema());
    checkBounds(relay::channelRuleSchema());
}

// No two keys share a name or a variable (a.b_c and a_b.c would).
void TestSchema::keysAndVariablesAreUnique()
{
    QSet<QString> variables;
    for (const Setting &setting : relay::settingsSchema().settings) {
        variables.insert(relay::environmentName(setting));
    }
    QCOMPARE(variables.size(), documentedDefaults().size());
    QVERIFY(variables.contains(QStringLiteral("RELAY_SERVER_TLS_CERT_FILE")));

    QStringList keys = relay::settingsSchema().keys();
    QCOMPARE(keys.removeDuplicates(), 0);
    keys = relay::channelRuleSchema().keys();
    QCOMPARE(keys.removeDuplicates(), 0);
}

// A relay without any configuration must start.
void TestSchema::everyDefaultIsValid()
{
    checkDefaultsAreValid(relay::settingsSchema());
    checkDefaultsAreValid(relay::channelRuleSchema());
}

// The rule that relay.yaml shows says what holds without it.
void TestSchema::theDefaultRuleChangesNothing()
{
    QCOMPARE(relay::channelRuleSchema().defaults.options, relay::ChannelOptions());
    QCOMPARE(relay::ChannelOptions().echo, relay::Settings().hub.echo);
}

RELAY_TEST(TestSchema)
#include "tst_schema.moc"
