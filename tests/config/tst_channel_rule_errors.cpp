#include "read_text.h"
#include "support/test_main.h"

#include <QTest>

using relay::test::bad;
using relay::test::read;

class TestChannelRuleErrors : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void refusesBadRules_data();
    void refusesBadRules();
    void listsAllProblems();
    void aBadRuleKeepsItsPlace();
    void oneRuleMoreIsRefused();
};

namespace {

/// `entry` stands on line 3, in the first rule.
void badValue(const char *name, const char *entry, const char *problem)
{
    const QByteArray text = QByteArray("channels:\n  - match: a\n    ") + entry + '\n';
    QTest::newRow(name) << text
                        << QStringLiteral("relay.yaml:3: channels[0].")
                               + QString::fromUtf8(problem);
}

void addNoLists()
{
    bad("a map", "channels:\n  match: a\n",
        "relay.yaml:1: channels: takes a list of rules, not a map: begin each rule with ");
    bad("a single value", "channels: none\n",
        "relay.yaml:1: channels: takes a list of rules, not a single value");
    bad("twice", "channels: []\nhub: {}\nchannels: []\n",
        "relay.yaml:3: channels: is already on line 1");
    bad("in a section", "hub:\n  channels: []\n",
        "relay.yaml:2: hub.channels: unknown key: did you mean channels?");
    bad("misspelt", "chanels: []\n", "relay.yaml:1: chanels: unknown key: did you mean channels?");
    bad("a name as a rule", "channels:\n  - match: a\n  - chat\n",
        "relay.yaml:3: channels[1]: is a single value, not a rule: begin it with ");
    bad("a list as a rule", "channels:\n  - [match, a]\n",
        "relay.yaml:2: channels[0]: is a list, not a rule");
    // yaml-cpp takes what is not there to stand where the next thing does.
    bad("nothing as a rule", "channels:\n  - match: a\n  -\n  - match: b\n",
        "relay.yaml:4: channels[1]: is nothing, not a rule");
    bad("a list in itself", "channels: &c\n  - *c\n", "channels[0]: is a list, not a rule");
    bad("a section in itself", "channels:\n  - match: a\n    history: &h\n      history: *h\n",
        "relay.yaml:4: channels[0].history.history: unknown key: did you mean "
        "channels[0].history?");
    bad("deep nesting", QByteArray("channels: " + QByteArray(20000, '[')).constData(),
        "relay.yaml:1: not YAML: ");
    bad("deep nesting of maps",
        QByteArray("channels: [" + QByteArray("{history: ").repeated(20000)).constData(),
        "relay.yaml:1: not YAML: ");
}

void addBadKeys()
{
    bad("no match", "channels:\n  - match: a\n  - echo: true\n    publish: true\n",
        "relay.yaml:3: channels[1].match: is missing: write one, such as \"**\"");
    bad("an empty map", "channels:\n  - match: a\n  - {}\n",
        "relay.yaml:3: channels[1].match: is missing");
    badValue("unknown key", "colour: red", "colour: unknown key");
    badValue("misspelt key", "publsh: true",
             "publsh: unknown key: did you mean channels[0].publish?");
    badValue("misspelt section", "histroy: {}",
             "histroy: unknown key: did you mean channels[0].history?");
    badValue("misspelt key in a section", "history: {mesages: 5}",
             "history.mesages: unknown key: did you mean channels[0].history.messages?");
    badValue("without its section", "messages: 5",
             "messages: unknown key: did you mean channels[0].history.messages?");
    badValue("a setting's name", "server: {port: 1}", "server: unknown key");
    badValue("a key with spaces", "\"a b\": 1", "\"a b\": unknown key");
    badValue("dotted key", "history.age: 5m",
             R"(history.age: write "age:" indented below "history:")");
    badValue("merge key", "<<: {echo: true}", "\"<<\": unknown key");
    bad("a map as a key", "channels:\n  - match: a\n    {b: c}: d\n",
        "relay.yaml:3: channels[0]: a key must be a name");
    bad("a map as a key of a section", "channels:\n  - match: a\n    history:\n      {b: c}: d\n",
        "relay.yaml:4: channels[0].history: a key must be a name");
    bad("a key with a line break", "channels:\n  - match: a\n  - match: b\n    \"a\\nb\": 1\n",
        R"(relay.yaml:4: channels[1]."a\x0ab": unknown key)");
    bad("key twice", "channels:\n  - match: a\n    echo: true\n    echo: true\n",
        "relay.yaml:4: channels[0].echo: is already on line 3");
    bad("match twice", "channels:\n  - match: a\n    match: b\n",
        "relay.yaml:3: channels[0].match: is already on line 2");
    bad("section twice", "channels:\n  - match: a\n    history: {}\n    history: {}\n",
        "relay.yaml:4: channels[0].history: is already on line 3");
}

void addBadValues()
{
    badValue("echo of no value",
             "echo:", "echo: has no value: write one (the default is hub.echo) or remove the line");
    badValue("publish of no value", "publish: ~",
             "publish: has no value: write one (the default is true) or remove the line");
    badValue("echo in quotes", "echo: \"true\"",
             "echo: \"true\" is text: write the boolean without quotes");
    badValue("publish as a number", "publish: 1", "publish: 1 is neither true nor false");
    badValue("subscribe as a list", "subscribe: [true]",
             "subscribe: takes one value (boolean), not a list");
    badValue("negative clients", "max_clients: -1",
             "max_clients: -1 is not a whole number (0 to 10000000)");
    badValue("too many clients", "max_clients: 10000001",
             "max_clients: 10000001 is not a whole number (0 to 10000000)");
    badValue("history as a number", "history: 100",
             "history: is a section, not a single value: write its keys below it, indented");
    badValue("history as a list", "history: [100]", "history: is a section, not a list");
    badValue("negative messages", "history: {messages: -1}",
             "history.messages: -1 is not a whole number (0 to 1000000)");
    badValue("too many messages", "history: {messages: 1000001}",
             "history.messages: 1000001 is not a whole number (0 to 1000000)");
    badValue("size in decimal units", "history: {size: 1 MB}",
             "history.size: \"1 MB\" is a size in an unclear unit: write it in MiB");
    badValue("size one too large", "history: {size: 1099511627777}",
             "history.size: 1099511627777 is not a size (0 to 1024 GiB)");
    badValue("age in days", "history: {age: 1d}", "history.age: 1d is not a duration: ");
    badValue("age one too long", "history: {age: 2592000001ms}",
             "history.age: 2592000001ms is not a duration (0s to 720h)");
    bad("age on its own line",
        "channels:\n  - match: a\n  - match: b\n    history:\n      size: 1\n      age: soon\n",
        "relay.yaml:6: channels[1].history.age: soon is not a duration: ");
}

void addBadPatterns()
{
    bad("no value", "channels:\n  - match:\n",
        "relay.yaml:2: channels[0].match: has no value: write one, such as \"**\"");
    bad("a list of patterns", "channels:\n  - match: [a, b]\n",
        "relay.yaml:2: channels[0].match: takes one value (pattern), not a list");
    bad("stars without quotes", "channels:\n  - match: **\n", "relay.yaml:2: not YAML: ");
    bad("leading slash", "channels:\n  - match: /chat\n", "relay.yaml:2: channels[0].match: ");
    bad("empty segment", "channels:\n  - match: a//b\n", "relay.yaml:2: channels[0].match: ");
    bad("dots", "channels:\n  - match: a/../b\n", "relay.yaml:2: channels[0].match: ");
    bad("rest in the middle", "channels:\n  - match: a/**/b\n",
        "relay.yaml:2: channels[0].match: ");
    bad("control character", "channels:\n  - match: \"a\\nb\"\n",
        "relay.yaml:2: channels[0].match: ");
    bad("name one byte too long",
        QByteArray("channels:\n  - match: " + QByteArray(256, 'a')).constData(),
        "relay.yaml:2: channels[0].match: ");
    bad("reserved name", "channels:\n  - match: -/publish\n",
        "relay.yaml:2: channels[0].match: -/publish matches no channel: names that begin with -/ "
        "are reserved for the relay");
    bad("all reserved names", "channels:\n  - match: -/**\n",
        "relay.yaml:2: channels[0].match: -/** matches no channel");
}

void addDeadRules()
{
    bad("the same match",
        "channels:\n  - match: chat/*\n  - match: chat/**\n  - match: chat/*\n    echo: false\n",
        "relay.yaml:4: channels[2].match: chat/* is also the pattern of channels[0] "
        "(relay.yaml:2), and the first rule applies: remove one of them");
    bad("the same match in other words", "channels:\n  - match: /\n  - match: \"\"\n",
        "relay.yaml:3: channels[1].match: / is also the pattern of channels[0] (relay.yaml:2)");
    bad("alias of a rule", "channels:\n  - &r {match: a}\n  - *r\n",
        "channels[1].match: a is also the pattern of channels[0] (relay.yaml:2)");
}

void addTooLargeHistories()
{
    bad("history one byte over the budget",
        "history: {total_size: 2 MiB}\nchannels:\n  - match: a\n    history:\n"
        "      size: 2097153\n",
        "relay.yaml:5: channels[0].history.size: 2097153 B is more than history.total_size (2 "
        "MiB), which all channels share: make it smaller, or make history.total_size larger");
    bad("history over the default budget", "channels:\n  - match: a\n    history: {size: 65 MiB}\n",
        "relay.yaml:3: channels[0].history.size: 65 MiB is more than history.total_size (64 MiB)");
    bad("default history over the budget",
        "history:\n  total_size: 512 KiB\nchannels:\n  - match: a\n",
        "relay.yaml:2: channels[0].history.size: 1 MiB is more than history.total_size (512 KiB)");
    bad("a bad budget", "history: {total_size: x}\nchannels: [{match: a, history: {size: 1 GiB}}]",
        "relay.yaml:1: history.total_size: x is not a size");
    bad("messages that are not known",
        "history: {total_size: 1}\nchannels: [{match: a, history: {messages: x, size: 2}}]",
        "relay.yaml:2: channels[0].history.messages: x is not a whole number");
}

} // namespace

