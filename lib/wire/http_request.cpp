#include "wire/http_request.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

namespace relay {

namespace {

namespace http = boost::beast::http;

using Status = HttpRequestParse::Status;

/// The first byte of a TLS record that holds a ClientHello.
constexpr char kTlsHandshake = 0x16;

/// A character of a token, such as a method (RFC 9110, section 5.6.2).
bool isTokenChar(char c)
{
    const bool isAlphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return isAlphanumeric || (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

bool isVisibleAscii(char c)
{
    return c > 0x20 && c < 0x7F;
}

bool isBlank(char c)
{
    return c == ' ' || c == '\t';
}

bool equalsIgnoringCase(QByteArrayView a, QByteArrayView b)
{
    return a.size() == b.size() && a.compare(b, Qt::CaseInsensitive) == 0;
}

QByteArray toByteArray(boost::beast::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

HttpRequestParse failed(Status status, QByteArray problem)
{
    HttpRequestParse result;
    result.status = status;
    result.problem = std::move(problem);
    return result;
}

HttpRequestParse malformed(QByteArray problem)
{
    return failed(Status::Malformed, std::move(problem));
}

/// Finds the end of the head, line by line. Beast is lenient about lines (it joins folded ones);
/// RFC 9112 lets a server refuse what proxies read in different ways, and so this does.
///
/// Cost: one memchr over the bytes, and no more lines than limits.fields: cheap enough to be
/// repeated at each arrival.
HttpRequestParse findHead(QByteArrayView bytes, const HttpLimits &limits)
{
    int fields = -1; // the first line is the request's
    for (qsizetype begin = 0;;) {
        const qsizetype newline = bytes.indexOf('\n', begin);
        if (newline < 0) {
            return {};
        }
        if (newline == 0 || bytes[newline - 1] != '\r') {
            return malformed("a line must end in CR LF");
        }
        const QByteArrayView line = bytes.sliced(begin, newline - 1 - begin);
        begin = newline + 1;
        if (line.isEmpty()) {
            HttpRequestParse found;
            found.status = Status::Complete;
            found.headBytes = begin;
            return found;
        }
        if (isBlank(line.front())) {
            return malformed("a header field must not be folded over several lines");
        }
        if (++fields > limits.fields) {
            return failed(Status::TooLarge, "the request has more than "
                                                + QByteArray::number(limits.fields)
                                                + " header fields");
        }
    }
}

/// What no request can begin with is told at once: its sender may wait for an answer and never send
/// an empty line.
HttpRequestParse checkFirstByte(char first)
{
    if (first == kTlsHandshake) {
        return malformed("this looks like TLS: use wss:// only when server.tls.enabled is true");
    }
    if (!isTokenChar(first)) {
        return malformed("this is no HTTP request: it does not begin with a method");
    }
    return {};
}

HttpRequest toRequest(const http::request_parser<http::empty_body> &parser)
{
    const auto &message = parser.get();
    HttpRequest request;
    request.method = toByteArray(message.method_string());
    request.target = toByteArray(message.target());
    request.version = static_cast<int>(message.version());
    request.keepAlive = message.keep_alive();
    for (const auto &field : message) {
        request.fields.append({toByteArray(field.name_string()), toByteArray(field.value())});
    }
    return request;
}

/// What RFC 9112 asks of a request and Beast does not check.
QByteArray brokenRule(const HttpRequest &request)
{
    if (!std::all_of(request.method.begin(), request.method.end(), isTokenChar)) {
        return "the method is not a token";
    }
    if (!std::all_of(request.target.begin(), request.target.end(), isVisibleAscii)) {
        return "the request target holds a byte that must be percent-encoded";
    }
    const int hosts = request.count("Host");
    if (hosts > 1) {
        return "more than one Host header field";
    }
    if (hosts == 0 && request.version >= 11) {
        return "no Host header field";
    }
    return {};
}

/// Parses a head that findHead() found whole.
HttpRequestParse parseHead(QByteArrayView head)
{
    http::request_parser<http::empty_body> parser;
    parser.header_limit(
        std::numeric_limits<std::uint32_t>::max()); // the caller held it to its limit
    parser.body_limit(boost::none);
    parser.skip(true);

    boost::beast::error_code error;
    try {
        parser.put(boost::asio::buffer(head.data(), static_cast<std::size_t>(head.size())), error);
    } catch (const std::length_error &) { // a field's name or value beyond what Beast can store
        return malformed("a header field is too long");
    }
    if (error || !parser.is_header_done()) {
        return malformed("the request is not valid HTTP/1.1: "
                         + QByteArray::fromStdString(error.message()));
    }

    HttpRequestParse result;
    result.request = toRequest(parser);
    result.problem = brokenRule(result.request);
    if (!result.problem.isEmpty()) {
        return malformed(result.problem);
    }
    result.status = Status::Complete;
    result.headBytes = head.size();
    return result;
}

} // namespace

QByteArray HttpRequest::value(QByteArrayView name) const
{
    const auto field = std::find_if(fields.begin(), fields.end(), [name](const HttpField &f) {
        return equalsIgnoringCase(f.name, name);
    });
    return field == fields.end() ? QByteArray() : field->value;
}

int HttpRequest::count(QByteArrayView name) const
{
    return static_cast<int>(std::count_if(fields.begin(), fields.end(), [name](const HttpField &f) {
        return equalsIgnoringCase(f.name, name);
    }));
}

bool HttpRequest::hasToken(QByteArrayView name, QByteArrayView token) const
{
    const auto listHasToken = [token](QByteArrayView list) {
        while (true) {
            const qsizetype comma = list.indexOf(',');
            const QByteArrayView element = comma < 0 ? list : list.first(comma);
            if (equalsIgnoringCase(element.trimmed(), token)) {
                return true;
            }
            if (comma < 0) {
                return false;
            }
            list = list.sliced(comma + 1);
        }
    };
    return std::any_of(fields.begin(), fields.end(), [&](const HttpField &f) {
        return equalsIgnoringCase(f.name, name) && listHasToken(f.value);
    });
}

HttpRequestParse parseHttpRequest(QByteArrayView bytes, const HttpLimits &limits)
{
    if (bytes.isEmpty()) {
        return {};
    }
    if (HttpRequestParse first = checkFirstByte(bytes.front()); first.status != Status::NeedMore) {
        return first;
    }
    HttpRequestParse found =
        findHead(bytes.first(std::min(bytes.size(), limits.headBytes)), limits);
    if (found.status == Status::Complete) {
        return parseHead(bytes.first(found.headBytes));
    }
    if (found.status == Status::NeedMore && bytes.size() >= limits.headBytes) {
        return failed(Status::TooLarge, "the request's head is longer than "
                                            + QByteArray::number(limits.headBytes) + " bytes");
    }
    return found;
}

} // namespace relay
