#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace relay::bench {

/// What one receiver got of every publisher's messages: each once, and in order?
///
/// Thread: its worker's.
/// Owner: Client, by value.
/// Limits: eight bytes a publisher, and one map node for each hole that is still open.
class SequenceChecker
{
public:
    explicit SequenceChecker(std::size_t publishers)
        : m_next(publishers)
    {}

    void observe(std::size_t publisher, std::uint64_t sequence)
    {
        m_orderHash = (m_orderHash ^ (sequence * 0x9E3779B97F4A7C15 + publisher)) * 0x100000001B3;
        if (sequence == m_next[publisher]) [[likely]] {
            ++m_next[publisher];
            ++m_received;
            return;
        }
        observeUnexpected(publisher, sequence);
    }

    /// Different messages received.
    [[nodiscard]] std::uint64_t received() const { return m_received; }
    [[nodiscard]] std::uint64_t duplicated() const { return m_duplicated; }
    /// Messages that came after one which their publisher had sent later.
    [[nodiscard]] std::uint64_t outOfOrder() const { return m_outOfOrder; }
    /// Messages of this publisher that did not come, if it sent `sent`.
    [[nodiscard]] std::uint64_t lost(std::size_t publisher, std::uint64_t sent) const;
    /// Messages left out before others of their publisher that came.
    [[nodiscard]] std::uint64_t skipped() const;
    /// Of the messages of all publishers in the order in which they came: equal between two
    /// receivers of the same messages if both saw the same total order.
    [[nodiscard]] std::uint64_t orderHash() const { return m_orderHash; }

private:
    void observeUnexpected(std::size_t publisher, std::uint64_t sequence);

    using Hole =
        std::pair<std::size_t, std::uint64_t>; ///< publisher, and the first message that is missing

    std::vector<std::uint64_t> m_next; ///< one past the highest sequence seen, by publisher
    std::map<Hole, std::uint64_t>
        m_holes; ///< below m_next and not seen: from the key to this, inclusive
    std::uint64_t m_received = 0;
    std::uint64_t m_duplicated = 0;
    std::uint64_t m_outOfOrder = 0;
    std::uint64_t m_orderHash = 0xCBF29CE484222325;
};

} // namespace relay::bench