void TestChannelRuleErrors::refusesBadRules_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("problem");
    addNoLists();
    addBadKeys();
    addBadValues();
    addBadPatterns();
    addDeadRules();
    addTooLargeHistories();
}

// A mistake is told with its line, its rule and what would be right, and nothing else is
// complained of.
void TestChannelRuleErrors::refusesBadRules()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, problem);
    const QStringList problems = read(text).problems();
    QVERIFY2(problems.size() == 1, qPrintable(problems.join(QLatin1Char('\n'))));
    QVERIFY2(problems.first().contains(problem), qPrintable(problems.first()));
    QVERIFY(!problems.first().contains(QLatin1Char('\n')));
}

// Mistakes in several rules are mended in one go.
void TestChannelRuleErrors::listsAllProblems()
{
    const QStringList problems = read("channels:\n"
                                      "  - match: a//b\n"
                                      "    echoo: true\n"
                                      "  - publish: maybe\n"
                                      "    history: {messages: many, age: 1d}\n"
                                      "  - match: c\n"
                                      "  - match: c\n"
                                      "    history: {size: 1 GiB}\n"
                                      "server: {port: x}\n")
                                     .problems();
    const QStringList beginnings{
        QStringLiteral("relay.yaml:2: channels[0].match: "),
        QStringLiteral("relay.yaml:3: channels[0].echoo: "),
        QStringLiteral("relay.yaml:4: channels[1].publish: "),
        QStringLiteral("relay.yaml:5: channels[1].history.messages: "),
        QStringLiteral("relay.yaml:5: channels[1].history.age: "),
        QStringLiteral("relay.yaml:4: channels[1].match: is missing"),
        QStringLiteral("relay.yaml:9: server.port: "),
        QStringLiteral("relay.yaml:7: channels[3].match: "),
        QStringLiteral("relay.yaml:8: channels[3].history.size: "),
    };
    QCOMPARE(problems.size(), beginnings.size());
    for (qsizetype i = 0; i < problems.size(); ++i) {
        QVERIFY2(problems[i].startsWith(beginnings[i]), qPrintable(problems[i]));
    }
}

