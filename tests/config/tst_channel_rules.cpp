#include "read_text.h"
#include "support/test_main.h"

#include <QTest>

using namespace std::chrono_literals;

using relay::test::read;

class TestChannelRules : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsGoodRules_data();
    void readsGoodRules();
    void rulesKeepTheirOrder();
    void theMostRulesAreRead();
};

namespace {

relay::ChannelRule rule(const char *match, const relay::ChannelOptions &options = {})
{
    return {relay::ChannelPattern::fromText(match).value(), options};
}

/// A rule without an echo.
relay::ChannelRule silent(const char *match)
{
    relay::ChannelOptions options;
    options.echo = false;
    return rule(match, options);
}

/// With every field at a value that is not its default.
relay::ChannelRule unusualRule()
{
    relay::ChannelOptions options;
    options.echo = false;
    options.publish = false;
    options.subscribe = false;
    options.maxClients = 20;
    options.history.messages = 5;
    options.history.size = 65536;
    options.history.age = 90s;
    return rule("chat/**", options);
}

relay::ChannelRule ruleWithHistory(int messages, qint64 size, std::chrono::milliseconds age)
{
    relay::ChannelOptions options;
    options.history = {messages, size, age};
    return rule("a", options);
}

using Rules = QList<relay::ChannelRule>;

void goodRules(const char *name, const QByteArray &text, const Rules &rules)
{
    QTest::newRow(name) << text << rules;
}

} // namespace

Q_DECLARE_METATYPE(Rules)

namespace {

void addStyles()
{
    goodRules("no key", "hub: {echo: true}", {});
    goodRules("no value", "channels:\n", {});
    goodRules("null", "channels: ~\n", {});
    goodRules("empty list", "channels: []\n", {});
    goodRules("match alone", "channels:\n  - match: chat\n", {rule("chat")});
    goodRules("every key, block style",
              "channels:\n"
              "  - match: chat/**\n"
              "    echo: false\n"
              "    publish: false\n"
              "    subscribe: false\n"
              "    max_clients: 20\n"
              "    history:\n"
              "      messages: 5\n"
              "      size: 64 KiB\n"
              "      age: 90s\n",
              {unusualRule()});
    goodRules("every key, flow style",
              "channels: [{match: \"chat/**\", echo: false, publish: false, subscribe: false, "
              "max_clients: 20, history: {messages: 5, size: 64 KiB, age: 90s}}]",
              {unusualRule()});
    goodRules("every key, match last",
              "channels:\n"
              "  - history: {age: 90, size: 65536, messages: 5}\n"
              "    max_clients: 20\n"
              "    subscribe: false\n"
              "    publish: false\n"
              "    echo: false\n"
              "    match: 'chat/**'\n",
              {unusualRule()});
    goodRules("history without keys", "channels: [{match: a, history: }]", {rule("a")});
    goodRules("list not indented", "channels:\n- match: a\n- match: b\n", {rule("a"), rule("b")});
    goodRules("lowest", "channels: [{match: a, history: {messages: 0, size: 0, age: 0}}]",
              {ruleWithHistory(0, 0, 0s)});
    goodRules("highest",
              "history: {total_size: 1024 GiB}\n"
              "channels: [{match: a, history: {messages: 1000000, size: 1024 GiB, age: 720h}}]",
              {ruleWithHistory(1'000'000, qint64{1} << 40, 720h)});
}

void addPatterns()
{
    goodRules("every channel", "channels: [{match: \"**\"}]", {rule("**")});
    goodRules("the root", "channels: [{match: /}]", {rule("/")});
    goodRules("the root, empty", "channels: [{match: \"\"}]", {rule("/")});
    goodRules("a number", "channels: [{match: 42}]", {rule("42")});
    goodRules("a segment", "channels: [{match: a/*/b}]", {rule("a/*/b")});
    goodRules("umlauts", "channels: [{match: caf\xC3\xA9}]", {rule("caf\xC3\xA9")});
    goodRules("nearly reserved", "channels: [{match: \"-\"}, {match: a/-/b}]",
              {rule("-"), rule("a/-/b")});
    goodRules("the longest name", "channels: [{match: " + QByteArray(255, 'a') + "}]",
              {rule(QByteArray(255, 'a').constData())});
    goodRules("narrow before wide", "channels: [{match: a/b}, {match: a/*}, {match: a/**}]",
              {rule("a/b"), rule("a/*"), rule("a/**")});
}

// The default of echo is hub.echo, wherever that stands.
void addEchoes()
{
    goodRules("inherited echo",
              "channels: [{match: a}, {match: b, echo: true}]\nhub: {echo: false}\n",
              {silent("a"), rule("b")});
    goodRules("inherited echo, said before", "hub: {echo: false}\nchannels: [{match: a}]\n",
              {silent("a")});
}

void addAliases()
{
    goodRules("alias of a value", "hub: {echo: &no false}\nchannels: [{match: a, echo: *no}]",
              {silent("a")});
    goodRules("alias of a section",
              "channels:\n"
              "  - {match: a, history: &few {messages: 5}}\n"
              "  - {match: b, history: *few}\n",
              {ruleWithHistory(5, 1 << 20, 10min),
               {rule("b").match, ruleWithHistory(5, 1 << 20, 10min).options}});
}

void addHistories()
{
    goodRules("history of the whole budget",
              "history: {total_size: 2 MiB}\nchannels: [{match: a, history: {size: 2 MiB}}]",
              {ruleWithHistory(100, 2 << 20, 10min)});
    goodRules("no history at all",
              "history: {total_size: 0}\nchannels: [{match: a, history: {size: 0}}]",
              {ruleWithHistory(100, 0, 10min)});
    goodRules("a size that does not matter",
              "history: {total_size: 1}\nchannels: [{match: a, history: {messages: 0}}]",
              {ruleWithHistory(0, 1 << 20, 10min)});
}

} // namespace

