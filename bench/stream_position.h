#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relay::bench {

/// A place in a channel's stream: behind the message `offset` of that epoch. 0 is before the first.
///
/// As text "<epoch>-<offset>": twelve hexadecimal digits, a hyphen and a decimal number.
/// Thread: a value.
struct StreamPosition
{
    std::uint64_t epoch = 0;
    std::uint64_t offset = 0;

    friend bool operator==(const StreamPosition &, const StreamPosition &) = default;
};

std::string toText(const StreamPosition &position);

/// Nothing unless it is such a text.
std::optional<StreamPosition> parsePosition(std::string_view text);
std::optional<std::uint64_t> parseEpoch(std::string_view text);

} // namespace relay::bench
