#include "gui/main_window.h"
#include "gui/pages/start_page.h"
#include "scratch_settings.h"
#include "support/test_main.h"
#include "widget_application.h"

#include <QDir>
#include <QFile>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QTest>

#include <memory>

using namespace relay;
using namespace relay::gui;

/// The page on which a relay is chosen.
class TestStartPage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();

    void offersTheDefaultAddressFirst();
    void enterAndButtonChooseTheSame();
    void runChoosesARelayInThisProgram();
    void lastChoicesComeBack();
    void latestAddressComesFirstAndNoneTwice();
    void noSecretIsKept();
    void problemIsShownUntilItIsSolved();
    void refusedChoiceStaysAndIsNotKept();

private:
    std::unique_ptr<ScratchSettings> m_settings;
};

namespace {

QPushButton &button(const QWidget &page, const QString &text)
{
    for (QPushButton *one : page.findChildren<QPushButton *>()) {
        if (one->text().remove(QLatin1Char('&')) == text) {
            return *one;
        }
    }
    qFatal("no such button");
}

/// The fields for files: token, configuration.
QList<QLineEdit *> fileFields(StartPage &page)
{
    QList<QLineEdit *> fields = page.findChildren<QLineEdit *>();
    fields.removeAll(page.url().lineEdit());
    return fields;
}

Choice remote(const QString &url, const QString &tokenFile = {})
{
    return {Choice::Kind::Remote, url, tokenFile, {}};
}

/// Puts down what is chosen.
void note(StartPage &page, QList<Choice> &choices)
{
    QObject::connect(&page, &StartPage::chosen, &page,
                     [&choices](const Choice &choice) { choices.append(choice); });
}

QStringList addresses(StartPage &page)
{
    QStringList result;
    for (int i = 0; i < page.url().count(); ++i) {
        result.append(page.url().itemText(i));
    }
    return result;
}

/// The texts that are seen.
QString shownText(const QWidget &page)
{
    QStringList texts;
    for (const QLabel *label : page.findChildren<QLabel *>()) {
        if (label->isVisibleTo(&page)) {
            texts.append(label->text());
        }
    }
    return texts.join(QLatin1Char('\n'));
}

} // namespace

void TestStartPage::init()
{
    m_settings = std::make_unique<ScratchSettings>();
}

/// Promise: who has a relay on this machine has to press Enter only.
void TestStartPage::offersTheDefaultAddressFirst()
{
    StartPage page;
    QCOMPARE(page.url().currentText(), QStringLiteral("http://127.0.0.1:9464"));
}

/// Promise: Enter in the address starts what the button starts; spaces around it came by accident.
void TestStartPage::enterAndButtonChooseTheSame()
{
    StartPage page;
    QList<Choice> choices;
    note(page, choices);
    page.show();
    page.url().setEditText(QStringLiteral(" http://relay.example:9464 "));
    fileFields(page).first()->setText(QStringLiteral(" /run/token "));
    QTest::keyClick(&page.url(), Qt::Key_Return);
    QTest::mouseClick(&button(page, QStringLiteral("Watch")), Qt::LeftButton);
    QTest::keyClick(fileFields(page).first(), Qt::Key_Return);
    QCOMPARE(choices.size(), 3);
    for (const Choice &choice : choices) {
        QCOMPARE(choice.kind, Choice::Kind::Remote);
        QCOMPARE(choice.url, QStringLiteral("http://relay.example:9464"));
        QCOMPARE(choice.tokenFile, QStringLiteral("/run/token"));
    }
}

/// Promise: one click runs a relay; a configuration is not needed.
void TestStartPage::runChoosesARelayInThisProgram()
{
    StartPage page;
    QList<Choice> choices;
    note(page, choices);
    page.show();
    QTest::mouseClick(&button(page, QStringLiteral("Run")), Qt::LeftButton);
    fileFields(page).last()->setText(QStringLiteral("relay.yaml"));
    QTest::keyClick(fileFields(page).last(), Qt::Key_Return);
    QCOMPARE(choices.size(), 2);
    QCOMPARE(choices[0].kind, Choice::Kind::Embedded);
    QCOMPARE(choices[0].configFile, QString());
    QCOMPARE(choices[1].kind, Choice::Kind::Embedded);
    QCOMPARE(choices[1].configFile, QStringLiteral("relay.yaml"));
}

