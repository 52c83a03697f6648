#include "support/client_frame.h"

#include <QString>

namespace relay::test {

namespace {

void appendBigEndian(QByteArray &to, quint64 value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        to.append(static_cast<char>((value >> shift) & 0xFF));
    }
}

LengthForm shortestForm(quint64 length)
{
    if (length < 126) {
        return LengthForm::SevenBits;
    }
    return length <= 0xFFFF ? LengthForm::SixteenBits : LengthForm::SixtyFourBits;
}

void appendLength(QByteArray &to, quint64 length, LengthForm form, bool isMasked)
{
    const quint64 maskBit = isMasked ? 0x80 : 0;
    switch (form == LengthForm::Shortest ? shortestForm(length) : form) {
    case LengthForm::Shortest:
    case LengthForm::SevenBits:
        appendBigEndian(to, maskBit | length, 1);
        break;
    case LengthForm::SixteenBits:
        appendBigEndian(to, maskBit | 126, 1);
        appendBigEndian(to, length, 2);
        break;
    case LengthForm::SixtyFourBits:
        appendBigEndian(to, maskBit | 127, 1);
        appendBigEndian(to, length, 8);
        break;
    }
}

} // namespace

QByteArray clientFrame(Op opcode, const QByteArray &payload, const FrameOptions &options)
{
    QByteArray frame;
    frame.reserve(payload.size() + 14);
    appendBigEndian(frame,
                    (options.fin ? 0x80U : 0U) | static_cast<quint64>(options.rsv << 4)
                        | static_cast<quint64>(opcode),
                    1);
    const quint64 length = options.announced.value_or(static_cast<quint64>(payload.size()));
    appendLength(frame, length, options.lengthForm, options.mask.has_value());
    if (options.mask) {
        for (const quint8 byte : *options.mask) {
            frame.append(static_cast<char>(byte));
        }
    }
    const Mask mask = options.mask.value_or(Mask{});
    for (qsizetype i = 0; i < payload.size(); ++i) {
        frame.append(static_cast<char>(payload[i] ^ mask[static_cast<std::size_t>(i % 4)]));
    }
    return options.truncatedTo ? frame.left(*options.truncatedTo) : frame;
}

QByteArray closePayload(quint16 code, const QByteArray &reason)
{
    QByteArray payload;
    appendBigEndian(payload, code, 2);
    return payload + reason;
}

QByteArray patterned(qsizetype bytes)
{
    QByteArray payload(bytes, Qt::Uninitialized);
    for (qsizetype i = 0; i < bytes; ++i) {
        payload[i] = static_cast<char>((i * 7 + i / 128) % 127);
    }
    return payload;
}

} // namespace relay::test
