#include "base/visible_text.h"

#include "support/test_main.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

/// What strangers write is told apart by who reads it in a log or a table.
class TestVisibleText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void invisibleIsEscaped_data();
    void invisibleIsEscaped();
    void jsonStaysWhatItSays();
};

void TestVisibleText::invisibleIsEscaped_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("shown");
    QTest::newRow("nothing") << QString() << QString();
    QTest::newRow("ASCII") << QStringLiteral("a b~") << QStringLiteral("a b~");
    QTest::newRow("letters") << QStringLiteral("gr\u00fc\u00dfe \u4f60\u597d")
                             << QStringLiteral("gr\u00fc\u00dfe \u4f60\u597d");
    QTest::newRow("beyond the basic plane")
        << QStringLiteral("\U0001F600") << QStringLiteral("\U0001F600");
    QTest::newRow("escape") << QStringLiteral("\x1b[31m") << QStringLiteral("\\x1b[31m");
    QTest::newRow("nul") << QString(QChar(u'\0')) << QStringLiteral("\\x00");
    QTest::newRow("right to left override")
        << QStringLiteral("a\u202eb") << QStringLiteral("a\\u202eb");
    QTest::newRow("zero width space") << QStringLiteral("a\u200bb") << QStringLiteral("a\\u200bb");
    QTest::newRow("soft hyphen") << QStringLiteral("a\u00adb") << QStringLiteral("a\\xadb");
    QTest::newRow("line separator") << QStringLiteral("a\u2028b") << QStringLiteral("a\\u2028b");
    QTest::newRow("tag") << QStringLiteral("a\U000e0041") << QStringLiteral("a\\U000e0041");
    QTest::newRow("variation selector") << QStringLiteral("a\ufe0f") << QStringLiteral("a\\ufe0f");
    QTest::newRow("Hangul filler") << QStringLiteral("a\u3164") << QStringLiteral("a\\u3164");
    QTest::newRow("backslash") << QStringLiteral("a\\u202eb") << QStringLiteral("a\\\\u202eb");
    QTest::newRow("backslash before an escape")
        << QStringLiteral("\\\u202e") << QStringLiteral("\\\\\\u202e");
    QTest::newRow("half a pair") << QString(QChar(0xD83D)) + QLatin1Char('a')
                                 << QString(QChar(0xFFFD)) + QLatin1Char('a');
}

void TestVisibleText::invisibleIsEscaped()
{
    QFETCH(QString, text);
    QFETCH(QString, shown);
    QCOMPARE(relay::escapeInvisible(text), shown);
}

/// Who reads JSON gets the same text, and who splits its lines gets whole ones.
void TestVisibleText::jsonStaysWhatItSays()
{
    const QJsonObject object{
        {QStringLiteral("text"),
         QStringLiteral("\\ \" gr\u00fc\u00df \u0085 \u2028 \u202e \U000e0041")}};
    const QString json = QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
    const QString escaped = relay::escapeInvisibleInJson(json);
    QCOMPARE(QJsonDocument::fromJson(escaped.toUtf8()).object(), object);
    QVERIFY(
        escaped.contains(QStringLiteral("gr\u00fc\u00df \\u0085 \\u2028 \\u202e \\udb40\\udc41")));
}

RELAY_TEST(TestVisibleText)
#include "tst_visible_text.moc"
