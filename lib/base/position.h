#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QtGlobal>

#include <optional>

namespace relay {

/// One life of a stream of messages: 48 random bits, never 0, fixed when it begins. Offsets of
/// different epochs have nothing to do with each other.
enum class Epoch : quint64 {
};

Epoch newEpoch();

/// Twelve lower-case hexadecimal digits.
QByteArray toText(Epoch epoch);

/// A place in a stream: behind the message `offset` of that epoch. 0 is before the first one.
///
/// As text, which clients give back as it is: "<epoch>-<offset>", such as "5f2c9a11c07b-17".
/// Thread: a value.
struct Position
{
    Epoch epoch{};
    quint64 offset = 0;

    [[nodiscard]] QByteArray toText() const;
    /// Nothing unless it is exactly what toText() writes: an offset has no sign, no leading zero
    /// and is at most 2^53 - 1, which JSON's numbers hold. Epoch 0 is accepted; no stream has it.
    static std::optional<Position> fromText(QByteArrayView text);

    friend bool operator==(const Position &, const Position &) = default;
};

} // namespace relay
