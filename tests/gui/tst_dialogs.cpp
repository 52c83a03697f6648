#include "gui/look/dialogs.h"
#include "gui/look/theme.h"
#include "support/test_main.h"
#include "widget_application.h"

#include <QApplication>
#include <QDialogButtonBox>
#include <QMessageBox>
#include <QPushButton>
#include <QSpinBox>
#include <QTest>

#include <algorithm>

using namespace relay::gui;

/// The dialogs that ask before something happens.
class TestDialogs : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void enterConfirmsNothing_data();
    void enterConfirmsNothing();
    void theButtonWithTheVerbConfirms();
    void theNumberHasItsUnitAndItsLimits();
    void iconsAreTheProgramsOwn();
};

namespace {

const Question kQuestion{QStringLiteral("Drain"), QStringLiteral("Drain the relay?"),
                         QStringLiteral("This cannot be undone."), QStringLiteral("Drain")};
const NumberField kSeconds{QStringLiteral("Within"), QStringLiteral("seconds"), 30, 0, 60};

/// The dialog over the parent.
QDialog *dialogOf(const QWidget &parent)
{
    return parent.findChild<QDialog *>();
}

QPushButton *buttonOf(const QDialog &dialog, const QString &text)
{
    const auto buttons = dialog.findChildren<QPushButton *>();
    const auto found = std::find_if(buttons.begin(), buttons.end(), [&](const QPushButton *button) {
        return button->text().remove(QLatin1Char('&')) == text;
    });
    return found == buttons.end() ? nullptr : *found;
}

} // namespace

void TestDialogs::enterConfirmsNothing_data()
{
    QTest::addColumn<bool>("hasNumber");
    QTest::newRow("question") << false;
    QTest::newRow("question with a number") << true;
}

/// Promise: Enter, pressed by habit, does nothing that cannot be taken back.
void TestDialogs::enterConfirmsNothing()
{
    QFETCH(bool, hasNumber);
    QWidget parent;
    parent.show();
    int agreed = 0;
    if (hasNumber) {
        askNumber(&parent, kQuestion, kSeconds, [&](int) { ++agreed; });
    } else {
        ask(&parent, kQuestion, [&] { ++agreed; });
    }
    QDialog *dialog = dialogOf(parent);
    QVERIFY(dialog != nullptr);
    QVERIFY(buttonOf(*dialog, QStringLiteral("Cancel"))->isDefault());
    QWidget *focused = hasNumber ? dialog->findChild<QSpinBox *>() : static_cast<QWidget *>(dialog);
    QTest::keyClick(focused, Qt::Key_Return);
    QVERIFY(!dialog->isVisible());
    QCOMPARE(agreed, 0);
}

/// Promise: agreeing is a deliberate press of a button that says what happens, with the number that was chosen.
void TestDialogs::theButtonWithTheVerbConfirms()
{
    QWidget parent;
    parent.show();
    int chosen = -1;
    askNumber(&parent, kQuestion, kSeconds, [&](int number) { chosen = number; });
    QDialog *dialog = dialogOf(parent);
    dialog->findChild<QSpinBox *>()->setValue(45);
    QTest::mouseClick(buttonOf(*dialog, QStringLiteral("Drain")), Qt::LeftButton);
    QCOMPARE(chosen, 45);
    QVERIFY(!dialog->isVisible());
}

/// Promise: nobody has to guess whether 30 are seconds or minutes.
void TestDialogs::theNumberHasItsUnitAndItsLimits()
{
    QWidget parent;
    parent.show();
    askNumber(&parent, kQuestion, kSeconds, [](int) {});
    const auto *number = dialogOf(parent)->findChild<QSpinBox *>();
    QVERIFY2(number->text().endsWith(QLatin1String("seconds")), qPrintable(number->text()));
    QCOMPARE(number->value(), 30);
    QCOMPARE(number->minimum(), 0);
    QCOMPARE(number->maximum(), 60);
}

/// Promise: message boxes have the line icons of the rest, in the text's colour; buttons have none, which would be
/// black on black in the dark.
void TestDialogs::iconsAreTheProgramsOwn()
{
    for (const Theme theme : {Theme::Light, Theme::Dark}) {
        applyTheme(*qApp, theme);
        QWidget parent;
        parent.show();
        complain(&parent, QStringLiteral("Drain"), QStringLiteral("It failed."));
        auto *box = parent.findChild<QMessageBox *>();
        const QImage icon = box->iconPixmap().toImage();
        QVERIFY(!icon.isNull());
        const QColor text = QGuiApplication::palette().color(QPalette::Text);
        for (int y = 0; y < icon.height(); ++y) {
            for (int x = 0; x < icon.width(); ++x) {
                const QColor pixel = icon.pixelColor(x, y);
                QVERIFY(pixel.alpha() < 255 || pixel.rgb() == text.rgb());
            }
        }
        const QDialogButtonBox buttons(QDialogButtonBox::Close);
        QVERIFY(buttons.button(QDialogButtonBox::Close)->icon().isNull());
    }
}

RELAY_TEST_IN(relay::test::WidgetApplication, TestDialogs)
#include "tst_dialogs.moc"
