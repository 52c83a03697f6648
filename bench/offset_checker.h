#pragma once

#include "stream_position.h"

#include <cstdint>
#include <optional>

namespace relay::bench {

/// What one receiver that drops and comes back got of its channel's offsets: each once, or a gap
/// that it was told of?
///
/// Thread: its worker's.
/// Owner: Client, by value.
class OffsetChecker
{
public:
    /// The relay says that what follows goes on from there: the first time, or resumed.
    void begin(const StreamPosition &position);
    /// The relay says that it cannot resume, and goes on from there.
    void tellGap(const StreamPosition &to);
    /// A message came.
    void observe(const StreamPosition &position);

    /// Where to resume: behind the last message that came. Nothing before the relay said anything.
    [[nodiscard]] const std::optional<StreamPosition> &last() const { return m_last; }

    /// Offsets that were left out without a word. Of a stream that was replaced by another without
    /// a word nobody can tell how many: it counts as one.
    [[nodiscard]] std::uint64_t holes() const { return m_holes; }
    /// Offsets that came again.
    [[nodiscard]] std::uint64_t doubles() const { return m_doubles; }
    [[nodiscard]] std::uint64_t gapsTold() const { return m_gapsTold; }
    /// Offsets in those gaps; kUnknown after one into another epoch.
    [[nodiscard]] std::uint64_t offsetsTold() const { return m_offsetsTold; }
    static constexpr std::uint64_t kUnknown = UINT64_MAX;

private:
    std::optional<StreamPosition> m_last;
    std::uint64_t m_holes = 0;
    std::uint64_t m_doubles = 0;
    std::uint64_t m_gapsTold = 0;
    std::uint64_t m_offsetsTold = 0;
};

} // namespace relay::bench
