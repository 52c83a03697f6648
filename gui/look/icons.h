#pragma once

#include <QIcon>
#include <QString>

namespace relay::gui {

/// The icon resources/icons/<name>.svg, drawn at any size in the colour of the text beside it.
QIcon icon(const QString &name);

/// The program's own.
QIcon programIcon();

} // namespace relay::gui
