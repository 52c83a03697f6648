#include "gui/plots/nice_ticks.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace relay::gui {

namespace {

/// The least of 1, 2, 5 and 10 times a power of ten that is not below `value`.
double niceStep(double value)
{
    // Sums of decimal fractions miss a round number by a hair; that must not cost a whole step.
    constexpr double kSlack = 1 + 1e-9;
    const double power = std::pow(10.0, std::floor(std::log10(value)));
    for (const double factor : std::array{1.0, 2.0, 5.0}) {
        if (value <= factor * power * kSlack) {
            return factor * power;
        }
    }
    return 10 * power;
}

} // namespace

Ticks niceTicks(double largest, int most, double least)
{
    if (!std::isfinite(largest) || largest <= 0) {
        largest = least > 0 ? least : 1;
    }
    const int steps = std::max(1, most);
    Ticks ticks;
    ticks.step = std::max(niceStep(largest / steps), least);
    const int count = std::max(1, static_cast<int>(std::ceil(largest / ticks.step - 1e-9)));
    for (int i = 0; i <= count; ++i) {
        ticks.values.append(i * ticks.step);
    }
    ticks.top = ticks.values.last();
    return ticks;
}

} // namespace relay::gui
