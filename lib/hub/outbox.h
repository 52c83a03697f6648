#pragma once

#include "base/clock.h"
#include "hub/batch.h"

#include <sys/uio.h>

#include <optional>
#include <span>
#include <vector>

namespace relay {

/// What waits for one client, oldest first: data frames shared with all other clients, and this
/// client's own control frames between them, never inside one.
///
/// Thread: the client's worker.
/// Owner: Client, by value; shares frames, never copies a payload.
/// Limits: maxBytes; slow past half of it. An outbox that is empty owns no memory.
/// Errors: returned; a refused push leaves the queue as it was.
class Outbox
{
public:
    /// What a queued piece costs besides its bytes: its place here, and the heap's. Without it a
    /// flood of tiny frames would take many times maxBytes.
    static constexpr qint64 kChunkCost = 64;
    static qint64 costOf(const Chunk &chunk) { return chunk.bytes.size() + kChunkCost; }

    explicit Outbox(qint64 maxBytes)
        : m_maxBytes(maxBytes)
    {}

    enum class Push {
        Queued,
        QueuedPastMark, ///< more than half of maxBytes waits: see pastMarkSince()
        Refused,        ///< it would not fit
    };
    [[nodiscard]] Push push(Chunk chunk, TimePoint now);
    /// Appends a chunk whose first `written` bytes the kernel has taken already. It must be
    /// finished: it always fits. Precondition: isEmpty().
    void pushBegun(const Chunk &chunk, std::size_t written);
    /// Appends the connection's last words (a close frame), which always fit.
    void pushLast(QByteArray frame);

    [[nodiscard]] bool isEmpty() const { return m_head == m_chunks.size(); }
    /// What waits, kChunkCost for each piece included.
    [[nodiscard]] qint64 bytes() const { return m_bytes; }
    /// Messages of which not everything was written.
    [[nodiscard]] quint64 messages() const { return m_messages; }
    /// Since when more than half of maxBytes has waited, if it does.
    [[nodiscard]] std::optional<TimePoint> pastMarkSince() const { return m_pastMarkSince; }

    struct Gathered
    {
        std::size_t pieces = 0;
        std::size_t bytes = 0;
    };
    /// Fills `pieces` with what is to be written next and says how many were filled.
    [[nodiscard]] Gathered gather(std::span<iovec> pieces) const;
    /// Takes off what was written.
    void consume(std::size_t bytes);

    /// Takes off the oldest whole messages, but not one of which a part was written, until `bytes`
    /// more would fit under `limit`. Control frames stay. Returns how many messages went.
    quint64 dropOldest(qint64 bytes, qint64 limit);
    /// Takes off all that was not begun to be written. Returns how many messages went.
    quint64 dropUnwritten();

    [[nodiscard]] qint64 maxBytes() const { return m_maxBytes; }
    [[nodiscard]] qint64 markBytes() const { return m_maxBytes / 2; }

private:
    void append(Chunk chunk);
    void forget(const Chunk &chunk);
    void release();

    qint64 m_maxBytes;
    std::vector<Chunk> m_chunks;
    std::size_t m_head = 0;     // the oldest; what is before it was written
    bool m_headIsBegun = false; // a part of the oldest was written
    qint64 m_bytes = 0;         // costs
    quint64 m_messages = 0;
    std::optional<TimePoint> m_pastMarkSince;
};

} // namespace relay
