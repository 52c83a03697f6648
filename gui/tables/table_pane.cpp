#include "gui/tables/table_pane.h"

#include "gui/look/card.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/tables/row_view.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QScrollBar>
#include <QSettings>
#include <QVBoxLayout>

#include <utility>

namespace relay::gui {

namespace {

constexpr std::chrono::milliseconds kPoll{2000};
constexpr std::chrono::milliseconds kSettle{80};

} // namespace

TablePane::TablePane(PagedTableModel *model,
                     Fetch fetch,
                     const QString &filterHint,
                     std::initializer_list<int> characters,
                     int elastic,
                     QWidget *parent)
    : QWidget(parent)
    , m_model(*model)
    , m_fetch(std::move(fetch))
    , m_filter(new QLineEdit)
    , m_count(makeQuietLabel({}))
    , m_view(makeRowView(*model, characters, elastic))
    , m_emptyHint(addEmptyHint(*m_view))
{
    model->setParent(m_view);
    m_filter->setPlaceholderText(filterHint);
    m_filter->setClearButtonEnabled(true);
    m_filter->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    m_view->setSortingEnabled(true);
    m_view->horizontalHeader()->setSortIndicator(0, Qt::AscendingOrder);

    auto *top = new QHBoxLayout;
    top->addWidget(m_filter, 1);
    top->addWidget(m_count);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addLayout(top);
    column->addWidget(m_view, 1);

    m_settle.setSingleShot(true);
    m_settle.setInterval(kSettle);
    m_poll.setInterval(kPoll);
    connect(&m_settle, &QTimer::timeout, this, &TablePane::refresh);
    connect(&m_poll, &QTimer::timeout, this, &TablePane::refresh);
    connect(&m_model, &PagedTableModel::wanted, &m_settle, qOverload<>(&QTimer::start));
    connect(m_filter, &QLineEdit::textChanged, &m_model, &PagedTableModel::setFilter);
    connect(m_filter, &QLineEdit::textChanged, this, &TablePane::updateEmptyHint);
    connect(m_view->verticalScrollBar(), &QScrollBar::valueChanged, this,
            &TablePane::noteVisibleRows);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this](const QModelIndex &current) {
                if (!m_isTakingRows) {
                    Q_EMIT userSelected(current.row());
                }
            });
}

void TablePane::makeColumnsOptional(const QString &settingsKey, const QStringList &hidden)
{
    m_columnsKey = settingsKey;
    const QStringList kept = QSettings().value(settingsKey, hidden).toStringList();
    for (int column = 1; column < m_model.columnCount(); ++column) {
        m_view->setColumnHidden(column, kept.contains(m_model.columnKey(column)));
    }
    QHeaderView *header = m_view->horizontalHeader();
    header->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(header, &QHeaderView::customContextMenuRequested, this, [this, header](QPoint place) {
        auto *menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        // The first column names the row, and stays.
        for (int column = 1; column < m_model.columnCount(); ++column) {
            QAction *action = menu->addAction(
                m_model.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
            action->setCheckable(true);
            action->setChecked(!m_view->isColumnHidden(column));
            connect(action, &QAction::toggled, this, [this, column](bool isWanted) {
                m_view->setColumnHidden(column, !isWanted);
                keepColumns();
            });
        }
        menu->popup(header->mapToGlobal(place));
    });
}

void TablePane::keepColumns() const
{
    QStringList hidden;
    for (int column = 0; column < m_model.columnCount(); ++column) {
        if (m_view->isColumnHidden(column)) {
            hidden.append(m_model.columnKey(column));
        }
    }
    QSettings().setValue(m_columnsKey, hidden);
}

void TablePane::setEmptyHint(const QString &text)
{
    m_emptyText = text;
    updateEmptyHint();
}

/// The words beside the filter say that nothing matches.
void TablePane::updateEmptyHint()
{
    m_emptyHint->setText(m_filter->text().isEmpty() ? m_emptyText : QString());
}

void TablePane::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    m_poll.start();
    refresh();
}

void TablePane::hideEvent(QHideEvent *event)
{
    QWidget::hideEvent(event);
    m_poll.stop();
}

void TablePane::noteVisibleRows()
{
    const int first = std::max(0, m_view->rowAt(0));
    const int last = m_view->rowAt(m_view->viewport()->height() - 1);
    m_model.showRows(first, last < 0 ? m_model.rowCount() - 1 : last);
}

void TablePane::refresh()
{
    m_isStale = m_isFetching;
    if (!m_isFetching) {
        m_isFetching = true;
        m_fetch(m_model.query());
    }
}

void TablePane::finished(const QString &problem)
{
    m_isFetching = false;
    showCount(problem);
    if (std::exchange(m_isStale, false)) {
        refresh();
    }
}

void TablePane::showCount(const QString &problem)
{
    if (!problem.isEmpty()) {
        m_count->setText(problem);
    } else if (m_model.rowCount() == 0) {
        m_count->setText(m_filter->text().isEmpty() ? tr("no rows") : tr("no matches"));
    } else {
        m_count->setText(m_filter->text().isEmpty()
                             ? countedText(m_model.rowCount(), tr("row"), tr("rows"))
                             : countedText(m_model.rowCount(), tr("match"), tr("matches")));
    }
}

void TablePane::takeRows(const std::function<std::optional<int>()> &setRows)
{
    m_isTakingRows = true;
    if (const std::optional<int> row = setRows()) {
        const QModelIndex index = m_model.index(*row, 0);
        m_view->setAutoScroll(false); // a refresh must not move the rows in view
        m_view->selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect
                                                             | QItemSelectionModel::Rows);
        m_view->setAutoScroll(true);
    } else {
        m_view->selectionModel()->clear();
    }
    m_isTakingRows = false;
}

} // namespace relay::gui
