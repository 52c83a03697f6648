#pragma once

#include "gui/choice.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QWidget>

namespace relay::gui {

/// Offers to watch a running relay, or to run one. It remembers the last choices (addresses and file names,
/// never a token).
class StartPage : public QWidget
{
    Q_OBJECT

public:
    explicit StartPage(QWidget *parent = nullptr);

    /// Why the last choice failed; empty: no problem.
    void setProblem(const QString &problem);
    /// Keeps the choice for the next time.
    void remember(const Choice &choice);
    [[nodiscard]] QComboBox &url() { return *m_url; }

Q_SIGNALS:
    void chosen(const relay::gui::Choice &choice);

private:
    QWidget *makeRemoteCard();
    QWidget *makeEmbedCard();
    void askFile(QLineEdit *target, const QString &title, const QString &filter);

    QComboBox *m_url;
    QLineEdit *m_tokenFile;
    QLineEdit *m_configFile;
    QLabel *m_problem;
};

} // namespace relay::gui
