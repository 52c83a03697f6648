#pragma once

#include "base/clock.h"

#include <chrono>

namespace relay {

/// Counts what happens within a second. The second begins with the first event, and the next one
/// with the first event after its end: so no two of them overlap, and a rate that stays at the limit
/// is never refused.
///
/// Thread: confined to its owner's.
/// Owner: by value; 16 bytes.
class RateWindow
{
public:
    /// Counts one more; returns whether it is among the first `limit` of its second.
    [[nodiscard]] bool admit(int limit, TimePoint now)
    {
        if (m_count == 0 || now - m_begin >= std::chrono::seconds(1)) {
            m_begin = now;
            m_count = 0;
        }
        ++m_count;
        return m_count <= limit;
    }

private:
    TimePoint m_begin;
    int m_count = 0;
};

} // namespace relay
