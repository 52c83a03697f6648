#include "head_line.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace relay::bench {

namespace {

/// What stands behind `"key":`. That cannot be part of a string's content: its quotes would be
/// escaped.
std::optional<std::string_view> valueOf(std::string_view json, std::string_view key)
{
    const std::string wanted = '"' + std::string(key) + "\":";
    const std::size_t at = json.find(wanted);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    json.remove_prefix(at + wanted.size());
    json.remove_prefix(std::min(json.find_first_not_of(' '), json.size()));
    return json;
}

std::optional<std::string_view> stringOf(std::string_view json, std::string_view key)
{
    const auto value = valueOf(json, key);
    if (!value || !value->starts_with('"')) {
        return std::nullopt;
    }
    const std::size_t end = value->find('"', 1);
    return end == std::string_view::npos ? std::nullopt : std::optional(value->substr(1, end - 1));
}

std::optional<StreamPosition> positionOf(std::string_view json, std::string_view key)
{
    const auto text = stringOf(json, key);
    return text ? parsePosition(*text) : std::nullopt;
}

std::optional<StreamPosition> messagePosition(std::string_view line)
{
    const auto epochText = stringOf(line, "epoch");
    const auto offsetText = valueOf(line, "offset");
    const auto epoch = epochText ? parseEpoch(*epochText) : std::nullopt;
    if (!epoch || !offsetText) {
        return std::nullopt;
    }
    StreamPosition position{.epoch = *epoch};
    const char *const last = offsetText->data() + offsetText->size();
    const auto [end, error] = std::from_chars(offsetText->data(), last, position.offset);
    return error == std::errc() ? std::optional(position) : std::nullopt;
}

} // namespace

std::optional<HeadLine> parseHeadLine(std::string_view line)
{
    if (const auto position = messagePosition(line)) {
        return HeadLine{.position = *position};
    }
    const auto position = positionOf(line, "position");
    if (!position) {
        return std::nullopt;
    }
    HeadLine head{.isGreeting = true, .position = *position};
    if (const auto gap = valueOf(line, "gap")) {
        head.gapTo = parseGap(*gap);
        if (!head.gapTo) {
            return std::nullopt;
        }
    }
    return head;
}

std::optional<StreamPosition> parseGap(std::string_view json)
{
    return positionOf(json, "to");
}

} // namespace relay::bench
