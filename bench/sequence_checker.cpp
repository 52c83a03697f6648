#include "sequence_checker.h"

#include <algorithm>
#include <iterator>

namespace relay::bench {

void SequenceChecker::observeUnexpected(std::size_t publisher, std::uint64_t sequence)
{
    std::uint64_t &next = m_next[publisher];
    if (sequence > next) {
        m_holes.emplace(Hole{publisher, next}, sequence - 1);
        next = sequence + 1;
        ++m_received;
        return;
    }
    auto hole = m_holes.upper_bound(Hole{publisher, sequence});
    if (hole != m_holes.begin()) {
        --hole;
        const auto [key, last] = *hole;
        if (key.first == publisher && sequence >= key.second && sequence <= last) {
            m_holes.erase(hole);
            if (sequence > key.second) {
                m_holes.emplace(key, sequence - 1);
            }
            if (sequence < last) {
                m_holes.emplace(Hole{publisher, sequence + 1}, last);
            }
            ++m_received;
            ++m_outOfOrder;
            return;
        }
    }
    ++m_duplicated;
}

std::uint64_t SequenceChecker::lost(std::size_t publisher, std::uint64_t sent) const
{
    std::uint64_t missing = sent - std::min(sent, m_next[publisher]);
    const auto end = m_holes.upper_bound(Hole{publisher, UINT64_MAX});
    for (auto hole = m_holes.lower_bound(Hole{publisher, 0}); hole != end; ++hole) {
        missing += hole->second - hole->first.second + 1;
    }
    return missing;
}

std::uint64_t SequenceChecker::skipped() const
{
    std::uint64_t messages = 0;
    for (const auto &[hole, last] : m_holes) {
        messages += last - hole.second + 1;
    }
    return messages;
}

} // namespace relay::bench
