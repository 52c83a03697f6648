#pragma once

#include "wire/frame.h"

#include <QByteArray>
#include <QByteArrayView>

#include <sys/uio.h>

#include <span>
#include <vector>

namespace relay {

/// A run of whole frames (or events) that is written as one piece and shared by all who wait for it.
struct Chunk
{
    QByteArray storage;   ///< keeps `bytes` alive
    QByteArrayView bytes; ///< whole frames, or what the kernel has left of them
    quint32 messages =
        0; ///< how many messages those frames carry; 0 for control frames and HTTP answers
};

Chunk chunkOf(const Frame &frame);

/// What a turn has for the members of a channel, cut into as few pieces as is cheap: small messages
/// are copied together once, whatever the number of members; large ones are referred to.
class Batch
{
public:
    /// Messages up to this size are copied together. Beyond it a copy costs more than a further iovec
    /// to each of a few clients.
    static constexpr qsizetype kMaxCopiedBytes = 4096;
    /// The longest piece made by copying: what a slow client keeps alive for its sake is bounded by
    /// it.
    static constexpr qsizetype kMaxChunkBytes = 65536;

    /// `messages` are single ones, as they go to the wire. `maxChunkBytes` bounds what is copied
    /// together; a message that is longer stands alone.
    explicit Batch(std::span<const Chunk> messages, qsizetype maxChunkBytes = kMaxChunkBytes);

    [[nodiscard]] std::span<const Chunk> chunks() const { return m_chunks; }
    /// The same for writev(2); at most as many as one call takes (the rest is queued by who could
    /// not write it).
    [[nodiscard]] std::span<const iovec> pieces() const { return m_pieces; }
    [[nodiscard]] qint64 bytes() const { return m_bytes; }
    [[nodiscard]] quint32 messages() const { return m_messages; }

private:
    void add(Chunk chunk);

    std::vector<Chunk> m_chunks;
    std::vector<iovec> m_pieces;
    qint64 m_bytes = 0;
    quint32 m_messages = 0;
};

} // namespace relay
