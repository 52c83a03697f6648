#include "stream_position.h"

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>

namespace relay::bench {

namespace {

constexpr std::size_t kEpochDigits = 12;

template <typename Number>
std::optional<Number> parseWhole(std::string_view text, int base)
{
    Number number{};
    const char *const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number, base);
    return error == std::errc() && end == last ? std::optional(number) : std::nullopt;
}

} // namespace

std::string toText(const StreamPosition &position)
{
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%012" PRIx64 "-%" PRIu64, position.epoch,
                  position.offset);
    return text.data();
}

std::optional<std::uint64_t> parseEpoch(std::string_view text)
{
    return text.size() == kEpochDigits ? parseWhole<std::uint64_t>(text, 16) : std::nullopt;
}

std::optional<StreamPosition> parsePosition(std::string_view text)
{
    if (text.size() <= kEpochDigits || text[kEpochDigits] != '-') {
        return std::nullopt;
    }
    const auto epoch = parseEpoch(text.substr(0, kEpochDigits));
    const auto offset = parseWhole<std::uint64_t>(text.substr(kEpochDigits + 1), 10);
    if (!epoch || !offset) {
        return std::nullopt;
    }
    return StreamPosition{.epoch = *epoch, .offset = *offset};
}

} // namespace relay::bench
