#include "base/logging.h"

#include "support/test_main.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace relay;

namespace {

const QString kWhen = QStringLiteral("2024-05-01T12:00:00.123Z");
const QString kCategory = QStringLiteral("relay.hub");

QString textLine(const QString &message)
{
    return formatLogLine(LogFormat::Text, kWhen, QtWarningMsg, kCategory, message);
}

QString jsonLine(const QString &message, QtMsgType type = QtWarningMsg)
{
    return formatLogLine(LogFormat::Json, kWhen, type, kCategory, message);
}

} // namespace

/// One line an event, whatever a client puts into it.
class TestLogging : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textHasTimeLevelCategoryAndMessage();
    void placeholdersInAMessageAreLeftAlone();
    void controlCharactersAreEscaped_data();
    void controlCharactersAreEscaped();
    void jsonIsOneObjectOnOneLine_data();
    void jsonIsOneObjectOnOneLine();
    void levelsHaveNames_data();
    void levelsHaveNames();
    void aLibraryStaysAsQuietAsItIs();
};

// Operators cut lines at blanks: the order of the columns is a promise.
void TestLogging::textHasTimeLevelCategoryAndMessage()
{
    QCOMPARE(textLine(QStringLiteral("client 7 connected")),
             QStringLiteral("2024-05-01T12:00:00.123Z warning relay.hub: client 7 connected"));
}

// A client's text may hold what QString::arg() takes for a place to fill.
void TestLogging::placeholdersInAMessageAreLeftAlone()
{
    QVERIFY(textLine(QStringLiteral("path /%1%2%3%4")).endsWith(QStringLiteral("path /%1%2%3%4")));
}

void TestLogging::controlCharactersAreEscaped_data()
{
    QTest::addColumn<QString>("message");
    QTest::addColumn<QString>("escaped");
    QTest::newRow("line feed") << QStringLiteral("a\nb") << QStringLiteral("a\\x0ab");
    QTest::newRow("carriage return") << QStringLiteral("a\rb") << QStringLiteral("a\\x0db");
    QTest::newRow("escape") << QStringLiteral("\x1b[31m") << QStringLiteral("\\x1b[31m");
    QTest::newRow("nul") << QString(QChar(u'\0')) << QStringLiteral("\\x00");
    QTest::newRow("delete") << QStringLiteral("\x7f") << QStringLiteral("\\x7f");
    QTest::newRow("C1") << QString(QChar(0x85)) << QStringLiteral("\\x85");
    QTest::newRow("letters beyond ASCII") << QStringLiteral("höß €") << QStringLiteral("höß €");
}

// A client cannot forge a line, nor colour the operator's terminal.
void TestLogging::controlCharactersAreEscaped()
{
    QFETCH(const QString, message);
    QFETCH(const QString, escaped);
    QCOMPARE(textLine(message), textLine(QString()) + escaped);
}

void TestLogging::jsonIsOneObjectOnOneLine_data()
{
    QTest::addColumn<QString>("message");
    QTest::newRow("plain") << QStringLiteral("client 7 connected");
    QTest::newRow("line breaks") << QStringLiteral("a\r\nb\n");
    QTest::newRow("quotes and backslashes") << QStringLiteral(R"(say "hi" \n)");
    QTest::newRow("control characters") << QStringLiteral("\x01\x1b\x7f");
    QTest::newRow("letters beyond ASCII") << QStringLiteral("höß €");
    QTest::newRow("empty") << QString();
}

// A machine that reads line by line gets each event whole, and the message as it was.
void TestLogging::jsonIsOneObjectOnOneLine()
{
    QFETCH(const QString, message);
    const QString line = jsonLine(message);
    QVERIFY(!line.contains(u'\n'));
    QVERIFY(!line.contains(u'\r'));

    QJsonParseError error;
    const QJsonObject object = QJsonDocument::fromJson(line.toUtf8(), &error).object();
    QCOMPARE(error.error, QJsonParseError::NoError);
    QCOMPARE(object.value(QStringLiteral("time")).toString(), kWhen);
    QCOMPARE(object.value(QStringLiteral("level")).toString(), QStringLiteral("warning"));
    QCOMPARE(object.value(QStringLiteral("category")).toString(), kCategory);
    QCOMPARE(object.value(QStringLiteral("message")).toString(), message);
    QCOMPARE(object.size(), 4);
}

void TestLogging::levelsHaveNames_data()
{
    QTest::addColumn<QtMsgType>("type");
    QTest::addColumn<QString>("name");
    QTest::newRow("debug") << QtDebugMsg << QStringLiteral("debug");
    QTest::newRow("info") << QtInfoMsg << QStringLiteral("info");
    QTest::newRow("warning") << QtWarningMsg << QStringLiteral("warning");
    QTest::newRow("critical") << QtCriticalMsg << QStringLiteral("error");
    QTest::newRow("fatal") << QtFatalMsg << QStringLiteral("error");
}

// The names are those of logging.level in relay.yaml.
void TestLogging::levelsHaveNames()
{
    QFETCH(const QtMsgType, type);
    QFETCH(const QString, name);
    const auto object = QJsonDocument::fromJson(jsonLine(QString(), type).toUtf8()).object();
    QCOMPARE(object.value(QStringLiteral("level")).toString(), name);
}

// Qt's own categories write a line for each repaint at info, unless they are asked: a program with a
// window would write thousands of lines a second.
void TestLogging::aLibraryStaysAsQuietAsItIs()
{
    const QLoggingCategory library("library.painting", QtWarningMsg);
    const QLoggingCategory own("relay.hub");
    installLogging({.level = LogLevel::Info, .format = LogFormat::Text});
    QVERIFY(!library.isInfoEnabled());
    QVERIFY(library.isWarningEnabled());
    QVERIFY(own.isInfoEnabled());
    QVERIFY(!own.isDebugEnabled());
    installLogging({.level = LogLevel::Debug, .format = LogFormat::Text});
    QVERIFY(!library.isInfoEnabled());
    QVERIFY(own.isDebugEnabled());
    installLogging({.level = LogLevel::Error, .format = LogFormat::Text});
    QVERIFY(!own.isWarningEnabled());
    QVERIFY(own.isCriticalEnabled());
    qInstallMessageHandler(nullptr);
    QLoggingCategory::setFilterRules({});
}

RELAY_TEST(TestLogging)
#include "tst_logging.moc"
