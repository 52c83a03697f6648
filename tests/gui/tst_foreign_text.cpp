#include "gui/look/foreign_text.h"
#include "support/test_main.h"
#include "widget_application.h"

#include <QTest>
#include <QTextDocument>

using relay::gui::plainToolTip;
using relay::gui::visibleWord;

/// What strangers call themselves is shown as what it is, and in bounded time.
class TestForeignText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void wordsAreEscapedAndCut_data();
    void wordsAreEscapedAndCut();
    void toolTipIsNoMarkup();
};

void TestForeignText::wordsAreEscapedAndCut_data()
{
    QTest::addColumn<QString>("word");
    QTest::addColumn<QString>("shown");
    const QString most(2000, u'x');
    const QString ellipsis(QChar(0x2026));
    const QString face = QStringLiteral("\U0001F600");
    QTest::newRow("nothing") << QString() << QString();
    QTest::newRow("name") << QStringLiteral("chat/42") << QStringLiteral("chat/42");
    QTest::newRow("turned around") << QStringLiteral("a\u202eb") << QStringLiteral("a\\u202eb");
    QTest::newRow("longest") << most << most;
    QTest::newRow("one more") << most + QLatin1Char('x') << most + ellipsis;
    QTest::newRow("longest by its escapes") << QString(most.first(1996) + QLatin1Char('\x1b'))
                                            << QString(most.first(1996) + QLatin1String("\\x1b"));
    QTest::newRow("too long by its escapes")
        << QString(most.first(1997) + QLatin1Char('\x1b'))
        << QString(most.first(1997) + QLatin1String("\\x1") + ellipsis);
    QTest::newRow("longest with a pair")
        << QString(most.first(1998) + face) << QString(most.first(1998) + face);
    QTest::newRow("cut before a pair")
        << QString(most.first(1999) + face) << QString(most.first(1999) + ellipsis);
}

void TestForeignText::wordsAreEscapedAndCut()
{
    QFETCH(QString, word);
    QFETCH(QString, shown);
    QCOMPARE(visibleWord(word), shown);
}

void TestForeignText::toolTipIsNoMarkup()
{
    const QString word = QStringLiteral("<b>bold</b> & <img src=x>");
    QTextDocument document;
    document.setHtml(plainToolTip(word));
    QCOMPARE(document.toPlainText(), word);
    QVERIFY(plainToolTip(QString()).isEmpty()); // none is shown
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestForeignText)
#include "tst_foreign_text.moc"
