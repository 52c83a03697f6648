#pragma once

#include "ops/model/client_row.h"

#include "gui/look/theme.h"

#include <QString>

namespace relay::gui {

/// How a client does, in words, and the rule that says so.
struct ClientVerdict
{
    enum class Kind {
        ReadsSlowly,
        BadLine,
        FallsBehind,
        Idle,
        Fine,
        ThisWindow ///< the dashboard's own connection
    };
    Kind kind = Kind::Fine;
    QString words; ///< "reads slowly"
    QString rule;  ///< a sentence: the value, and the limit that it is compared with
    Meaning meaning = Meaning::Good;
};

/// From this smoothed round trip on a line is bad: a satellite link, or a congested one.
inline constexpr double kBadRttSeconds = 0.4;
/// From this variation of the round trip on a line is bad.
inline constexpr double kBadRttVarianceSeconds = 0.2;
/// A line is bad when more than one segment in this many is sent twice. TCP's throughput halves at about one in a
/// hundred.
inline constexpr qint64 kSegmentsPerBadRetransmit = 50;
/// Fewer are chance.
inline constexpr qint64 kMinRetransmits = 5;
/// The payload of a segment on Ethernet, roughly.
inline constexpr qint64 kSegmentBytes = 1400;

/// The first rule that applies, the worst first.
ClientVerdict verdictOn(const ClientRow &client);

} // namespace relay::gui
