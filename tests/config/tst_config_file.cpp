#include "read_text.h"
#include "support/test_main.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <unistd.h>

using namespace std::chrono_literals;

using relay::test::bad;
using relay::test::read;

class TestConfigFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsGoodFiles_data();
    void readsGoodFiles();
    void refusesBadFiles_data();
    void refusesBadFiles();
    void listsAllProblems();
    void aBadValueLeavesTheOthers();
    void refusesWhatIsNoFile();
    void refusesUnreadableFile();
    void refusesLongFile();
};

namespace {

using Check = bool (*)(const relay::Settings &);

void good(const char *name, const char *text, Check check)
{
    QTest::newRow(name) << QByteArray(text) << check;
}

bool hasDefaultPort(const relay::Settings &s)
{
    return s.hub.port == 8443;
}

} // namespace

void TestConfigFile::readsGoodFiles_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<Check>("check");
    good("empty", "", hasDefaultPort);
    good("blank lines and comments", "\n# nothing\n\n", hasDefaultPort);
    good("null", "null\n", hasDefaultPort);
    good("document mark only", "---\n", hasDefaultPort);
    good("section without keys", "server:\n", hasDefaultPort);
    good("subsection without keys", "server:\n  tls:\n", hasDefaultPort);
    good("all sections without keys", "server:\nhub:\nlimits:\nmetrics:\nlogging:\n",
         hasDefaultPort);
    good("the plain hub's file",
         "server:\n  port: 9000\n  tls:\n    enabled: false\n    cert_file: \"\"\n    key_file: "
         "\"\"\n"
         "metrics:\n  enabled: true\n  port: 9001\n",
         [](const relay::Settings &s) { return s.hub.port == 9000 && s.metrics.port == 9001; });
    good("flow style", "{server: {port: 1}, hub: {echo: false}}",
         [](const relay::Settings &s) { return s.hub.port == 1 && !s.hub.echo; });
    good("lowest port", "server: {port: 0}",
         [](const relay::Settings &s) { return s.hub.port == 0; });
    good("highest port", "server: {port: 65535}",
         [](const relay::Settings &s) { return s.hub.port == 65535; });
    good("byte order mark", "\xEF\xBB\xBFserver: {port: 7}",
         [](const relay::Settings &s) { return s.hub.port == 7; });
    good("windows line ends", "server:\r\n  port: 7\r\n",
         [](const relay::Settings &s) { return s.hub.port == 7; });
    good("boolean in capitals", "hub: {echo: FALSE}",
         [](const relay::Settings &s) { return !s.hub.echo; });
    good("size with unit", "limits: {message_size: 64 KiB}",
         [](const relay::Settings &s) { return s.hub.limits.messageSize == 65536; });
    good("size in quotes", "limits: {message_size: \"64 KiB\"}",
         [](const relay::Settings &s) { return s.hub.limits.messageSize == 65536; });
    good("size in bytes", "limits: {message_size: 1000}",
         [](const relay::Settings &s) { return s.hub.limits.messageSize == 1000; });
    good("duration with unit", "keepalive: {interval: 250ms}",
         [](const relay::Settings &s) { return s.hub.keepalive.interval == 250ms; });
    good("duration in seconds", "keepalive: {interval: 45}",
         [](const relay::Settings &s) { return s.hub.keepalive.interval == 45s; });
    good("origins in brackets", "server: {origins: [https://a.example, \"*\"]}",
         [](const relay::Settings &s) {
             return s.hub.origins
                    == QStringList{QStringLiteral("https://a.example"), QStringLiteral("*")};
         });
    good("origins as a list",
         "server:\n  origins:\n    - https://*.a.example:8080\n    - http://[::1]:3000\n",
         [](const relay::Settings &s) { return s.hub.origins.size() == 2; });
    good("origins all commented out", "server:\n  origins:\n  #  - https://a.example\n",
         [](const relay::Settings &s) { return s.hub.origins.isEmpty(); });
    good("every address", "server: {address: \"::\"}",
         [](const relay::Settings &s) { return s.hub.address == QStringLiteral("::"); });
    good("choice", "slow_clients: {policy: drop_oldest}", [](const relay::Settings &s) {
        return s.hub.slowClients.policy == relay::HubOptions::SlowClientPolicy::DropOldest;
    });
    good("file name that looks like a number", "server: {tls: {cert_file: 123}}",
         [](const relay::Settings &s) { return s.tls.certFile == QStringLiteral("123"); });
    good("file name with umlauts", "server: {tls: {cert_file: \"/etc/\xC3\xBC.pem\"}}",
         [](const relay::Settings &s) {
             return s.tls.certFile == QString::fromUtf8("/etc/\xC3\xBC.pem");
         });
    good("anchor and alias", "server: {port: &p 5000}\nmetrics: {enabled: false, port: *p}",
         [](const relay::Settings &s) { return s.metrics.port == 5000; });
    good("queue that just holds a message", "limits: {message_size: 3968, queue_size: 4 KiB}",
         [](const relay::Settings &s) { return s.hub.limits.queueSize == 4096; });
    good("the same port on another address", "server: {port: 9464}\nmetrics: {address: 127.0.0.2}",
         [](const relay::Settings &s) { return s.hub.port == s.metrics.port; });
    good("both ports chosen by the system", "server: {port: 0}\nmetrics: {port: 0}",
         [](const relay::Settings &s) { return s.hub.port == 0 && s.metrics.port == 0; });
}

