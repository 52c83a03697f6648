#include "gui/tables/paged_table_model.h"

#include "gui/look/foreign_text.h"

#include <algorithm>
#include <utility>

namespace relay::gui {

PagedTableModel::PagedTableModel(QList<Column> columns, QObject *parent)
    : QAbstractTableModel(parent)
    , m_columns(std::move(columns))
{
    m_query.limit = kWindowRows;
}

void PagedTableModel::setFilter(const QString &text)
{
    if (m_query.filter != text) {
        m_query.filter = text;
        m_query.offset = 0;
        Q_EMIT wanted();
    }
}

void PagedTableModel::sort(int column, Qt::SortOrder order)
{
    const QByteArray key = m_columns.value(column).sortKey;
    const bool isDescending = order == Qt::DescendingOrder;
    if (!key.isEmpty() && (key != m_query.sort || isDescending != m_query.isDescending)) {
        m_query.sort = key;
        m_query.isDescending = isDescending;
        Q_EMIT wanted();
    }
}

void PagedTableModel::showRows(int first, int last)
{
    const qsizetype windowEnd = m_query.offset + kWindowRows;
    const bool isWithin = first >= m_query.offset && std::min(last, m_total - 1) < windowEnd;
    if (!isWithin) {
        const int middle = first + (last - first) / 2;
        m_query.offset = std::max(0, middle - kWindowRows / 2);
        Q_EMIT wanted();
    }
}

void PagedTableModel::pageCame(qint64 total, qint64 offset, int count)
{
    const int newTotal = static_cast<int>(std::clamp<qint64>(total, 0, kMaxRows));
    m_first = static_cast<int>(std::clamp<qint64>(offset, 0, newTotal));
    m_held = offset == m_first ? std::min(count, newTotal - m_first) : 0;
    if (newTotal > m_total) {
        beginInsertRows({}, m_total, newTotal - 1);
        m_total = newTotal;
        endInsertRows();
    } else if (newTotal < m_total) {
        beginRemoveRows({}, newTotal, m_total - 1);
        m_total = newTotal;
        endRemoveRows();
    }
    if (m_total > 0) {
        Q_EMIT dataChanged(index(0, 0), index(m_total - 1, static_cast<int>(m_columns.size()) - 1));
    }
    const int lastWindow = std::max(0, m_total - kWindowRows);
    if (count == 0 && offset > 0 && m_total > 0 && m_query.offset != lastWindow) {
        // The table has become shorter than where the window was.
        m_query.offset = lastWindow;
        Q_EMIT wanted();
    }
    Q_EMIT pageChanged();
}

QString PagedTableModel::columnKey(int column) const
{
    return QString::fromLatin1(m_columns.value(column).sortKey);
}

qint64 PagedTableModel::idAt(int row) const
{
    const int held = row - m_first;
    return held >= 0 && held < m_held ? idOf(held) : -1;
}

std::optional<int> PagedTableModel::rowOf(qint64 id) const
{
    for (int held = 0; held < m_held; ++held) {
        if (idOf(held) == id) {
            return m_first + held;
        }
    }
    return std::nullopt;
}

int PagedTableModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : m_total;
}

int PagedTableModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_columns.size());
}

QVariant PagedTableModel::data(const QModelIndex &index, int role) const
{
    const int held = index.row() - m_first;
    if (role == Qt::TextAlignmentRole) {
        return (m_columns[index.column()].alignment | Qt::AlignVCenter).toInt();
    }
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole) {
        return {};
    }
    if (held < 0 || held >= m_held) {
        return {};
    }
    const QString shown = visibleWord(text(held, index.column()));
    return role == Qt::ToolTipRole ? plainToolTip(shown) : shown;
}

QVariant PagedTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section >= m_columns.size()) {
        return {};
    }
    const Column &column = m_columns[section];
    switch (role) {
    case Qt::DisplayRole:
        return column.title;
    case Qt::ToolTipRole:
        return column.toolTip;
    case Qt::TextAlignmentRole:
        return (column.alignment | Qt::AlignVCenter).toInt();
    default:
        return {};
    }
}

} // namespace relay::gui
