#pragma once

#include <QString>

namespace relay {

/// Whether a reader would not see it: controls, line separators, and marks of format, with which a
/// text can be made to look like another one (Unicode's Cc, Cf, Zl and Zp).
bool isInvisible(char32_t codePoint);

/// `text` with all that is invisible written as \x1b, \u202e or \U000e0041.
/// Thread: any.
QString escapeInvisible(const QString &text);

} // namespace relay