// What a file says is what the relay does; what it leaves out stays at the default.
void TestConfigFile::readsGoodFiles()
{
    QFETCH(QByteArray, text);
    QFETCH(Check, check);
    const relay::SettingsDraft draft = read(text);
    QCOMPARE(draft.problems(), QStringList());
    QVERIFY(check(draft.settings()));
}

void TestConfigFile::refusesBadFiles_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("problem");

    // Not a configuration at all.
    bad("not UTF-8", "server: {address: \"\xFF\"}", "relay.yaml: is not UTF-8 text");
    bad("tab as indent", "server:\n\tport: 1\n", "relay.yaml:2: not YAML: ");
    bad("unclosed bracket", "server: {port: 1\n", "relay.yaml:2: not YAML: ");
    bad("unclosed quote", "server: {address: \"127}\n", "relay.yaml:2: not YAML: ");
    bad("value on two levels", "server: 1\n  port: 2\n", "relay.yaml:2: not YAML: ");
    bad("unknown alias", "server: *nowhere\n", "relay.yaml:1: not YAML: ");
    bad("deep nesting", QByteArray(20000, '[').constData(), "relay.yaml:1: not YAML: ");
    bad("two documents", "server: {port: 1}\n---\nserver: {port: 2}\n",
        "relay.yaml: has 2 documents");
    bad("a list", "- server\n- metrics\n", "relay.yaml:1: a list where sections belong");
    bad("a single value", "8443\n", "relay.yaml:1: a single value where sections belong");
    bad("a map as a key", "{a: 1}: 2\n", "relay.yaml:1: a key must be a name");

    // Keys.
    bad("unknown section", "sever:\n  port: 1\n",
        "relay.yaml:1: sever: unknown key: did you mean server?");
    bad("unknown key", "server:\n  prot: 1\n",
        "relay.yaml:2: server.prot: unknown key: did you mean server.port?");
    bad("key without its section", "port: 1\n",
        "relay.yaml:1: port: unknown key: did you mean server.port?");
    bad("key in the wrong section", "hub: {port: 1}\n",
        "relay.yaml:1: hub.port: unknown key: did you mean server.port?");
    bad("key in the wrong case", "Server: {port: 1}\n",
        "relay.yaml:1: Server: unknown key: did you mean server?");
    bad("nothing near it", "database: {}\n", "relay.yaml:1: database: unknown key");
    bad("key with a space", "\"ser ver\": {}\n", "relay.yaml:1: \"ser ver\": unknown key");
    bad("key with an escape", "\"\\e[31m\": {}\n", "relay.yaml:1: \"\\x1b[31m\": unknown key");
    bad("empty key", "\"\": 1\n", "relay.yaml:1: \"\": unknown key");
    bad("merge key", "server:\n  <<: {port: 1}\n", "relay.yaml:2: \"server.<<\": unknown key");
    bad("dotted key", "server.port: 1\n",
        "relay.yaml:1: server.port: write \"port:\" indented below \"server:\"");
    bad("dotted unknown key", "server.prot: 1\n",
        "relay.yaml:1: server.prot: unknown key: did you mean server.port?");
    bad("setting as a section", "server:\n  port:\n    number: 1\n",
        "relay.yaml:2: server.port: takes one value (port), not a map");
    bad("section as a value", "server: 8443\n",
        "relay.yaml:1: server: is a section, not a single value");
    bad("section as a list", "server: [8443]\n", "relay.yaml:1: server: is a section, not a list");
    bad("subsection as a value", "server:\n  tls: true\n",
        "relay.yaml:2: server.tls: is a section, not a single value");
    bad("key twice", "server:\n  port: 1\n  port: 2\n",
        "relay.yaml:3: server.port: is already on line 2");
    bad("section twice", "hub:\n  echo: true\nhub:\n  echo: true\n",
        "relay.yaml:3: hub: is already on line 1");
    bad("a section in itself", "server: &s\n  port: *s\n",
        "relay.yaml:2: server.port: takes one value (port), not a map");

    // Ports and numbers.
    bad("port too high", "server:\n  port: 99999\n",
        "relay.yaml:2: server.port: 99999 is not a port (0 to 65535)");
    bad("port one too high", "server: {port: 65536}",
        "relay.yaml:1: server.port: 65536 is not a port (0 to 65535)");
    bad("negative port", "server: {port: -1}",
        "relay.yaml:1: server.port: -1 is not a port (0 to 65535)");
    bad("port as a word", "server: {port: http}",
        "relay.yaml:1: server.port: http is not a port (0 to 65535)");
    bad("port in quotes", "server: {port: \"8443\"}",
        "relay.yaml:1: server.port: \"8443\" is text: write the port without quotes");
    bad("port without a value", "server:\n  port:\n",
        "relay.yaml:2: server.port: has no value: write one (the default is 8443)");
    bad("port null", "server: {port: ~}", "relay.yaml:1: server.port: has no value");
    bad("port as a list", "server: {port: [1, 2]}",
        "relay.yaml:1: server.port: takes one value (port), not a list");
    bad("fractional port", "server: {port: 80.5}", "relay.yaml:1: server.port: 80.5 is not a port");
    bad("octal port", "server: {port: 010}", "relay.yaml:1: server.port: 010 is not a port");
    bad("hexadecimal port", "server: {port: 0x50}",
        "relay.yaml:1: server.port: 0x50 is not a port");
    bad("port beyond 64 bits", "server: {port: 99999999999999999999}",
        "relay.yaml:1: server.port: 99999999999999999999 is not a port");
    bad("too many workers", "server: {workers: 1025}",
        "relay.yaml:1: server.workers: 1025 is not a whole number (0 to 1024)");
    bad("too few header fields", "limits: {request_header_fields: 7}",
        "relay.yaml:1: limits.request_header_fields: 7 is not a whole number (8 to 1000)");
    bad("negative connections", "limits: {connections: -1}",
        "relay.yaml:1: limits.connections: -1 is not a whole number");
    bad("no metrics connection", "metrics: {connections: 0}",
        "relay.yaml:1: metrics.connections: 0 is not a whole number (1 to 10000)");

    // Booleans, choices.
    bad("boolean as a number", "hub: {echo: 1}",
        "relay.yaml:1: hub.echo: 1 is neither true nor false");
    bad("boolean as yes", "hub: {echo: yes}",
        "relay.yaml:1: hub.echo: yes is neither true nor false");
    bad("boolean in quotes", "hub: {echo: \"true\"}", "relay.yaml:1: hub.echo: \"true\" is text");
    bad("unknown choice", "logging: {level: loud}",
        "relay.yaml:1: logging.level: loud is not one of debug, info, warning, error");
    bad("choice in capitals", "logging: {format: JSON}",
        "relay.yaml:1: logging.format: JSON is not one of text, json");
    bad("empty choice", "slow_clients: {policy: \"\"}",
        "relay.yaml:1: slow_clients.policy: \"\" is not one of disconnect, drop_oldest");

    // Sizes and durations.
    bad("size of no size", "limits: {message_size: big}",
        "relay.yaml:1: limits.message_size: big is not a size: ");
    bad("size in decimal units", "limits: {message_size: 1 MB}",
        "relay.yaml:1: limits.message_size: \"1 MB\" is a size in an unclear unit: write it in "
        "MiB");
    bad("size of nothing", "limits: {message_size: 0}",
        "relay.yaml:1: limits.message_size: 0 is not a size (1 B to 1 GiB)");
    bad("size above its bound", "limits: {message_size: 1025 MiB}",
        "relay.yaml:1: limits.message_size: \"1025 MiB\" is not a size (1 B to 1 GiB)");
    bad("head one byte too small", "limits: {request_head_size: 1023}",
        "relay.yaml:1: limits.request_head_size: 1023 is not a size (1 KiB to 1 MiB)");
    bad("head one byte too large", "limits: {request_head_size: 1048577}",
        "relay.yaml:1: limits.request_head_size: 1048577 is not a size (1 KiB to 1 MiB)");
    bad("negative size", "limits: {queue_size: -1 KiB}",
        "relay.yaml:1: limits.queue_size: \"-1 KiB\" is not a size: ");
    bad("duration of no duration", "keepalive: {interval: often}",
        "relay.yaml:1: keepalive.interval: often is not a duration: ");
    bad("duration above its bound", "keepalive: {timeout: 61m}",
        "relay.yaml:1: keepalive.timeout: 61m is not a duration (100ms to 1h)");
    bad("duration below its bound", "keepalive: {timeout: 99ms}",
        "relay.yaml:1: keepalive.timeout: 99ms is not a duration (100ms to 1h)");
    bad("duration in days", "server: {shutdown_timeout: 1d}",
        "relay.yaml:1: server.shutdown_timeout: 1d is not a duration: ");

    // Addresses, origins.
    bad("host name as an address", "server: {address: localhost}",
        "relay.yaml:1: server.address: localhost is not an IP address");
    bad("empty address", "server: {address: \"\"}",
        "relay.yaml:1: server.address: \"\" is not an IP address");
    bad("short address", "server: {address: 127.1}",
        "relay.yaml:1: server.address: 127.1 is not an IP address");
    bad("mapped address", "metrics: {address: '::ffff:127.0.0.1'}",
        "relay.yaml:1: metrics.address: ::ffff:127.0.0.1 is an IPv4 address written as IPv6: "
        "write 127.0.0.1");
    bad("address with a port", "metrics: {address: \"127.0.0.1:9464\"}",
        "relay.yaml:1: metrics.address: 127.0.0.1:9464 is not an IP address");
    bad("origins as one value", "server: {origins: https://a.example}",
        "relay.yaml:1: server.origins: takes a list, not a single value");
    bad("origins as a map", "server: {origins: {a: b}}",
        "relay.yaml:1: server.origins: takes a list, not a map");
    bad("origin with a path", "server: {origins: [https://a.example/]}",
        "relay.yaml:1: server.origins: https://a.example/ is not an origin");
    bad("origin without a scheme", "server: {origins: [a.example]}",
        "relay.yaml:1: server.origins: a.example is not an origin");
    bad("empty origin", "server: {origins: [\"\"]}",
        "relay.yaml:1: server.origins: \"\" is not an origin");
    bad("origin that is a list", "server:\n  origins:\n    - [a]\n",
        "relay.yaml:2: server.origins: element 1 is not text");

    // Settings that must fit each other.
    bad("queue one byte short", "limits:\n  message_size: 3969\n  queue_size: 4 KiB\n",
        "relay.yaml:3: limits.queue_size: 4 KiB cannot hold one message of limits.message_size "
        "(3969 B)");
    bad("message larger than the default queue", "limits:\n  message_size: 4 MiB\n",
        "relay.yaml:2: limits.queue_size: 4 MiB cannot hold one message of limits.message_size (4 "
        "MiB)");
    bad("TLS without a certificate", "server:\n  tls:\n    enabled: true\n    key_file: k\n",
        "relay.yaml:3: server.tls.cert_file: is needed when server.tls.enabled is true");
    bad("TLS without a key", "server:\n  tls:\n    enabled: true\n    cert_file: c\n",
        "relay.yaml:3: server.tls.key_file: is needed when server.tls.enabled is true");
    bad("one port for two", "server: {port: 9464}\n",
        "relay.yaml:1: metrics.port: 9464 is also server.port");
    bad("one port for two, any address",
        "server: {port: 9464, address: \"::\"}\nmetrics: {address: 127.0.0.2}\n",
        "metrics.port: 9464 is also server.port");
}

