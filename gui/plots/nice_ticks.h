#pragma once

#include <QList>

namespace relay::gui {

/// Where an axis has its ticks: at multiples of 1, 2 or 5 times a power of ten.
struct Ticks
{
    double step = 1;
    QList<double> values; ///< ascending; the first is 0, the last is `top`
    double top = 1;       ///< the first multiple of the step that is not below the largest value
};

/// Ticks from 0 to `largest`, no more than `most` steps.
///
/// `least`: the step is not below it; 1 for what is counted, of which there are no halves.
/// A largest value that is not positive, or not finite, is taken for the least step, or 1.
Ticks niceTicks(double largest, int most, double least = 0);

} // namespace relay::gui
