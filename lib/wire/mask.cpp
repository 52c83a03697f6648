#include "wire/mask.h"

#include <bit>
#include <cstring>

namespace relay {

namespace {

/// Bytes XORed at once: a fixed number of words, which the compiler turns into vector instructions
/// at -O2 too.
constexpr std::size_t kBlockWords = 8;
constexpr std::size_t kWordBytes = sizeof(quint64);
constexpr std::size_t kBlockBytes = kBlockWords * kWordBytes;

/// The key, turned to the phase that `offset` has and repeated to fill a word.
quint64 keyWordAt(const MaskKey &key, quint64 offset)
{
    const auto bits = static_cast<int>(8 * (offset % key.size()));
    auto half = std::bit_cast<quint32>(key);
    half =
        std::endian::native == std::endian::little ? std::rotr(half, bits) : std::rotl(half, bits);
    return (quint64{half} << 32) | half;
}

} // namespace

void unmask(char *out, std::span<const char> masked, const MaskKey &key, quint64 offset)
{
    const quint64 keyWord = keyWordAt(key, offset);
    const char *in = masked.data();
    std::size_t left = masked.size();
    for (; left >= kBlockBytes; left -= kBlockBytes, in += kBlockBytes, out += kBlockBytes) {
        std::array<quint64, kBlockWords> block; // NOLINT(cppcoreguidelines-pro-type-member-init)
        std::memcpy(block.data(), in, kBlockBytes);
        for (quint64 &word : block) {
            word ^= keyWord;
        }
        std::memcpy(out, block.data(), kBlockBytes);
    }
    for (; left >= kWordBytes; left -= kWordBytes, in += kWordBytes, out += kWordBytes) {
        quint64 word = 0;
        std::memcpy(&word, in, kWordBytes);
        word ^= keyWord;
        std::memcpy(out, &word, kWordBytes);
    }
    const auto keyBytes = std::bit_cast<std::array<quint8, kWordBytes>>(keyWord);
    for (std::size_t i = 0; i < left; ++i) {
        out[i] = static_cast<char>(static_cast<quint8>(in[i]) ^ keyBytes[i]);
    }
}

} // namespace relay
