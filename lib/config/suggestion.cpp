#include "config/suggestion.h"

#include "config/schema.h"

#include <QList>

#include <algorithm>
#include <limits>
#include <numeric>

namespace relay {

namespace {

QString lastSegment(const QString &key)
{
    return key.section(QLatin1Char('.'), -1);
}

/// One slip in a short name, up to three in a long one: more would suggest keys that were not
/// meant.
int toleratedSlips(const QString &key)
{
    return static_cast<int>(std::clamp<qsizetype>(key.size() / 4, 1, 3));
}

} // namespace

int editDistance(const QString &a, const QString &b)
{
    // Levenshtein's table, one row at a time: row[j] is the distance of the rows' prefix of `a` to
    // b's first j characters.
    QList<int> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (qsizetype i = 0; i < a.size(); ++i) {
        int diagonal = row[0];
        row[0] = static_cast<int>(i) + 1;
        for (qsizetype j = 0; j < b.size(); ++j) {
            const int replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.last();
}

QString closestKey(const QString &unknownKey)
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
    for (const Setting &setting : settingsSchema()) {
        consider(setting.key, setting.key);
    }
    for (const Section &section : configSections()) {
        consider(section.key, section.key);
    }
    if (!closest.isEmpty()) {
        return closest;
    }
    for (const Setting &setting : settingsSchema()) {
        if (lastSegment(setting.key) == lastSegment(unknownKey)) {
            return setting.key;
        }
    }
    for (const Setting &setting : settingsSchema()) {
        consider(setting.key, lastSegment(setting.key));
    }
    return closest;
}

} // namespace relay