// The numbers in messages are those of the file, whatever is wrong with the rules before; a rule
// whose pattern is not known is no other's double.
void TestChannelRuleErrors::aBadRuleKeepsItsPlace()
{
    const QStringList problems = read("channels:\n"
                                      "  - nonsense\n"
                                      "  - match: a//\n"
                                      "  - match: \"**\"\n"
                                      "  - match: b\n"
                                      "    echo: x\n")
                                     .problems();
    QCOMPARE(problems.size(), 3);
    QVERIFY(problems[0].startsWith(QStringLiteral("relay.yaml:2: channels[0]: ")));
    QVERIFY(problems[1].startsWith(QStringLiteral("relay.yaml:3: channels[1].match: ")));
    QVERIFY(problems[2].startsWith(QStringLiteral("relay.yaml:6: channels[3].echo: ")));
}

// One rule more is told as what it is, once; also when aliases make the list out of a short text.
void TestChannelRuleErrors::oneRuleMoreIsRefused()
{
    const QString problem =
        QStringLiteral("relay.yaml:1: channels: has 10001 rules: at most 10000 are allowed");
    const QByteArray rules =
        "channels:\n" + QByteArray("  - match: a\n").repeated(relay::kMaxChannelRules + 1);
    QCOMPARE(read(rules).problems(), QStringList{problem});

    const QByteArray aliases =
        "channels: [&r {match: a}" + QByteArray(", *r").repeated(relay::kMaxChannelRules) + "]\n";
    QCOMPARE(read(aliases).problems(), QStringList{problem});
}

RELAY_TEST(TestChannelRuleErrors)
#include "tst_channel_rule_errors.moc"