void TestChannelRules::readsGoodRules_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<Rules>("rules");
    addStyles();
    addPatterns();
    addEchoes();
    addAliases();
    addHistories();
}

// A rule is what the file says, in any style; what it leaves out is at the default.
void TestChannelRules::readsGoodRules()
{
    QFETCH(QByteArray, text);
    QFETCH(Rules, rules);
    const relay::SettingsDraft draft = read(text);
    QCOMPARE(draft.problems().join(QLatin1Char('\n')), QString());
    QVERIFY(draft.settings().hub.channels == rules);
}

// The first rule that matches holds: their order is what they mean.
void TestChannelRules::rulesKeepTheirOrder()
{
    const Rules rules{rule("z"), rule("**"), rule("a"), rule("m/*"), rule("/")};
    const relay::SettingsDraft draft =
        read("channels: [{match: z}, {match: \"**\"}, {match: a}, {match: m/*}, {match: /}]");
    QVERIFY(draft.settings().hub.channels == rules);
}

// The longest list that is allowed is read whole.
void TestChannelRules::theMostRulesAreRead()
{
    QByteArray text("channels:\n");
    for (qsizetype i = 0; i < relay::kMaxChannelRules; ++i) {
        const QByteArray number = QByteArray::number(i);
        text += "  - {match: room/" + number + ", history: {messages: " + number + "}}\n";
    }
    const relay::SettingsDraft draft = read(text);
    QCOMPARE(draft.problems().join(QLatin1Char('\n')), QString());
    const Rules &rules = draft.settings().hub.channels;
    QCOMPARE(rules.size(), relay::kMaxChannelRules);
    for (qsizetype i = 0; i < rules.size(); ++i) {
        QCOMPARE(rules[i].match.bytes(), "room/" + QByteArray::number(i));
        QCOMPARE(rules[i].options.history.messages, static_cast<int>(i));
    }
}

RELAY_TEST(TestChannelRules)
#include "tst_channel_rules.moc"
