#include "handshake.h"

#include <algorithm>
#include <cctype>

namespace relay::bench {

namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::string_view kPositions = "relay.meta";

bool equalsIgnoringCase(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view fieldOf(std::string_view head, std::string_view name)
{
    std::size_t at = head.find("\r\n");
    while (at != std::string_view::npos) {
        head.remove_prefix(at + 2);
        at = head.find("\r\n");
        const std::string_view line = head.substr(0, at);
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos && equalsIgnoringCase(line.substr(0, colon), name)) {
            return trimmed(line.substr(colon + 1));
        }
    }
    return {};
}

std::string requestBegin(const Url &url)
{
    return "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority();
}

/// Why it is not an HTTP answer with this status.
std::optional<std::string> statusRefusal(std::string_view head, std::string_view status)
{
    const std::string statusLine(head.substr(0, head.find("\r\n")));
    if (!statusLine.starts_with("HTTP/1.")) {
        return "what answered does not speak HTTP";
    }
    if (statusLine.find(" " + std::string(status)) != 8) {
        return "the handshake was refused: " + statusLine;
    }
    return std::nullopt;
}

} // namespace

std::string upgradeRequest(const Url &url, bool wantsPositions)
{
    std::string request = requestBegin(url);
    if (wantsPositions) {
        request += "\r\nSec-WebSocket-Protocol: " + std::string(kPositions);
    }
    request += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
               "\r\nSec-WebSocket-Key: ";
    request += kKey;
    request += "\r\n\r\n";
    return request;
}

std::optional<std::string> upgradeRefusal(std::string_view head, bool wantsPositions)
{
    if (auto refusal = statusRefusal(head, "101")) {
        return refusal;
    }
    if (fieldOf(head, "Sec-WebSocket-Accept") != kAccept) {
        return "the handshake's Sec-WebSocket-Accept is missing or wrong";
    }
    if (!fieldOf(head, "Sec-WebSocket-Extensions").empty()) {
        return "the server uses an extension that was not offered";
    }
    if (wantsPositions && fieldOf(head, "Sec-WebSocket-Protocol") != kPositions) {
        return "the server does not speak relay.meta: there is nothing to resume by";
    }
    return std::nullopt;
}

std::string eventStreamRequest(const Url &url, const std::optional<StreamPosition> &last)
{
    std::string request = requestBegin(url) + "\r\nAccept: text/event-stream";
    request += "\r\nCache-Control: no-store";
    if (last) {
        request += "\r\nLast-Event-ID: " + toText(*last);
    }
    return request + "\r\n\r\n";
}

std::optional<std::string> eventStreamRefusal(std::string_view head)
{
    if (auto refusal = statusRefusal(head, "200")) {
        return refusal;
    }
    const std::string_view type = fieldOf(head, "Content-Type");
    if (!equalsIgnoringCase(trimmed(type.substr(0, type.find(';'))), "text/event-stream")) {
        return "the answer is no event stream, but '" + std::string(type) + "'";
    }
    return std::nullopt;
}

bool isChunked(std::string_view head)
{
    return equalsIgnoringCase(fieldOf(head, "Transfer-Encoding"), "chunked");
}

} // namespace relay::bench
