#pragma once

#include <QTableView>

#include <initializer_list>

namespace relay::gui {

/// A table whose unit is the row: one is chosen, all are of one height (so that nothing is measured
/// row by row), and the last column takes what room is left.
///
/// The caller gives it a parent by a layout. `characters`: the columns' widths in average characters;
/// the user may change them.
QTableView *makeRowView(QAbstractItemModel &model, std::initializer_list<int> characters);

} // namespace relay::gui
