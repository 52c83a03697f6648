#pragma once

#include <QLabel>
#include <QTableView>

#include <initializer_list>

namespace relay::gui {

/// A table whose unit is the row: one can be selected, all have one height (so that nothing is measured
/// row by row), and one column takes the remaining room.
///
/// The caller gives it a parent by a layout. `characters`: the columns' widths in average characters; a
/// column is at least as wide as its title. The user may change them. `elastic`: the column that takes the remaining
/// room; -1: the last. The view's sizeHint() has room for all columns that are not hidden.
QTableView *
makeRowView(QAbstractItemModel &model, std::initializer_list<int> characters, int elastic = -1);

/// A text in the middle of the view while its model has no rows: what will be there, and how to begin.
/// Owner: the view. The model must be the one that the view shows.
QLabel *addEmptyHint(QTableView &view);

} // namespace relay::gui
