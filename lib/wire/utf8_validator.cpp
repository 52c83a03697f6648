#include "wire/utf8_validator.h"

#include <algorithm>
#include <cstring>

namespace relay {

namespace {

constexpr quint8 byteAt(QByteArrayView bytes, qsizetype i)
{
    return static_cast<quint8>(bytes[i]);
}

constexpr bool isTail(quint8 byte)
{
    return (byte & 0xC0) == 0x80;
}

/// How long a sequence that begins with this byte is; 0 when none does.
constexpr qsizetype sequenceBytes(quint8 lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC2) { // tails, and leads of overlong sequences
        return 0;
    }
    if (lead < 0xE0) {
        return 2;
    }
    if (lead < 0xF0) {
        return 3;
    }
    return lead < 0xF5 ? 4 : 0;
}

/// Whether this may follow the lead: the second byte tells overlong forms, surrogates and what lies
/// above U+10FFFF (the table of RFC 3629, section 4).
constexpr bool isSecond(quint8 lead, quint8 second)
{
    switch (lead) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return isTail(second);
    }
}

/// Whether some code point's sequence begins with these bytes. They are at least one and no more
/// than a sequence.
bool beginsSequence(QByteArrayView bytes)
{
    const quint8 lead = byteAt(bytes, 0);
    if (sequenceBytes(lead) == 0 || (bytes.size() > 1 && !isSecond(lead, byteAt(bytes, 1)))) {
        return false;
    }
    return std::all_of(bytes.begin() + std::min<qsizetype>(bytes.size(), 2), bytes.end(),
                       [](char c) { return isTail(static_cast<quint8>(c)); });
}

/// How many bytes at the end are the beginning of a sequence that is longer than what is there, by
/// its lead.
qsizetype unfinishedBytes(QByteArrayView bytes)
{
    const qsizetype longest = std::min<qsizetype>(bytes.size(), 3);
    for (qsizetype back = 1; back <= longest; ++back) {
        const quint8 byte = byteAt(bytes, bytes.size() - back);
        if (!isTail(byte)) {
            return sequenceBytes(byte) > back ? back : 0;
        }
    }
    return 0; // tails without a lead: not unfinished but wrong, or the end of a whole sequence
}

} // namespace

bool Utf8Validator::feed(QByteArrayView piece)
{
    while (m_carriedBytes > 0 && !piece.isEmpty()) {
        m_carried[m_carriedBytes++] = piece[0];
        piece = piece.sliced(1);
        const QByteArrayView carried(m_carried.data(), m_carriedBytes);
        if (!beginsSequence(carried)) {
            return false;
        }
        if (carried.size() == sequenceBytes(byteAt(carried, 0))) {
            m_carriedBytes = 0;
        }
    }

    const qsizetype unfinished = unfinishedBytes(piece);
    if (unfinished > 0) {
        const QByteArrayView end = piece.last(unfinished);
        if (!beginsSequence(end)) {
            return false;
        }
        std::memcpy(m_carried.data(), end.data(), static_cast<std::size_t>(unfinished));
        m_carriedBytes = static_cast<quint8>(unfinished);
        piece.chop(unfinished);
    }
    return piece.isValidUtf8();
}

} // namespace relay