/// Promise: what was chosen last stands there the next time.
void TestStartPage::lastChoicesComeBack()
{
    {
        StartPage page;
        page.remember(remote(QStringLiteral("http://a:1"), QStringLiteral("/run/token")));
        page.remember({Choice::Kind::Embedded, {}, {}, QStringLiteral("relay.yaml")});
    }
    StartPage page;
    QCOMPARE(page.url().currentText(), QStringLiteral("http://a:1"));
    QCOMPARE(fileFields(page).first()->text(), QStringLiteral("/run/token"));
    QCOMPARE(fileFields(page).last()->text(), QStringLiteral("relay.yaml"));
}

/// Promise: the list of addresses is short, and the one that is used stands first.
void TestStartPage::latestAddressComesFirstAndNoneTwice()
{
    StartPage before;
    for (int i = 1; i <= 9; ++i) {
        before.remember(remote(QStringLiteral("http://relay%1:9464").arg(i)));
    }
    before.remember(remote(QStringLiteral("http://relay5:9464")));
    StartPage page;
    const QStringList shown = addresses(page);
    QCOMPARE(shown.size(), 8);
    QCOMPARE(shown.first(), QStringLiteral("http://relay5:9464"));
    QCOMPARE(shown.count(QStringLiteral("http://relay5:9464")), 1);
    QVERIFY(!shown.contains(QStringLiteral("http://relay1:9464")));
}

/// Promise: the settings hold where a token is, never one; neither a password in an address.
void TestStartPage::noSecretIsKept()
{
    QFile token(m_settings->filePath(QStringLiteral("token")));
    QVERIFY(token.open(QIODevice::WriteOnly));
    token.write("hunter2hunter2hunter2");
    token.close();
    MainWindow window;
    auto *page = window.findChild<StartPage *>();
    Q_EMIT page->chosen(remote(QStringLiteral("http://127.0.0.1:1"), token.fileName()));
    QVERIFY(window.view() != nullptr);
    Q_EMIT page->chosen(remote(QStringLiteral("http://me:hunter2@127.0.0.1:1")));
    window.close();
    QSettings().sync();
    QFile kept(QSettings().fileName());
    QVERIFY(kept.open(QIODevice::ReadOnly));
    const QByteArray text = kept.readAll();
    QVERIFY(text.contains("127.0.0.1:1"));
    QVERIFY2(!text.contains("hunter2"), text.constData());
}

/// Promise: why nothing came of it is said on the page, and not for longer than it is true.
void TestStartPage::problemIsShownUntilItIsSolved()
{
    StartPage page;
    const QString problem = QStringLiteral("there is no such file");
    QVERIFY(!shownText(page).contains(problem));
    page.setProblem(problem);
    QVERIFY(shownText(page).contains(problem));
    page.setProblem({});
    QVERIFY(!shownText(page).contains(problem));
}

/// Promise: a choice that comes to nothing leaves the page, says why, and does not come back.
void TestStartPage::refusedChoiceStaysAndIsNotKept()
{
    MainWindow window;
    window.show();
    auto *page = window.findChild<StartPage *>();
    page->url().setEditText(QStringLiteral("ftp://127.0.0.1"));
    QTest::mouseClick(&button(*page, QStringLiteral("Watch")), Qt::LeftButton);
    QVERIFY(window.view() == nullptr);
    QVERIFY(page->isVisible());
    QVERIFY(shownText(*page).contains(QLatin1String("\"ftp://127.0.0.1\" is not the address")));
    StartPage next;
    QVERIFY(!addresses(next).contains(QStringLiteral("ftp://127.0.0.1")));

    page->url().setEditText(QStringLiteral("http://127.0.0.1:1"));
    QTest::mouseClick(&button(*page, QStringLiteral("Watch")), Qt::LeftButton);
    QVERIFY(window.view() != nullptr);
    window.showStart();
    QVERIFY(!shownText(*page).contains(QLatin1String("is not the address")));
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestStartPage)
#include "tst_start_page.moc"
