#include "hub/outbox.h"

#include <algorithm>
#include <utility>

namespace relay {

Outbox::Push Outbox::push(Chunk chunk, TimePoint now)
{
    if (m_bytes + costOf(chunk) > m_maxBytes) {
        return Push::Refused;
    }
    append(std::move(chunk));
    if (m_bytes <= markBytes()) {
        return Push::Queued;
    }
    if (!m_pastMarkSince) {
        m_pastMarkSince = now;
    }
    return Push::QueuedPastMark;
}

void Outbox::pushLast(QByteArray frame)
{
    Chunk chunk{std::move(frame), {}, 0};
    chunk.bytes = chunk.storage;
    append(std::move(chunk));
}

void Outbox::pushBegun(const Chunk &chunk, std::size_t written)
{
    append(chunk);
    consume(written);
}

Outbox::Gathered Outbox::gather(std::span<iovec> pieces) const
{
    Gathered gathered;
    gathered.pieces = std::min(pieces.size(), m_chunks.size() - m_head);
    for (std::size_t i = 0; i < gathered.pieces; ++i) {
        const QByteArrayView bytes = m_chunks[m_head + i].bytes;
        // writev(2) only reads what an iovec points to.
        pieces[i] = {const_cast<char *>(bytes.data()), static_cast<std::size_t>(bytes.size())};
        gathered.bytes += pieces[i].iov_len;
    }
    return gathered;
}

void Outbox::consume(std::size_t bytes)
{
    auto left = static_cast<qsizetype>(bytes);
    while (left > 0) {
        Chunk &oldest = m_chunks[m_head];
        if (left < oldest.bytes.size()) {
            oldest.bytes = oldest.bytes.sliced(left);
            m_bytes -= left;
            m_headIsBegun = true;
            break;
        }
        left -= oldest.bytes.size();
        forget(oldest);
        oldest = Chunk{};
        ++m_head;
        m_headIsBegun = false;
    }
    release();
}

quint64 Outbox::dropOldest(qint64 bytes, qint64 limit)
{
    const quint64 before = m_messages;
    std::size_t at = m_head + (m_headIsBegun ? 1 : 0);
    std::size_t kept = at;
    for (; at < m_chunks.size(); ++at) {
        if (m_chunks[at].messages > 0 && m_bytes + bytes > limit) {
            forget(m_chunks[at]);
        } else {
            std::swap(m_chunks[kept++], m_chunks[at]);
        }
    }
    m_chunks.resize(kept);
    release();
    return before - m_messages;
}

quint64 Outbox::dropUnwritten()
{
    const quint64 before = m_messages;
    const std::size_t first = m_head + (m_headIsBegun ? 1 : 0);
    for (std::size_t at = first; at < m_chunks.size(); ++at) {
        forget(m_chunks[at]);
    }
    m_chunks.resize(std::min(first, m_chunks.size()));
    release();
    return before - m_messages;
}

void Outbox::append(Chunk chunk)
{
    m_bytes += costOf(chunk);
    m_messages += chunk.messages;
    m_chunks.push_back(std::move(chunk));
}

void Outbox::forget(const Chunk &chunk)
{
    m_bytes -= costOf(chunk);
    m_messages -= chunk.messages;
}

void Outbox::release()
{
    if (m_bytes <= markBytes()) {
        m_pastMarkSince.reset();
    }
    if (isEmpty()) {
        m_chunks = {};
        m_head = 0;
        m_headIsBegun = false;
    } else if (m_head > 64 && m_head > m_chunks.size() / 2) {
        m_chunks.erase(m_chunks.begin(), m_chunks.begin() + static_cast<std::ptrdiff_t>(m_head));
        m_head = 0;
    }
}

} // namespace relay
