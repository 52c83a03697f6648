#include "gui/tables/row_view.h"

#include "gui/look/card.h"

#include <QHeaderView>
#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>

namespace relay::gui {

namespace {

class RowView : public QTableView
{
public:
    using QTableView::QTableView;

    /// `widths`: of the columns, before one takes the remaining room.
    void setUp(QList<int> widths, int elastic)
    {
        m_widths = std::move(widths);
        m_elastic = elastic;
        connect(horizontalHeader(), &QHeaderView::sectionResized, this,
                [this](int /*column*/, int before, int after) {
                    if (before == 0 || after == 0) { // shown or hidden
                        fillWidth();
                        updateGeometry();
                    }
                });
    }

    [[nodiscard]] QSize sizeHint() const override
    {
        int width = 2 * frameWidth() + verticalScrollBar()->sizeHint().width();
        for (int column = 0; column < m_widths.size(); ++column) {
            width += isColumnHidden(column) ? 0 : m_widths[column];
        }
        return {width, QTableView::sizeHint().height()};
    }

protected:
    void resizeEvent(QResizeEvent *event) override
    {
        QTableView::resizeEvent(event);
        fillWidth();
    }

private:
    void fillWidth()
    {
        if (m_elastic < 0) {
            return; // the last one is stretched by the header
        }
        const int others = horizontalHeader()->length() - columnWidth(m_elastic);
        setColumnWidth(m_elastic, std::max(m_widths[m_elastic], viewport()->width() - others));
    }

    QList<int> m_widths;
    int m_elastic = -1;
};

} // namespace

QTableView *
makeRowView(QAbstractItemModel &model, std::initializer_list<int> characters, int elastic)
{
    auto *view = new RowView;
    view->setModel(&model);
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setSelectionMode(QAbstractItemView::SingleSelection);
    view->setAlternatingRowColors(true);
    view->setShowGrid(false);
    view->setWordWrap(false);
    view->setTabKeyNavigation(false); // rows are selected, not cells: Tab leads to the next widget
    view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->verticalHeader()->hide();
    view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() * 3 / 2);
    view->horizontalHeader()->setHighlightSections(false);
    view->horizontalHeader()->setSortIndicatorShown(true); // so that titles have room for it
    QList<int> widths;
    for (const int width : characters) {
        const auto column = static_cast<int>(widths.size());
        widths.append(std::max(width * view->fontMetrics().averageCharWidth(),
                               view->horizontalHeader()->sectionSizeHint(column)));
        view->setColumnWidth(column, widths.last());
    }
    view->horizontalHeader()->setSortIndicatorShown(false);
    view->horizontalHeader()->setStretchLastSection(elastic < 0);
    view->setUp(std::move(widths), elastic);
    return view;
}

QLabel *addEmptyHint(QTableView &view)
{
    QLabel *hint = makeQuietLabel({});
    hint->setAlignment(Qt::AlignCenter);
    hint->setWordWrap(true);
    hint->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto *column = new QVBoxLayout(view.viewport());
    column->addWidget(hint);
    const QAbstractItemModel *model = view.model();
    const auto update = [hint, model] { hint->setVisible(model->rowCount() == 0); };
    QObject::connect(model, &QAbstractItemModel::rowsInserted, hint, update);
    QObject::connect(model, &QAbstractItemModel::rowsRemoved, hint, update);
    QObject::connect(model, &QAbstractItemModel::modelReset, hint, update);
    return hint;
}

} // namespace relay::gui
