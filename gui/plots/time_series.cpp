#include "gui/plots/time_series.h"

#include <algorithm>
#include <cmath>

namespace relay::gui {

TimeSeries::TimeSeries(std::chrono::seconds span)
    : m_span(static_cast<double>(span.count()))
{}

void TimeSeries::append(double time, std::optional<double> value)
{
    while (!m_samples.empty() && m_samples.back().time > time) {
        m_samples.pop_back();
    }
    if (value && !std::isfinite(*value)) {
        value.reset();
    }
    m_samples.push_back({time, value});
    while (m_samples.size() > kMaxSamples || m_samples.front().time < time - m_span) {
        m_samples.pop_front();
    }
}

std::optional<double> TimeSeries::largest() const
{
    std::optional<double> result;
    for (const Sample &sample : m_samples) {
        if (sample.value && (!result || *sample.value > *result)) {
            result = sample.value;
        }
    }
    return result;
}

const TimeSeries::Sample *TimeSeries::nearest(double time, double reach) const
{
    const auto isBefore = [](const Sample &sample, double when) { return sample.time < when; };
    const auto after = std::lower_bound(m_samples.begin(), m_samples.end(), time, isBefore);
    const Sample *best = nullptr;
    const auto consider = [&](const Sample &sample) {
        const double distance = std::abs(sample.time - time);
        if (distance <= reach && (best == nullptr || distance < std::abs(best->time - time))) {
            best = &sample;
        }
    };
    if (after != m_samples.begin()) {
        consider(*std::prev(after));
    }
    if (after != m_samples.end()) {
        consider(*after);
    }
    return best;
}

QList<QList<TimeSeries::Sample>> TimeSeries::runs(double maxStep) const
{
    QList<QList<Sample>> result;
    bool isOpen = false;
    for (const Sample &sample : m_samples) {
        if (!sample.value) {
            isOpen = false;
            continue;
        }
        if (!isOpen || sample.time - result.last().last().time > maxStep) {
            result.append(QList<Sample>());
        }
        result.last().append(sample);
        isOpen = true;
    }
    return result;
}

} // namespace relay::gui