// A mistake is told with file, line, key and what would be right, and nothing else is complained
// of.
void TestConfigFile::refusesBadFiles()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, problem);
    const QStringList problems = read(text).problems();
    QCOMPARE(problems.size(), 1);
    QVERIFY2(problems.first().contains(problem), qPrintable(problems.first()));
    QVERIFY(!problems.first().contains(QLatin1Char('\n')));
}

// Three mistakes are mended in one go, not in three.
void TestConfigFile::listsAllProblems()
{
    const QStringList problems = read("server:\n"
                                      "  port: 99999\n"
                                      "  tls:\n"
                                      "    enabled: maybe\n"
                                      "limits:\n"
                                      "  message_size: 64 KB\n"
                                      "colour: red\n")
                                     .problems();
    QCOMPARE(problems.size(), 4);
    QVERIFY(problems[0].startsWith(QStringLiteral("relay.yaml:2: server.port: ")));
    QVERIFY(problems[1].startsWith(QStringLiteral("relay.yaml:4: server.tls.enabled: ")));
    QVERIFY(problems[2].startsWith(QStringLiteral("relay.yaml:6: limits.message_size: ")));
    QVERIFY(problems[3].startsWith(QStringLiteral("relay.yaml:7: colour: ")));
}

// A rule over two settings says nothing while one of them is wrong: its default was not asked for.
void TestConfigFile::aBadValueLeavesTheOthers()
{
    const relay::SettingsDraft draft = read("limits: {message_size: x, queue_size: 2 KiB}\n"
                                            "server: {port: 1}\n");
    QCOMPARE(draft.problems().size(), 1);
    QVERIFY(draft.problems().first().contains(QStringLiteral("limits.message_size")));
    QCOMPARE(draft.settings().hub.port, quint16{1});
}

