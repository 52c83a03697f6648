#pragma once

#include <QString>

#include <functional>

class QWidget;

namespace relay::gui {

// Dialogs over a window. The functions return immediately; the window goes on meanwhile. Texts are shown as they are:
// a name that a stranger has chosen (of a channel, of a program) is never taken for markup.

/// Reports a problem.
void complain(QWidget *parent, const QString &title, const QString &problem);

struct Question
{
    QString title;
    QString text;
    QString consequence; ///< what happens after agreeing
    QString agreement;   ///< the button's text
};
/// Calls `agreed` if the user agrees. Cancel is the default, so that Enter confirms nothing. Nothing is called after
/// `parent` has been destroyed.
void ask(QWidget *parent, const Question &question, std::function<void()> agreed);

struct NumberField
{
    QString name;
    QString unit; ///< shown after the number
    int value = 0;
    int least = 0;
    int most = 0;
};
/// The same, with a number to choose.
void askNumber(QWidget *parent,
               const Question &question,
               const NumberField &field,
               std::function<void(int)> agreed);

} // namespace relay::gui
