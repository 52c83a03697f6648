#include "gui/tables/table_pane.h"

#include "gui/look/card.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/tables/row_view.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QScrollBar>
#include <QVBoxLayout>

#include <utility>

namespace relay::gui {

namespace {

constexpr std::chrono::milliseconds kPoll{2000};
constexpr std::chrono::milliseconds kSettle{80};

} // namespace

TablePane::TablePane(PagedTableModel &model,
                     Fetch fetch,
                     const QString &filterHint,
                     std::initializer_list<int> characters,
                     QWidget *parent)
    : QWidget(parent)
    , m_model(model)
    , m_fetch(std::move(fetch))
    , m_filter(new QLineEdit)
    , m_count(makeQuietLabel({}))
    , m_view(makeRowView(model, characters))
{
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
    connect(m_view->verticalScrollBar(), &QScrollBar::valueChanged, this,
            &TablePane::noteVisibleRows);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this](const QModelIndex &current) {
                if (!m_isTakingRows) {
                    Q_EMIT userSelected(current.row());
                }
            });
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
        m_count->setText(m_filter->text().isEmpty() ? tr("nothing yet") : tr("nothing matches"));
    } else {
        m_count->setText(m_filter->text().isEmpty()
                             ? tr("%1 rows").arg(countText(m_model.rowCount()))
                             : tr("%1 match").arg(countText(m_model.rowCount())));
    }
}

void TablePane::takeRows(const std::function<std::optional<int>()> &setRows)
{
    m_isTakingRows = true;
    if (const std::optional<int> row = setRows()) {
        const QModelIndex index = m_model.index(*row, 0);
        m_view->setAutoScroll(false); // a refresh must not move what the user looks at
        m_view->selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect
                                                             | QItemSelectionModel::Rows);
        m_view->setAutoScroll(true);
    } else {
        m_view->selectionModel()->clear();
    }
    m_isTakingRows = false;
}

} // namespace relay::gui
