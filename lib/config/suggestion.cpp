#include "config/suggestion.h"

#include "config/setting.h"

#include <QList>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace relay {

namespace {

/// One slip in a short name, up to three in a long one: more would suggest keys that were not
/// meant.
int toleratedSlips(const QString &key)
{
    return static_cast<int>(std::clamp<qsizetype>(key.size() / 4, 1, 3));
}

} // namespace

int editDistance(const QString &a, const QString &b)
{
    // Damerau's table, a row at a time: row[j] is the distance of the rows' prefix of `a` to b's
    // first j characters.
    QList<int> twoAbove;
    QList<int> above(b.size() + 1);
    std::iota(above.begin(), above.end(), 0);
    for (qsizetype i = 1; i <= a.size(); ++i) {
        QList<int> row{static_cast<int>(i)};
        for (qsizetype j = 1; j <= b.size(); ++j) {
            const int replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            int fewest = std::min({replaced, above[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                fewest = std::min(fewest, twoAbove[j - 2] + 1);
            }
            row.append(fewest);
        }
        twoAbove = std::exchange(above, row);
    }
    return above.last();
}

QString closestKey(const QString &unknownKey, const QStringList &keys)
{
    QString closest;
    int fewestSlips = std::numeric_limits<int>::max();
    const auto consider = [&](const QString &candidate, const QString &compared) {
        const int slips = editDistance(unknownKey, compared);
        if (slips <= toleratedSlips(unknownKey) && slips < fewestSlips) {
            fewestSlips = slips;
            closest = candidate;
        }
    };
    for (const QString &key : keys) {
        consider(key, key);
    }
    if (!closest.isEmpty()) {
        return closest;
    }
    for (const QString &key : keys) {
        if (lastSegment(key) == lastSegment(unknownKey)) {
            return key;
        }
    }
    for (const QString &key : keys) {
        consider(key, lastSegment(key));
    }
    return closest;
}

} // namespace relay
