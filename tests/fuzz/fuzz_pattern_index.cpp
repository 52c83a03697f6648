#include "channels/pattern_index.h"

#include "property.h"

#include <QByteArrayList>

#include <algorithm>
#include <vector>

using namespace relay;

// The input is lines: patterns, an empty line, names.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    const QByteArrayList lines =
        QByteArray(reinterpret_cast<const char *>(data), static_cast<qsizetype>(size)).split('\n');
    const qsizetype end = std::max<qsizetype>(lines.indexOf(QByteArray()), 0);

    std::vector<ChannelPattern> patterns;
    for (const QByteArray &line : lines.first(end)) {
        if (const auto pattern = ChannelPattern::fromText(line)) {
            patterns.push_back(pattern.value());
        }
    }
    // A listener is its pattern's place in the list.
    PatternIndex<ChannelPattern> index;
    for (ChannelPattern &pattern : patterns) {
        index.add(pattern, &pattern);
    }
    for (const QByteArray &line : lines.sliced(end)) {
        const auto name = ChannelName::fromText(line);
        if (!name) {
            continue;
        }
        std::vector<ChannelPattern *> found;
        index.match(name.value(), found);
        std::vector<ChannelPattern *> expected;
        for (ChannelPattern &pattern : patterns) {
            if (pattern.matches(name.value())) {
                expected.push_back(&pattern);
            }
        }
        std::sort(found.begin(), found.end());
        require(found == expected, "the index finds what a walk over all patterns finds");
    }
    for (ChannelPattern &pattern : patterns) {
        index.remove(pattern, &pattern);
    }
    require(index.isEmpty() && index.nodeCount() == 0, "what is removed leaves nothing");
    return 0;
}
