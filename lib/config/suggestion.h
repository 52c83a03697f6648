#pragma once

#include <QString>
#include <QStringList>

namespace relay {

/// The one of `keys` that was probably meant by a key that does not exist; empty when none is near.
///
/// Near is a typing slip or two ("sever.port"), or the right name without its section ("port").
QString closestKey(const QString &unknownKey, const QStringList &keys);

/// The fewest slips that turn one text into the other: a character inserted, left out or replaced,
/// or two neighbours swapped; none is changed twice.
int editDistance(const QString &a, const QString &b);

} // namespace relay
