#pragma once

#include <QString>

#include <functional>

class QWidget;

namespace relay::gui {

// Dialogs over a window, which goes on meanwhile: they return at once. Their texts are shown as they
// are: what a stranger has chosen (a channel's name, a program's) is never taken for markup.

/// Says what went wrong.
void complain(QWidget *parent, const QString &title, const QString &problem);

struct Question
{
    QString title;
    QString text;
    QString consequence; ///< what it means to agree
    QString agreement;   ///< the button's text
};
/// Calls `agreed` if the user agrees; Cancel is the default. Nothing is called once `parent` is gone.
void ask(QWidget *parent, const Question &question, std::function<void()> agreed);

} // namespace relay::gui
