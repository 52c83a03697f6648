#pragma once

#include "ops/table_query.h"

#include <QAbstractTableModel>
#include <QList>
#include <QString>

#include <optional>

namespace relay::gui {

/// A long table of which only a window of rows is held: the rows in view, and some around
/// them. The relay sorts and filters.
///
/// The model emits wanted() when it needs rows; a page fetches them and hands them to setPage() of the
/// derived class. Rows outside of the window exist, and are empty until they come into view. A view reports
/// its rows with showRows().
/// Thread: the window's.
/// Limits: kWindowRows rows are held, however many there are; kMaxRows are shown.
/// Errors: the caller drops a page that came for another query; see query().
class PagedTableModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    static constexpr int kWindowRows = 300;
    /// A view keeps some bytes for each row. The filter leads to the rows after these.
    static constexpr int kMaxRows = 1'000'000;

    struct Column
    {
        QString title;
        QByteArray sortKey; ///< the field's name; empty: cannot be sorted by
        Qt::Alignment alignment = Qt::AlignLeft;
        QString toolTip;
    };

    /// What to fetch: the window, in order.
    [[nodiscard]] const TableQuery &query() const { return m_query; }
    void setFilter(const QString &text);
    /// The rows that a view shows; moves the window if they are not all within.
    void showRows(int first, int last);

    /// The name of the column's field, by which it is sorted.
    [[nodiscard]] QString columnKey(int column) const;
    /// -1 for a row that is not held.
    [[nodiscard]] qint64 idAt(int row) const;
    /// The row of this id, if it is held.
    [[nodiscard]] std::optional<int> rowOf(qint64 id) const;

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QVariant
    headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

Q_SIGNALS:
    void wanted();      ///< another window, order or filter
    void pageChanged(); ///< rows have come

protected:
    PagedTableModel(QList<Column> columns, QObject *parent);

    /// Rows have come: `count` from `offset` on, of `total`.
    void pageCame(qint64 total, qint64 offset, int count);
    /// `row` counts from the window's first.
    [[nodiscard]] virtual QString text(int row, int column) const = 0;
    /// What tells a row from others; never the same of two.
    [[nodiscard]] virtual qint64 idOf(int row) const = 0;

private:
    const QList<Column> m_columns;
    TableQuery m_query;
    int m_total = 0;
    int m_first = 0; ///< of the window that is held
    int m_held = 0;
};

} // namespace relay::gui
