#include "hub/batch.h"

#include <algorithm>

namespace relay {

namespace {

/// IOV_MAX is 1024; beyond some dozens of pieces a further call costs nothing by comparison.
constexpr std::size_t kMaxPieces = 256;

} // namespace

Chunk chunkOf(const Frame &frame)
{
    return {frame.storage(), frame.bytes(), 1};
}

Batch::Batch(std::span<const Chunk> messages, qsizetype maxChunkBytes)
{
    std::size_t first = 0;
    while (first < messages.size()) {
        // The longest run of small messages that fits into one chunk.
        std::size_t end = first;
        qsizetype runBytes = 0;
        while (end < messages.size()) {
            const qsizetype size = messages[end].bytes.size();
            if (size > kMaxCopiedBytes || runBytes + size > maxChunkBytes) {
                break;
            }
            runBytes += size;
            ++end;
        }
        if (end - first <= 1) {
            add(messages[first]);
            ++first;
            continue;
        }
        Chunk run{QByteArray(runBytes, Qt::Uninitialized), {}, static_cast<quint32>(end - first)};
        char *out = run.storage.data();
        for (; first < end; ++first) {
            const QByteArrayView bytes = messages[first].bytes;
            out = std::copy(bytes.begin(), bytes.end(), out);
        }
        run.bytes = run.storage;
        add(std::move(run));
    }
}

void Batch::add(Chunk chunk)
{
    m_bytes += chunk.bytes.size();
    m_messages += chunk.messages;
    if (m_pieces.size() < kMaxPieces) {
        m_pieces.push_back({const_cast<char *>(chunk.bytes.data()), // writev(2) only reads it
                            static_cast<std::size_t>(chunk.bytes.size())});
    }
    m_chunks.push_back(std::move(chunk));
}

} // namespace relay
