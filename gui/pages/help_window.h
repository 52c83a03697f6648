#pragma once

#include <QDialog>

class QTextBrowser;

namespace relay::gui {

/// The documentation, which is part of the program: no file and no network is needed.
class HelpWindow : public QDialog
{
    Q_OBJECT

public:
    explicit HelpWindow(QWidget *parent = nullptr);

    [[nodiscard]] QTextBrowser &browser() { return *m_browser; }

private:
    void open(const QUrl &link);

    QTextBrowser *m_browser;
};

} // namespace relay::gui
