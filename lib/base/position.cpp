#include "base/position.h"

#include <QRandomGenerator>

#include <algorithm>

namespace relay {

namespace {

constexpr qsizetype kEpochDigits = 12;
constexpr quint64 kLargestOffset = (quint64{1} << 53) - 1;

bool isDecimalDigit(char c)
{
    return c >= '0' && c <= '9';
}

bool isLowerHexDigit(char c)
{
    return isDecimalDigit(c) || (c >= 'a' && c <= 'f');
}

/// Digits only, no leading zero, at most kLargestOffset.
std::optional<quint64> offsetFrom(QByteArrayView digits)
{
    const bool isCanonical = !digits.isEmpty() && (digits.front() != '0' || digits.size() == 1)
                             && std::all_of(digits.begin(), digits.end(), isDecimalDigit);
    bool fits = false;
    const quint64 offset = isCanonical ? digits.toULongLong(&fits) : 0;
    if (!fits || offset > kLargestOffset) {
        return std::nullopt;
    }
    return offset;
}

} // namespace

Epoch newEpoch()
{
    quint64 bits = 0;
    while (bits == 0) {
        bits = QRandomGenerator::global()->generate64() >> 16;
    }
    return Epoch{bits};
}

QByteArray toText(Epoch epoch)
{
    return QByteArray::number(static_cast<quint64>(epoch), 16).rightJustified(kEpochDigits, '0');
}

QByteArray Position::toText() const
{
    return relay::toText(epoch).append('-').append(QByteArray::number(offset));
}

std::optional<Position> Position::fromText(QByteArrayView text)
{
    if (text.size() <= kEpochDigits || text[kEpochDigits] != '-') {
        return std::nullopt;
    }
    const QByteArrayView epochDigits = text.first(kEpochDigits);
    if (!std::all_of(epochDigits.begin(), epochDigits.end(), isLowerHexDigit)) {
        return std::nullopt;
    }
    const std::optional<quint64> offset = offsetFrom(text.sliced(kEpochDigits + 1));
    if (!offset) {
        return std::nullopt;
    }
    return Position{Epoch{epochDigits.toULongLong(nullptr, 16)}, *offset};
}

} // namespace relay
