#pragma once

#include "wire/frame.h"

#include <QByteArray>
#include <QtEndian>

#include <span>

/// The bytes that a client sends, built the obvious way: what the parser and the assembler are
/// tested with.
namespace relay::test {

inline constexpr MaskKey kMask{0x37, 0xFA, 0x21, 0x3D}; // the key of RFC 6455, section 5.7

inline QByteArray masked(QByteArray payload, const MaskKey &key = kMask)
{
    for (qsizetype i = 0; i < payload.size(); ++i) {
        payload[i] = static_cast<char>(payload[i] ^ key[static_cast<std::size_t>(i) % key.size()]);
    }
    return payload;
}

/// A head with this first byte and a length in the shortest encoding; the payload is to follow.
inline QByteArray clientHead(quint8 firstByte, quint64 payloadBytes, const MaskKey &key = kMask)
{
    QByteArray head(1, static_cast<char>(firstByte));
    if (payloadBytes < 126) {
        head += static_cast<char>(0x80 | payloadBytes);
    } else if (payloadBytes <= 0xFFFF) {
        head += static_cast<char>(0x80 | 126);
        for (int shift = 8; shift >= 0; shift -= 8) {
            head += static_cast<char>(payloadBytes >> shift);
        }
    } else {
        head += static_cast<char>(0x80 | 127);
        for (int shift = 56; shift >= 0; shift -= 8) {
            head += static_cast<char>(payloadBytes >> shift);
        }
    }
    for (const quint8 byte : key) {
        head += static_cast<char>(byte);
    }
    return head;
}

inline QByteArray clientFrame(Opcode opcode, const QByteArray &payload, bool fin = true)
{
    const auto firstByte = static_cast<quint8>((fin ? 0x80 : 0) | static_cast<quint8>(opcode));
    return clientHead(firstByte, static_cast<quint64>(payload.size())) + masked(payload);
}

inline QByteArray closePayload(quint16 code, const QByteArray &reason = {})
{
    QByteArray payload;
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xFF);
    return payload + reason;
}

/// So many bytes, none like its neighbours, all ASCII: a lost, doubled or wrongly unmasked byte
/// shows.
inline QByteArray patterned(qsizetype bytes)
{
    QByteArray payload(bytes, Qt::Uninitialized);
    for (qsizetype i = 0; i < bytes; ++i) {
        payload[i] = static_cast<char>((i * 7 + i / 128) % 127);
    }
    return payload;
}

inline std::span<const char> asSpan(QByteArrayView bytes)
{
    return {bytes.data(), static_cast<std::size_t>(bytes.size())};
}

/// For sums of byte arrays, which become no view by themselves; the span lives as long as the sum.
inline std::span<const char> asSpan(const QByteArray &bytes)
{
    return asSpan(QByteArrayView(bytes));
}

} // namespace relay::test
