#pragma once

#include <QByteArray>

#include <array>
#include <optional>

namespace relay::test {

/// A frame's opcode (RFC 6455, section 5.2). Any value from 0 to 15 may be held: Op{3} is reserved.
enum class Op : quint8 {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
};

using Mask = std::array<quint8, 4>;
inline constexpr Mask kRfcMask{0x37, 0xFA, 0x21, 0x3D}; ///< the key of section 5.7

enum class LengthForm : quint8 {
    Shortest,
    SevenBits,    ///< lengths up to 125
    SixteenBits,  ///< 126 and two bytes
    SixtyFourBits ///< 127 and eight bytes
};

/// How a frame departs from a well-made final one.
struct FrameOptions
{
    bool fin = true;
    quint8 rsv = 0;                      ///< RSV1 is 4, RSV2 is 2, RSV3 is 1
    std::optional<Mask> mask = kRfcMask; ///< none: sent in the clear
    LengthForm lengthForm = LengthForm::Shortest;
    /// The length that the head says, when it is not the payload's.
    std::optional<quint64> announced = std::nullopt;
    /// How many of the frame's bytes are left.
    std::optional<qsizetype> truncatedTo = std::nullopt;
};

/// A client's frame as it goes to the wire. Sound or not is the caller's choice.
QByteArray clientFrame(Op opcode, const QByteArray &payload, const FrameOptions &options = {});

/// A close frame's payload: the code in network order, and the reason.
QByteArray closePayload(quint16 code, const QByteArray &reason = {});

/// So many bytes of ASCII, none like its neighbours: a lost, doubled or wrongly unmasked byte
/// shows.
QByteArray patterned(qsizetype bytes);

} // namespace relay::test
