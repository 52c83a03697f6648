#include "config/load_settings.h"
#include "config/ops_token.h"

#include "support/test_main.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace relay;

namespace {

const QByteArray kToken = "f3a9c0d1e2b4a5968778695a4b3c2d1e";

void write(const QString &path, const QByteArray &content)
{
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size()) {
        qFatal("no temporary file");
    }
}

/// Loads settings of this text; what is wrong with them, a line each.
QString problemsOf(const QByteArray &text)
{
    const QTemporaryDir directory;
    const QString path = directory.filePath(QStringLiteral("relay.yaml"));
    write(path, text);
    return loadSettings(path, QProcessEnvironment()).problems.join(QLatin1Char('\n'));
}

} // namespace

/// The operators' token, and when a relay must have one.
class TestOpsToken : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatATokenIs_data();
    void whatATokenIs();
    void isReadFromTheSettings();
    void isReadFromItsFile_data();
    void isReadFromItsFile();
    void unreadableFileIsNamed();
    void badFileIsNamedAndNotQuoted();
    void looseFileIsComplainedOf_data();
    void looseFileIsComplainedOf();
    void settingsAreRefused_data();
    void settingsAreRefused();
};

void TestOpsToken::whatATokenIs_data()
{
    QTest::addColumn<QByteArray>("token");
    QTest::addColumn<bool>("isGood");
    QTest::newRow("shortest") << QByteArray(kMinTokenBytes, 'x') << true;
    QTest::newRow("too short") << QByteArray(kMinTokenBytes - 1, 'x') << false;
    QTest::newRow("longest") << QByteArray(kMaxTokenBytes, 'x') << true;
    QTest::newRow("too long") << QByteArray(kMaxTokenBytes + 1, 'x') << false;
    QTest::newRow("none") << QByteArray() << false;
    QTest::newRow("signs") << QByteArray("!\"#$%&'()*+,-./~") << true;
    QTest::newRow("space within") << QByteArray("0123456789 0123456789") << false;
    QTest::newRow("line end") << QByteArray("0123456789\n0123456789") << false;
    QTest::newRow("delete") << QByteArray("0123456789\x7f"
                                          "0123456789")
                            << false;
    QTest::newRow("umlaut") << QByteArray("0123456789\xc3\xa4"
                                          "0123456789")
                            << false;
    QTest::newRow("NUL") << QByteArray("0123456789\0"
                                       "0123456789",
                                       21)
                         << false;
}

/// What can be sent as a bearer token, and is not guessed soon.
void TestOpsToken::whatATokenIs()
{
    QFETCH(const QByteArray, token);
    QTEST(isOpsToken(token), "isGood");
}

void TestOpsToken::isReadFromTheSettings()
{
    QCOMPARE(loadToken({}).value(), QByteArray());
    Settings::Operators ops;
    ops.token = QString::fromLatin1(kToken);
    QCOMPARE(loadToken(ops).value(), kToken);
}

void TestOpsToken::isReadFromItsFile_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("token alone") << kToken;
    QTest::newRow("line") << kToken + '\n';
    QTest::newRow("line of Windows") << kToken + "\r\n";
    QTest::newRow("white space around") << "\n  " + kToken + " \n\n";
}

/// A file that an editor or `openssl rand` has written is right.
void TestOpsToken::isReadFromItsFile()
{
    QFETCH(const QByteArray, content);
    const QTemporaryDir directory;
    Settings::Operators ops;
    ops.tokenFile = directory.filePath(QStringLiteral("token"));
    write(ops.tokenFile, content);
    QCOMPARE(loadToken(ops).value(), kToken);
}

void TestOpsToken::unreadableFileIsNamed()
{
    const QTemporaryDir directory;
    Settings::Operators ops;
    for (const QString &path : {directory.filePath(QStringLiteral("missing")), directory.path()}) {
        ops.tokenFile = path;
        const auto token = loadToken(ops);
        QVERIFY(!token);
        QVERIFY2(token.error().message.contains(path), qPrintable(token.error().message));
        QVERIFY(token.error().message.startsWith(QStringLiteral("ops.token_file: ")));
    }
}

