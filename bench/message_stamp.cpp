#include "message_stamp.h"

#include <bit>
#include <cstring>

namespace relay::bench {

static_assert(std::endian::native == std::endian::little);

namespace {

void writeHex(char *out, std::uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; --i, value >>= 4) {
        out[i] = "0123456789abcdef"[value & 0xF];
    }
}

/// Eight digits at once: this runs for each delivery, and one by one they would cost more than the
/// rest of it.
std::uint32_t readHex8(const char *digits)
{
    std::uint64_t v = 0;
    std::memcpy(&v, digits, sizeof v);
    v = __builtin_bswap64(v); // the first digit is the highest
    v = (v & 0x0F0F0F0F0F0F0F0F) + 9 * ((v >> 6) & 0x0101010101010101);
    v = (v | (v >> 4)) & 0x00FF00FF00FF00FF;
    v = (v | (v >> 8)) & 0x0000FFFF0000FFFF;
    return static_cast<std::uint32_t>(v | (v >> 16));
}

std::uint64_t readHex16(const char *digits)
{
    return (std::uint64_t{readHex8(digits)} << 32) | readHex8(digits + 8);
}

} // namespace

void writeStamp(char *out, const MessageStamp &stamp)
{
    writeHex(out, stamp.run, 8);
    writeHex(out + 8, stamp.publisher, 8);
    writeHex(out + 16, stamp.sequence, 16);
    writeHex(out + 32, static_cast<std::uint64_t>(stamp.due), 16);
}

MessageStamp readStamp(const char *bytes)
{
    return MessageStamp{.run = readHex8(bytes),
                        .publisher = readHex8(bytes + 8),
                        .sequence = readHex16(bytes + 16),
                        .due = static_cast<Nanoseconds>(readHex16(bytes + 32))};
}

} // namespace relay::bench
