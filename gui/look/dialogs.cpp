#include "gui/look/dialogs.h"

#include <QMessageBox>
#include <QPushButton>

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

} // namespace relay::gui
