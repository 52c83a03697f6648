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

/// A PagedTableModel with its filter: fetches what is seen, every two seconds while it is visible, and
/// at once after a change.
///
/// `fetch` is called with what is wanted; whoever fetched calls finished(). One fetch runs at a time.
/// `characters`: as makeRowView()'s.
class TablePane : public QWidget
{
    Q_OBJECT

public:
    using Fetch = std::function<void(const TableQuery &query)>;

    TablePane(PagedTableModel &model,
              Fetch fetch,
              const QString &filterHint,
              std::initializer_list<int> characters,
              QWidget *parent = nullptr);

    /// `problem`: why nothing came; empty when something did.
    void finished(const QString &problem);
    [[nodiscard]] QTableView &view() { return *m_view; }
    [[nodiscard]] QLineEdit &filter() { return *m_filter; }
    /// Rows have come: `setRows` gives them to the model, and says which is to be selected, if any.
    /// What the view selects meanwhile is not what the user has chosen.
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

    PagedTableModel &m_model;
    const Fetch m_fetch;
    QLineEdit *m_filter;
    QLabel *m_count;
    QTableView *m_view;
    QTimer m_poll;
    QTimer m_settle; ///< a scroll or typing goes on: one fetch when it rests
    bool m_isFetching = false;
    bool m_isStale = false; ///< something changed during a fetch
    bool m_isTakingRows = false;
};

} // namespace relay::gui
