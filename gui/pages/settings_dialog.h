#pragma once

#include <QCheckBox>
#include <QDialog>
#include <QLabel>
#include <QLineEdit>
#include <QTableWidget>

namespace relay::gui {

/// A relay's settings in force: those that differ from the defaults first, with a filter.
///
/// Thread: the window's.
class SettingsDialog : public QDialog
{
    Q_OBJECT

public:
    /// `config`: as relayd prints it.
    explicit SettingsDialog(const QString &config, QWidget *parent = nullptr);

    [[nodiscard]] QTableWidget &table() { return *m_table; }
    [[nodiscard]] QLineEdit &filter() { return *m_filter; }
    [[nodiscard]] QCheckBox &onlyChanged() { return *m_onlyChanged; }

private:
    void fill(const QString &config);
    void showRows();
    void showHelp();

    QLineEdit *m_filter;
    QCheckBox *m_onlyChanged;
    QTableWidget *m_table;
    QLabel *m_help;
};

} // namespace relay::gui
