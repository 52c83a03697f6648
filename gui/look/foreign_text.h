#pragma once

#include <QString>

namespace relay::gui {

/// A name or word of somebody else: what is invisible in it is escaped, and only the front stays of
/// what would take seconds to lay out.
QString visibleWord(const QString &text);
/// A tool tip that shows what somebody else wrote as it is: Qt takes any that looks so for markup.
QString plainToolTip(const QString &text);

} // namespace relay::gui
