#pragma once

#include <QString>

namespace relay {

/// The setting or section that was probably meant by a key that does not exist; empty when none is
/// near.
///
/// Near is a typing slip or two ("sever.port"), or the right name without its section ("port").
QString closestKey(const QString &unknownKey);

/// The fewest insertions, deletions and replacements of a character that turn one text into the
/// other.
int editDistance(const QString &a, const QString &b);

} // namespace relay
