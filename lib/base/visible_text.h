#pragma once

#include <QString>

namespace relay {

/// Whether a reader would not see it, or would take the text around it for another one: controls,
/// line separators, marks of format, and what Unicode calls default ignorable. Those that join an
/// emoji's parts are among them: a name is to be told apart, not to be beautiful.
bool isInvisible(char32_t codePoint);

/// `text` with what is invisible written as \x1b, \u202e or \U000e0041, and a backslash as two: so what
/// is not seen, or spelt out, makes no two texts look alike. It could stand in a YAML string, but for
/// its quotes.
/// Thread: any.
QString escapeInvisible(const QString &text);

/// A JSON document with what is invisible in its strings written as \u202e: the same document.
/// Thread: any.
QString escapeInvisibleInJson(const QString &json);

} // namespace relay