/// The relay does not start without the protection that was asked for, nor tells a secret to the
/// log.
void TestOpsToken::badFileIsNamedAndNotQuoted()
{
    const QTemporaryDir directory;
    Settings::Operators ops;
    ops.tokenFile = directory.filePath(QStringLiteral("token"));
    for (const QByteArray &content : {QByteArray(), QByteArray("secret\n"),
                                      QByteArray(kToken + '\n' + kToken), QByteArray(100'000, 'x')})
    {
        write(ops.tokenFile, content);
        const auto token = loadToken(ops);
        QVERIFY(!token);
        const QString message = token.error().message;
        QVERIFY2(message.contains(ops.tokenFile), qPrintable(message));
        QVERIFY2(!message.contains(QStringLiteral("secret")), qPrintable(message));
        QVERIFY2(!message.contains(QString::fromLatin1(kToken)), qPrintable(message));
    }
}

void TestOpsToken::looseFileIsComplainedOf_data()
{
    QTest::addColumn<QFileDevice::Permissions>("more");
    QTest::addColumn<bool>("isLoose");
    QTest::newRow("owner's") << QFileDevice::Permissions() << false;
    QTest::newRow("group's") << QFileDevice::Permissions(QFileDevice::ReadGroup) << false;
    QTest::newRow("read by all") << QFileDevice::Permissions(QFileDevice::ReadOther) << true;
    QTest::newRow("written by all") << QFileDevice::Permissions(QFileDevice::WriteOther) << true;
}

/// A token that everybody on the machine can read is none; the relay starts all the same, as it did
/// yesterday, and says so.
void TestOpsToken::looseFileIsComplainedOf()
{
    QFETCH(const QFileDevice::Permissions, more);
    QFETCH(const bool, isLoose);
    const QTemporaryDir directory;
    Settings::Operators ops;
    QVERIFY(!complainOfTokenFile(ops));
    ops.tokenFile = directory.filePath(QStringLiteral("token"));
    write(ops.tokenFile, kToken + '\n');
    QVERIFY(QFile::setPermissions(ops.tokenFile,
                                  QFileDevice::ReadOwner | QFileDevice::WriteOwner | more));
    const auto complaint = complainOfTokenFile(ops);
    QCOMPARE(complaint.has_value(), isLoose);
    if (complaint) {
        QVERIFY(complaint->contains(ops.tokenFile));
        QVERIFY(!complaint->contains(QString::fromLatin1(kToken)));
    }
}

void TestOpsToken::settingsAreRefused_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("problemHolds"); ///< empty: it is good
    const QByteArray ops = "ops:\n  token: ";
    const QByteArray everywhere = "metrics:\n  address: 0.0.0.0\n";
    const QString needed = QStringLiteral("ops.token_file");
    QTest::newRow("token") << QByteArray(ops + kToken + "\n") << QString();
    QTest::newRow("short") << QByteArray(ops + "secret\n") << QStringLiteral("is not a token");
    QTest::newRow("both") << QByteArray(ops + kToken + "\n  token_file: x\n")
                          << QStringLiteral("remove one of them");
    QTest::newRow("public without") << everywhere << needed;
    QTest::newRow("all of IPv6 without") << QByteArray("metrics:\n  address: '::'\n") << needed;
    QTest::newRow("public with a token")
        << QByteArray(everywhere + ops + kToken + "\n") << QString();
    QTest::newRow("public with a file")
        << QByteArray(everywhere + "ops:\n  token_file: x\n") << QString();
    QTest::newRow("public and off") << QByteArray(everywhere + "  enabled: false\n") << QString();
    QTest::newRow("loopback") << QByteArray("metrics:\n  address: 127.0.0.2\n") << QString();
}

/// A port that others reach and nobody guards is found before the relay starts, and said with what
/// to do; a token that is no good is told without quoting it.
void TestOpsToken::settingsAreRefused()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QString, problemHolds);
    const QString problems = problemsOf(text);
    if (problemHolds.isEmpty()) {
        QCOMPARE(problems, QString());
    } else {
        QVERIFY2(problems.contains(problemHolds), qPrintable(problems));
    }
    QVERIFY2(!problems.contains(QStringLiteral("secret")), qPrintable(problems));
}

RELAY_TEST(TestOpsToken)
#include "tst_ops_token.moc"
