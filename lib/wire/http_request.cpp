#include "wire/http_request.h"

#include "wire/authority.h"
#include "wire/http_grammar.h"
#include "wire/request_target.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>
#include <stdexcept>
#include <utility>

namespace relay {

namespace {

namespace http = boost::beast::http;

using Status = HttpRequestParse::Status;

/// The first byte of a TLS record that holds a ClientHello.
constexpr char kTlsHandshake = 0x16;

bool isBlank(char c)
{
    return c == ' ' || c == '\t';
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
        return malformed("this is TLS, and this port speaks plain HTTP");
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

/// Fields whose value must be one (RFC 9110, section 5.3): of two, a proxy on the way may believe the other.
constexpr std::array<QByteArrayView, 3> kSingleFields{"Host", "Origin", "Content-Type"};

/// What RFC 9112 asks of a request and Beast does not check.
QByteArray brokenRule(const HttpRequest &request)
{
    if (!isHttpToken(request.method)) {
        return "the method is not a token";
    }
    for (const QByteArrayView name : kSingleFields) {
        if (request.count(name) > 1) {
            return "more than one " + name.toByteArray() + " header field";
        }
    }
    const bool hasHost = request.count("Host") > 0;
    if (!hasHost && request.version >= 11) {
        return "no Host header field";
    }
    if (hasHost && !Authority::fromText(request.value("Host"))) {
        return "the Host header field is not a name or an IP address with an optional port";
    }
    return targetProblem(request);
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
    return std::any_of(fields.begin(), fields.end(), [&](const HttpField &f) {
        return equalsIgnoringCase(f.name, name)
               && anyListElement(f.value, [token](QByteArrayView element) {
                      return equalsIgnoringCase(element, token);
                  });
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
