#pragma once

#include "ops/model/client_row.h"

#include "gui/look/theme.h"

#include <QString>

namespace relay::gui {

/// What is to be thought of a client, in words, and by which rule.
struct ClientVerdict
{
    enum class Kind {
        ReadsSlowly,
        BadLine,
        FallsBehind,
        Idle,
        Fine
    };
    Kind kind = Kind::Fine;
    QString words; ///< "reads slowly"
    QString rule;  ///< a sentence: what was seen, and from which value on it counts
    Meaning meaning = Meaning::Good;
};

/// A smoothed round trip from here on is a bad line: a satellite's, or a congested one.
inline constexpr double kBadRttSeconds = 0.4;
/// So much unsteadiness of the round trip, likewise.
inline constexpr double kBadRttVarianceSeconds = 0.2;
/// One segment in so many sent twice. TCP's throughput halves at about one in a hundred.
inline constexpr qint64 kSegmentsPerBadRetransmit = 50;
/// Fewer are chance.
inline constexpr qint64 kMinRetransmits = 5;
/// What a segment carries, about: Ethernet's.
inline constexpr qint64 kSegmentBytes = 1400;

/// The first rule that fits, from the worst on.
ClientVerdict verdictOn(const ClientRow &client);

} // namespace relay::gui
