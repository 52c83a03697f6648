#include "config/config_text.h"
#include "config/schema.h"

#include "gui/pages/shown_settings.h"
#include "support/test_main.h"

#include <QTest>

#include <algorithm>

using namespace relay;
using namespace relay::gui;

/// A relay's configuration, taken apart for the window.
class TestShownSettings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everySettingIsShown();
    void exactlyWhatWasChangedIsMarked();
    void keysOfANewerRelayAreShown();
    void anyTextIsTaken();
};

namespace {

QStringList changedKeys(const QList<ShownSetting> &settings)
{
    QStringList keys;
    for (const ShownSetting &setting : settings) {
        if (setting.isChanged()) {
            keys.append(setting.key);
        }
    }
    return keys;
}

} // namespace

/// Promise: no setting is missing, each has its description, and the defaults are no change.
void TestShownSettings::everySettingIsShown()
{
    const QList<ShownSetting> settings = shownSettings(renderSampleConfig());
    QStringList keys;
    for (const ShownSetting &setting : settings) {
        keys.append(setting.key);
        QVERIFY2(!setting.help.isEmpty(), qPrintable(setting.key));
    }
    for (const Setting &setting : settingsSchema().settings) {
        QVERIFY2(keys.contains(setting.key), qPrintable(setting.key));
    }
    QCOMPARE(changedKeys(settings), QStringList());
}

/// Promise: an operator sees at a glance what this relay's configuration changes: in sections of any depth, and in the
/// rules of channels.
void TestShownSettings::exactlyWhatWasChangedIsMarked()
{
    Settings settings;
    settings.hub.port = 9000;
    settings.tls.certFile = QStringLiteral("/etc/relay/cert.pem");
    ChannelRule rule = channelRuleSchema().defaults;
    rule.options.publish = false;
    settings.hub.channels = {rule, rule};
    const QList<ShownSetting> shown = shownSettings(renderConfig(settings));
    const QStringList expected{QStringLiteral("server.port"),
                               QStringLiteral("server.tls.cert_file"),
                               QStringLiteral("channels[1]"), QStringLiteral("channels[2]")};
    QCOMPARE(changedKeys(shown), expected);
    const auto port = std::find_if(shown.begin(), shown.end(), [](const ShownSetting &setting) {
        return setting.key == QLatin1String("server.port");
    });
    QCOMPARE(port->value, QStringLiteral("9000"));
    QCOMPARE(port->defaultValue, std::optional(QStringLiteral("8443")));
    const auto rules = std::find_if(shown.begin(), shown.end(), [](const ShownSetting &setting) {
        return setting.key == QLatin1String("channels[2]");
    });
    QVERIFY2(rules->value.contains(QLatin1String("publish: false")), qPrintable(rules->value));
}

/// Promise: a relay of another version can be shown.
void TestShownSettings::keysOfANewerRelayAreShown()
{
    const auto shown =
        shownSettings(QStringLiteral("# New.\nserver:\n  # A key to come.\n  tomorrow: 5\n"));
    const QList<ShownSetting> expected{{QStringLiteral("server.tomorrow"), QStringLiteral("5"),
                                        std::nullopt, QStringLiteral("A key to come.")}};
    QCOMPARE(shown, expected);
    QVERIFY(shown.first().isChanged());
}

/// Promise: whatever a relay sends, the window stands.
void TestShownSettings::anyTextIsTaken()
{
    for (const char *text : {"", "\n", ":", "a", "- x", "    deep: 1", "# only a comment",
                             "a:\n  - b\n      c: d\ne: f"})
    {
        for (const ShownSetting &setting : shownSettings(QString::fromLatin1(text))) {
            QVERIFY(setting.isChanged());
        }
    }
}

RELAY_TEST(TestShownSettings)
#include "tst_shown_settings.moc"
