#include "gui/look/dialogs.h"

#include "gui/look/card.h"

#include <QDialog>
#include <QDialogButtonBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QMessageBox>
#include <QPushButton>
#include <QSpinBox>
#include <QStyle>

#include <utility>

namespace relay::gui {

namespace {

QMessageBox *makeBox(QWidget *parent, QMessageBox::Icon icon, const QString &title)
{
    auto *box = new QMessageBox(parent);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setIcon(icon);
    box->setWindowTitle(title);
    box->setTextFormat(Qt::PlainText);
    return box;
}

} // namespace

void complain(QWidget *parent, const QString &title, const QString &problem)
{
    QMessageBox *box = makeBox(parent, QMessageBox::Warning, title);
    box->setText(problem);
    box->open();
}

void ask(QWidget *parent, const Question &question, std::function<void()> agreed)
{
    QMessageBox *box = makeBox(parent, QMessageBox::Question, question.title);
    box->setText(question.text);
    box->setInformativeText(question.consequence);
    box->setDefaultButton(box->addButton(QMessageBox::Cancel));
    const QPushButton *yes = box->addButton(question.agreement, QMessageBox::AcceptRole);
    QObject::connect(yes, &QPushButton::clicked, parent, std::move(agreed));
    box->open();
}

void askNumber(QWidget *parent,
               const Question &question,
               const NumberField &field,
               std::function<void(int)> agreed)
{
    auto *dialog = new QDialog(parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(question.title);
    const QStyle &style = *dialog->style();
    const int iconSize = style.pixelMetric(QStyle::PM_MessageBoxIconSize);
    auto *mark = new QLabel;
    mark->setPixmap(style.standardIcon(QStyle::SP_MessageBoxQuestion).pixmap(iconSize));
    auto *consequence = makeLabel(question.consequence);
    consequence->setWordWrap(true);
    consequence->setMinimumWidth(dialog->fontMetrics().averageCharWidth() * 50);
    auto *number = new QSpinBox;
    number->setRange(field.least, field.most);
    number->setValue(field.value);
    number->setSuffix(QChar(0xa0) + field.unit);
    number->setAccessibleName(field.name);
    auto *numberRow = new QHBoxLayout;
    numberRow->addWidget(makeLabel(field.name));
    numberRow->addWidget(number);
    numberRow->addStretch();
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    const QPushButton *yes = buttons->addButton(question.agreement, QDialogButtonBox::AcceptRole);
    buttons->button(QDialogButtonBox::Cancel)->setDefault(true);

    auto *grid = new QGridLayout(dialog);
    grid->setHorizontalSpacing(dialog->fontMetrics().height());
    grid->addWidget(mark, 0, 0, 3, 1, Qt::AlignTop);
    grid->addWidget(makeHeading(question.text), 0, 1);
    grid->addWidget(consequence, 1, 1);
    grid->addLayout(numberRow, 2, 1);
    grid->addWidget(buttons, 3, 0, 1, 2);
    QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
    QObject::connect(yes, &QPushButton::clicked, parent,
                     [dialog, number, agreed = std::move(agreed)] {
                         const int value = number->value();
                         dialog->accept();
                         agreed(value);
                     });
    number->setFocus();
    dialog->open();
}

} // namespace relay::gui
