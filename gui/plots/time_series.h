#pragma once

#include <QList>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

namespace relay::gui {

/// The latest values of one quantity, oldest first.
///
/// Thread: a value.
/// Limits: what is older than `span` before the latest sample is dropped, and so is the oldest past
/// kMaxSamples.
class TimeSeries
{
public:
    struct Sample
    {
        double time = 0;             ///< seconds; only differences count
        std::optional<double> value; ///< nothing: was not measured

        friend bool operator==(const Sample &, const Sample &) = default;
    };

    /// Six a second over ten minutes.
    static constexpr std::size_t kMaxSamples = 3600;

    explicit TimeSeries(std::chrono::seconds span);

    /// What lies after `time` is forgotten: a clock was set back.
    void append(double time, std::optional<double> value);

    [[nodiscard]] bool isEmpty() const { return m_samples.empty(); }
    [[nodiscard]] const std::deque<Sample> &samples() const { return m_samples; }
    [[nodiscard]] std::optional<double> largest() const;
    /// The sample that is nearest to `time`, if it is no further than `reach` from it.
    [[nodiscard]] const Sample *nearest(double time, double reach) const;

    /// Runs of samples without a hole: a sample without a value ends one, and so does more than
    /// `maxStep` seconds without a sample.
    [[nodiscard]] QList<QList<Sample>> runs(double maxStep) const;

private:
    double m_span;
    std::deque<Sample> m_samples;
};

} // namespace relay::gui
