#include "gui/tables/row_view.h"

#include <QHeaderView>

namespace relay::gui {

QTableView *makeRowView(QAbstractItemModel &model, std::initializer_list<int> characters)
{
    auto *view = new QTableView;
    view->setModel(&model);
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setSelectionMode(QAbstractItemView::SingleSelection);
    view->setAlternatingRowColors(true);
    view->setShowGrid(false);
    view->setWordWrap(false);
    view->setTabKeyNavigation(false); // rows are chosen, not cells: the key leads on
    view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->verticalHeader()->hide();
    view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() * 3 / 2);
    view->horizontalHeader()->setHighlightSections(false);
    view->horizontalHeader()->setStretchLastSection(true);
    int column = 0;
    for (const int width : characters) {
        view->setColumnWidth(column++, width * view->fontMetrics().averageCharWidth());
    }
    return view;
}

} // namespace relay::gui
