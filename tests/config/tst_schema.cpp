#include "config/schema.h"
#include "config/setting_value.h"

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

QList<QString> allKeys()
{
    QList<QString> keys;
    for (const Setting &setting : relay::settingsSchema()) {
        keys.append(setting.key);
    }
    return keys;
}

/// A value that a setting does not have by default.
relay::SettingValue otherValue(const Setting &setting)
{
    const relay::SettingValue value = relay::defaultValue(setting);
    switch (setting.type) {
    case relay::ValueType::Boolean:
        return !std::get<bool>(value);
    case relay::ValueType::Text:
        return QStringLiteral("10.1.2.3");
    case relay::ValueType::TextList:
        return QStringList{QStringLiteral("https://a.example"), QStringLiteral("*")};
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
    void defaultsTableIsComplete();
    void everyRowIsComplete_data();
    void everyRowIsComplete();
    void everyRowReadsWhatItWrote_data();
    void everyRowReadsWhatItWrote();
    void keysAndVariablesAreUnique();
    void everyDefaultIsValid();

private:
    static void addKeys();
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
        {"limits.connections", "0"},
        {"limits.message_size", "1 MiB"},
        {"limits.request_head_size", "16 KiB"},
        {"limits.request_header_fields", "100"},
        {"limits.handshake_timeout", "10s"},
        {"limits.queue_size", "4 MiB"},
        {"limits.inbox_size", "2 MiB"},
        {"keepalive.interval", "30s"},
        {"keepalive.timeout", "10s"},
        {"slow_clients.policy", "disconnect"},
        {"slow_clients.grace", "10s"},
        {"metrics.enabled", "true"},
        {"metrics.address", "127.0.0.1"},
        {"metrics.port", "9464"},
        {"metrics.connections", "64"},
        {"metrics.request_timeout", "10s"},
        {"logging.level", "info"},
        {"logging.format", "text"},
    };
    return kDefaults;
}

} // namespace

void TestSchema::addKeys()
{
    QTest::addColumn<QString>("key");
    for (const QString &key : allKeys()) {
        QTest::newRow(qPrintable(key)) << key;
    }
}

void TestSchema::defaultsAreTheDocumentedOnes_data()
{
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("value");
    for (const auto &[key, value] : documentedDefaults()) {
        QTest::newRow(key) << QString::fromLatin1(key) << QString::fromLatin1(value);
    }
}

// Keys and defaults are promised to files that exist: changing one is a decision, made here too.
void TestSchema::defaultsAreTheDocumentedOnes()
{
    QFETCH(QString, key);
    QFETCH(QString, value);
    const Setting *setting = relay::findSetting(key);
    QVERIFY(setting != nullptr);
    QCOMPARE(relay::formatValue(*setting, relay::defaultValue(*setting)), value);
}

// A key that is added must be added to the promise above.
void TestSchema::defaultsTableIsComplete()
{
    QCOMPARE(static_cast<qsizetype>(relay::settingsSchema().size()), documentedDefaults().size());
}

void TestSchema::everyRowIsComplete_data()
{
    addKeys();
}

// The sample, the reference and the messages are made of these: none may be missing or out of form.
void TestSchema::everyRowIsComplete()
{
    QFETCH(QString, key);
    static const QRegularExpression kKeyForm(QStringLiteral("\\A[a-z_]+(\\.[a-z_]+)+\\z"));
    const Setting &setting = *relay::findSetting(key);
    QVERIFY(kKeyForm.match(key).hasMatch());
    QVERIFY(relay::findSection(parentOf(key)) != nullptr);
    QVERIFY(setting.help.endsWith(QLatin1Char('.')));
    QVERIFY(!setting.help.contains(QLatin1Char('\n')));
    QVERIFY(setting.minimum <= setting.maximum);
    QCOMPARE(setting.type == relay::ValueType::Choice, !setting.choices.isEmpty());
}

void TestSchema::everyRowReadsWhatItWrote_data()
{
    addKeys();
}

// A row writes its own field and no other: after writing, all other keys are still at their
// defaults.
void TestSchema::everyRowReadsWhatItWrote()
{
    QFETCH(QString, key);
    const Setting &setting = *relay::findSetting(key);
    relay::Settings settings;
    setting.write(settings, otherValue(setting));
    QVERIFY(setting.read(settings) == otherValue(setting));
    QVERIFY(setting.read(settings) != relay::defaultValue(setting));
    for (const Setting &other : relay::settingsSchema()) {
        if (other.key != key) {
            QVERIFY2(other.read(settings) == relay::defaultValue(other), qPrintable(other.key));
        }
    }
}

// No two keys share a name or a variable (a.b_c and a_b.c would).
void TestSchema::keysAndVariablesAreUnique()
{
    QSet<QString> keys;
    QSet<QString> variables;
    for (const Setting &setting : relay::settingsSchema()) {
        keys.insert(setting.key);
        variables.insert(relay::environmentName(setting));
    }
    QCOMPARE(keys.size(), documentedDefaults().size());
    QCOMPARE(variables.size(), documentedDefaults().size());
    QVERIFY(variables.contains(QStringLiteral("RELAY_SERVER_TLS_CERT_FILE")));
}

// A relay without any configuration must start.
void TestSchema::everyDefaultIsValid()
{
    for (const Setting &setting : relay::settingsSchema()) {
        if (setting.type == relay::ValueType::TextList) {
            continue; // an empty list has nothing to check
        }
        QString text = relay::formatValue(setting, relay::defaultValue(setting));
        text.remove(QLatin1Char('"'));
        const auto value = relay::parseScalar(setting, text);
        QVERIFY2(value, value ? "" : qPrintable(setting.key + value.error().message));
        QVERIFY(value.value() == relay::defaultValue(setting));
    }
}

QTEST_APPLESS_MAIN(TestSchema)
#include "tst_schema.moc"