// A wrong path is told as what it is.
void TestConfigFile::refusesWhatIsNoFile()
{
    const QTemporaryDir directory;
    relay::SettingsDraft draft;
    relay::readConfigFile(directory.filePath(QStringLiteral("absent.yaml")), draft);
    relay::readConfigFile(directory.path(), draft);
    QCOMPARE(draft.problems().size(), 2);
    QCOMPARE(draft.problems()[0],
             directory.filePath(QStringLiteral("absent.yaml: there is no such file")));
    QVERIFY(draft.problems()[1].contains(QStringLiteral("is a directory")));
}

// So is a file of somebody else's.
void TestConfigFile::refusesUnreadableFile()
{
    if (geteuid() == 0) {
        QSKIP("root may read everything");
    }
    const QTemporaryDir directory;
    QFile file(directory.filePath(QStringLiteral("relay.yaml")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.close();
    QVERIFY(file.setPermissions(QFileDevice::Permissions()));
    relay::SettingsDraft draft;
    relay::readConfigFile(file.fileName(), draft);
    QCOMPARE(draft.problems().size(), 1);
    QVERIFY(draft.problems().first().contains(QStringLiteral("cannot be read: ")));
}

// A file at the limit is read; one byte more is not, and neither is a device without an end.
void TestConfigFile::refusesLongFile()
{
    const QTemporaryDir directory;
    QFile file(directory.filePath(QStringLiteral("relay.yaml")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray(relay::kMaxConfigFileSize, '\n'));
    file.flush();
    relay::SettingsDraft atLimit;
    relay::readConfigFile(file.fileName(), atLimit);
    QCOMPARE(atLimit.problems(), QStringList());

    file.write("\n");
    file.flush();
    relay::SettingsDraft aboveLimit;
    relay::readConfigFile(file.fileName(), aboveLimit);
    relay::readConfigFile(QStringLiteral("/dev/zero"), aboveLimit);
    QCOMPARE(aboveLimit.problems().size(), 2);
    QVERIFY(aboveLimit.problems().first().contains(QStringLiteral("longer than 4 MiB")));
}

RELAY_TEST(TestConfigFile)
#include "tst_config_file.moc"
