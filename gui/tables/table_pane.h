#pragma once

#include "gui/tables/paged_table_model.h"

#include <QLabel>
#include <QLineEdit>
#include <QTableView>
#include <QTimer>
#include <QWidget>

#include <functional>
#include <initializer_list>

namespace relay::gui {

/// A PagedTableModel with its filter: fetches the rows in view, every two seconds while it is visible, and
/// immediately after a change.
///
/// `fetch` is called with the query; the page calls finished() after each. One fetch runs at a time.
/// `characters`, `elastic`: see makeRowView().
/// Owner: of the model, which is destroyed with the view.
class TablePane : public QWidget
{
    Q_OBJECT

public:
    using Fetch = std::function<void(const TableQuery &query)>;

    TablePane(PagedTableModel *model,
              Fetch fetch,
              const QString &filterHint,
              std::initializer_list<int> characters,
              int elastic,
              QWidget *parent = nullptr);

    /// Lets the user choose the columns, in the header's context menu. `hidden`: the keys of those that are hidden
    /// at first. The choice is kept in QSettings under `settingsKey`.
    void makeColumnsOptional(const QString &settingsKey, const QStringList &hidden);
    /// Shown in place of rows while there are none and no filter is set.
    void setEmptyHint(const QString &text);

    /// `problem`: why no rows came; empty: rows came.
    void finished(const QString &problem);
    [[nodiscard]] QTableView &view() { return *m_view; }
    [[nodiscard]] QLineEdit &filter() { return *m_filter; }
    /// Rows have come: `setRows` gives them to the model, and returns which is to be selected, if any.
    /// Meanwhile a selection is not the user's.
    void takeRows(const std::function<std::optional<int>()> &setRows);
    void refresh();

Q_SIGNALS:
    /// The user has chosen a row; -1: none.
    void userSelected(int row);

protected:
    void showEvent(QShowEvent *event) override;
    void hideEvent(QHideEvent *event) override;

private:
    void noteVisibleRows();
    void showCount(const QString &problem);

    void keepColumns() const;
    void updateEmptyHint();

    PagedTableModel &m_model;
    const Fetch m_fetch;
    QLineEdit *m_filter;
    QLabel *m_count;
    QTableView *m_view;
    QLabel *m_emptyHint;
    QString m_emptyText;
    QString m_columnsKey; ///< in QSettings
    QTimer m_poll;
    QTimer m_settle; ///< while the user scrolls or types: one fetch afterwards
    bool m_isFetching = false;
    bool m_isStale = false; ///< something changed during a fetch
    bool m_isTakingRows = false;
};

} // namespace relay::gui
