#include "wire/http_body_parser.h"

#include <QStringBuilder>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <utility>

namespace relay {

namespace {

namespace http = boost::beast::http;

using boost::beast::error_code;
using boost::beast::string_view;

/// The longest head that a chunk needs: the line end of the chunk before it, 16 digits, a line end.
/// What is longer has extensions, trailers or leading zeros.
constexpr qsizetype kPlainChunkHeadBytes = 20;

constexpr QByteArrayView kCrLf("\r\n");
constexpr QByteArrayView kEmptyLine("\r\n\r\n"); ///< and the end of the line before it

/// Whether a chunk's head begins the last chunk, which trailers follow.
bool isLastChunk(QByteArrayView head)
{
    constexpr QByteArrayView kHexDigits("0123456789abcdefABCDEF");
    const auto *const digit =
        std::find_if(head.begin(), head.end(), [](char c) { return c != '0'; });
    return digit != head.begin() && (digit == head.end() || !kHexDigits.contains(*digit));
}

} // namespace

/// Keeps the body alone. It parses the head once more, which tells it of the body.
class HttpBodyParser::Parser final : public http::basic_parser<true>
{
public:
    [[nodiscard]] bool isAtFirstChunk() const { return !m_hasChunk; }
    /// Whether a chunk's head comes next, or the last chunk's with the trailers.
    [[nodiscard]] bool isAtChunkHead() const { return chunked() && m_chunkBytesLeft == 0; }
    [[nodiscard]] const QByteArray &body() const { return m_body; }

private:
    void on_request_impl(http::verb, string_view, string_view, int, error_code &) override {}
    void on_response_impl(int, string_view, int, error_code &) override {}
    void on_field_impl(http::field, string_view, string_view, error_code &) override {}
    void on_header_impl(error_code &) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t> &, error_code &) override {}
    void on_finish_impl(error_code &) override {}

    std::size_t on_body_impl(string_view part, error_code &) override { return keep(part); }

    void on_chunk_header_impl(std::uint64_t size, string_view, error_code &) override
    {
        m_hasChunk = true;
        m_chunkBytesLeft = size;
    }

    std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code &) override
    {
        m_chunkBytesLeft -= part.size();
        return keep(part);
    }

    std::size_t keep(string_view part)
    {
        m_body.append(part.data(), static_cast<qsizetype>(part.size()));
        return part.size();
    }

    QByteArray m_body;
    std::uint64_t m_chunkBytesLeft = 0;
    bool m_hasChunk = false;
};

HttpBodyParser::HttpBodyParser(QByteArrayView head, qint64 maxBytes, qsizetype maxExtraBytes)
    : m_parser(std::make_unique<Parser>())
    , m_maxBytes(std::max<qint64>(maxBytes, 0))
    , m_maxExtraBytes(maxExtraBytes)
{
    // The head was held to its own limit.
    m_parser->header_limit(std::numeric_limits<std::uint32_t>::max());
    m_parser->body_limit(static_cast<std::uint64_t>(m_maxBytes));
    parse(head);
}

HttpBodyParser::~HttpBodyParser() = default;

qsizetype HttpBodyParser::take(QByteArrayView bytes)
{
    qsizetype taken = 0;
    while (m_problem.status == 0 && !isDone()) {
        const QByteArrayView part = nextPart(bytes.sliced(taken));
        if (part.isEmpty()) {
            break;
        }
        taken += parse(part);
    }
    return taken;
}

bool HttpBodyParser::isDone() const
{
    return m_parser->is_done();
}

const QByteArray &HttpBodyParser::body() const
{
    return m_parser->body();
}

QByteArrayView HttpBodyParser::nextPart(QByteArrayView bytes)
{
    return m_parser->isAtChunkHead() ? chunkHead(bytes) : bytes;
}

/// Beast would scan a chunk's head again with each byte, reads on behind its line while a quote in
/// an extension is open, and asserts when the last chunk's head comes in small pieces. So it gets
/// each head whole: the line with the size, and behind the last chunk's the trailers, too.
QByteArrayView HttpBodyParser::chunkHead(QByteArrayView bytes)
{
    const qsizetype end = chunkHeadEnd(bytes);
    const qsizetype headBytes = end > 0 ? end : bytes.size();
    const qsizetype extraBytes =
        m_extraBytes + std::max<qsizetype>(headBytes - kPlainChunkHeadBytes, 0);
    if (extraBytes > m_maxExtraBytes) {
        m_problem = {431, "the body's chunk extensions and trailers are longer than "
                              + QByteArray::number(m_maxExtraBytes) + " bytes"};
        return {};
    }
    if (end > 0) {
        m_extraBytes = extraBytes;
    }
    return bytes.first(end);
}

/// 0 when the end is not there yet.
qsizetype HttpBodyParser::chunkHeadEnd(QByteArrayView bytes)
{
    const qsizetype seen = std::exchange(m_scanned, bytes.size());
    if (bytes.indexOf('\n', seen) < 0) {
        return 0;
    }
    const qsizetype begin = m_parser->isAtFirstChunk() ? 0 : kCrLf.size();
    const qsizetype lineEnd = bytes.indexOf('\n', begin) + 1;
    if (lineEnd == 0 || !isLastChunk(bytes.sliced(begin, lineEnd - begin))) {
        return lineEnd;
    }
    // The empty line follows the size's, or the last trailer's.
    const qsizetype from = std::max(lineEnd - kCrLf.size(), seen - kEmptyLine.size());
    const qsizetype emptyLine = bytes.indexOf(kEmptyLine, std::max<qsizetype>(from, 0));
    return emptyLine < 0 ? 0 : emptyLine + kEmptyLine.size();
}

qsizetype HttpBodyParser::parse(QByteArrayView part)
{
    error_code error;
    const std::size_t taken = m_parser->put(
        boost::asio::buffer(part.data(), static_cast<std::size_t>(part.size())), error);
    m_scanned = 0;
    if (error == http::error::body_limit) {
        m_problem = {413, "the request's body is longer than " + QByteArray::number(m_maxBytes)
                              + " bytes"};
    } else if (error == http::error::need_more) {
        m_problem = {
            400, "each chunk of the body must begin with its size in a line that ends in CR LF"};
    } else if (error) {
        m_problem = {400, "the request's body is not valid HTTP/1.1: "
                              + QByteArray::fromStdString(error.message())};
    }
    return static_cast<qsizetype>(taken);
}

} // namespace relay
