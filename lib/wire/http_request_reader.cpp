#include "wire/http_request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <optional>
#include <utility>

namespace relay {

namespace {

namespace http = boost::beast::http;

using boost::beast::error_code;
using boost::beast::string_view;

/// Empty lines that are skipped before a request; some clients send one behind a body.
constexpr int kEmptyLines = 2;

/// The longest head that a chunk needs: the line end of the chunk before it, 16 digits, a line end.
/// What is longer has extensions, trailers or leading zeros.
constexpr qsizetype kPlainChunkHeadBytes = 20;

constexpr QByteArrayView kLineEnd("\r\n");
constexpr QByteArrayView kEmptyLine("\r\n\r\n"); ///< and the end of the line before it

/// A status and a sentence; status 0 when nothing is wrong.
struct Problem
{
    int status = 0;
    QByteArray text;
};

bool isDigits(QByteArrayView text)
{
    return !text.isEmpty()
           && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What leaves room for two opinions on where a request's body ends. RFC 9112 (section 6) asks for
/// some of it, and allows to refuse the rest.
Problem ambiguousBody(const HttpRequest &request)
{
    const int codings = request.count("Transfer-Encoding");
    const int lengths = request.count("Content-Length");
    if (codings > 0 && lengths > 0) {
        return {400, "a request must not have both Transfer-Encoding and Content-Length"};
    }
    if (codings > 0 && request.version < 11) {
        return {400, "an HTTP/1.0 request must not have Transfer-Encoding"};
    }
    if (codings > 0
        && (codings > 1
            || request.value("Transfer-Encoding").compare("chunked", Qt::CaseInsensitive) != 0))
    {
        return {501, "the only Transfer-Encoding that is understood is chunked"};
    }
    if (lengths > 1 || (lengths == 1 && !isDigits(request.value("Content-Length")))) {
        return {400, "Content-Length must be one number"};
    }
    return {};
}

/// Whether a chunk's head begins the last chunk, which trailers follow.
bool isLastChunk(QByteArrayView head)
{
    constexpr QByteArrayView kHexDigits("0123456789abcdefABCDEF");
    const auto *const digit =
        std::find_if(head.begin(), head.end(), [](char c) { return c != '0'; });
    return digit != head.begin() && (digit == head.end() || !kHexDigits.contains(*digit));
}

/// Beast's parser, of which only the body is kept. It parses a request's head once more, to know
/// its body's framing as it would anyway.
class BodyParser : public http::basic_parser<true>
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

} // namespace

/// One request as it comes in, and what came behind it.
class HttpRequestReader::Private
{
public:
    explicit Private(HttpLimits limits)
        : m_limits(limits)
    {}

    void append(std::span<const char> bytes);
    Status next();
    void acceptBody(qint64 maxBytes);
    QByteArray takeRest();
    /// For the request behind this one, with what of it is here; null when nothing is.
    std::unique_ptr<Private> successor();

    [[nodiscard]] bool isIdle() const { return m_step == Step::Head && rest().isEmpty(); }
    [[nodiscard]] const HttpRequest &request() const { return m_request; }
    [[nodiscard]] bool hasBody() const;
    [[nodiscard]] bool isBodyAwaited() const;
    [[nodiscard]] const QByteArray &body() const;
    [[nodiscard]] const Problem &problem() const { return m_problem; }

private:
    enum class Step {
        Head,
        HeadComplete,
        Body,
        Complete,
        Failed,
        Taken
    };

    [[nodiscard]] QByteArrayView rest() const { return QByteArrayView(m_bytes).sliced(m_taken); }
    Status readHead();
    Status readBody();
    Status fail(Problem problem);
    void skipEmptyLines();
    bool hasNewLineEnd();
    /// The part of rest() that Beast gets at once; empty when more must arrive first.
    QByteArrayView nextPart();
    QByteArrayView chunkHead();
    void parse(QByteArrayView part);

    HttpLimits m_limits;
    Step m_step = Step::Head;
    QByteArray m_bytes;
    qsizetype m_taken = 0;   ///< how much of m_bytes is done with
    qsizetype m_scanned = 0; ///< how much of rest() hasNewLineEnd() has seen
    int m_emptyLines = 0;
    HttpRequest m_request;
    qsizetype m_headBytes = 0; ///< of rest(), while the step is HeadComplete
    bool m_isBodyBegun = false;
    qint64 m_maxBodyBytes = 0;
    std::optional<BodyParser> m_parser; ///< of a request that has a body
    qsizetype m_chunkExtraBytes = 0;    ///< extensions and trailers
    Problem m_problem;
};

void HttpRequestReader::Private::append(std::span<const char> bytes)
{
    if (m_step == Step::Failed || m_step == Step::Taken) {
        return;
    }
    if (m_taken > m_bytes.size() / 2) { // never moves more than was taken since the last move
        m_bytes.remove(0, m_taken);
        m_taken = 0;
    }
    m_bytes.append(bytes.data(), static_cast<qsizetype>(bytes.size()));
    m_isBodyBegun |= m_step != Step::Head && !bytes.empty();
}

HttpRequestReader::Status HttpRequestReader::Private::next()
{
    switch (m_step) {
    case Step::Head:
        return readHead();
    case Step::HeadComplete:
        return Status::HeadComplete;
    case Step::Body:
        return readBody();
    case Step::Complete:
        return Status::Complete;
    case Step::Failed:
        return Status::Failed;
    case Step::Taken:
        break;
    }
    return Status::NeedMore;
}

HttpRequestReader::Status HttpRequestReader::Private::readHead()
{
    skipEmptyLines();
    const QByteArrayView bytes = rest();
    if (bytes == kLineEnd.first(1) && m_emptyLines < kEmptyLines) {
        return Status::NeedMore;
    }
    // A head ends with a line, and its first byte may say already that it is none.
    const bool isFirstLook = m_scanned == 0;
    if (!hasNewLineEnd() && !isFirstLook && bytes.size() < m_limits.headBytes) {
        return Status::NeedMore;
    }
    HttpRequestParse parsed = parseHttpRequest(bytes, m_limits);
    switch (parsed.status) {
    case HttpRequestParse::Status::NeedMore:
        return Status::NeedMore;
    case HttpRequestParse::Status::Malformed:
        return fail({400, parsed.problem});
    case HttpRequestParse::Status::TooLarge:
        return fail({431, parsed.problem});
    case HttpRequestParse::Status::Complete:
        break;
    }
    if (Problem problem = ambiguousBody(parsed.request); problem.status != 0) {
        return fail(std::move(problem));
    }
    m_request = std::move(parsed.request);
    m_headBytes = parsed.headBytes;
    m_isBodyBegun = bytes.size() > m_headBytes;
    m_step = Step::HeadComplete;
    return Status::HeadComplete;
}

bool HttpRequestReader::Private::hasBody() const
{
    if (m_request.count("Transfer-Encoding") > 0) {
        return true;
    }
    const QByteArray length = m_request.value("Content-Length");
    return std::any_of(length.begin(), length.end(), [](char digit) { return digit != '0'; });
}

bool HttpRequestReader::Private::isBodyAwaited() const
{
    return (m_step == Step::HeadComplete || m_step == Step::Body) && hasBody() && !m_isBodyBegun;
}

void HttpRequestReader::Private::acceptBody(qint64 maxBytes)
{
    Q_ASSERT(m_step == Step::HeadComplete);
    m_step = Step::Body;
    m_maxBodyBytes = std::max<qint64>(maxBytes, 0);
    if (hasBody()) {
        m_parser.emplace();
        m_parser->header_limit(std::numeric_limits<std::uint32_t>::max()); // it was held to its own
        m_parser->body_limit(static_cast<std::uint64_t>(m_maxBodyBytes));
        parse(rest().first(m_headBytes));
    } else {
        m_taken += m_headBytes;
    }
}

HttpRequestReader::Status HttpRequestReader::Private::readBody()
{
    while (m_parser && !m_parser->is_done() && m_step == Step::Body) {
        const QByteArrayView part = nextPart();
        if (part.isEmpty()) {
            break;
        }
        parse(part);
    }
    if (m_step == Step::Failed) {
        return Status::Failed;
    }
    if (m_parser && !m_parser->is_done()) {
        return Status::NeedMore;
    }
    m_step = Step::Complete;
    return Status::Complete;
}

QByteArrayView HttpRequestReader::Private::nextPart()
{
    return m_parser->isAtChunkHead() ? chunkHead() : rest();
}

/// Beast would scan a chunk's head again with each byte, reads on behind its line while a quote in
/// an extension is open, and asserts when the last chunk's head comes in small pieces. So it gets
/// each head whole: the line with the size, and behind the last chunk's the trailers, too.
QByteArrayView HttpRequestReader::Private::chunkHead()
{
    const QByteArrayView bytes = rest();
    const qsizetype seen = m_scanned;
    qsizetype end = 0;
    if (hasNewLineEnd()) {
        const qsizetype begin = m_parser->isAtFirstChunk() ? 0 : kLineEnd.size();
        end = bytes.indexOf('\n', begin) + 1;
        if (end > 0 && isLastChunk(bytes.sliced(begin, end - begin))) {
            // The empty line follows the size's, or the last trailer's.
            const qsizetype from = std::max(end - kLineEnd.size(), seen - kEmptyLine.size());
            const qsizetype found = bytes.indexOf(kEmptyLine, std::max<qsizetype>(from, 0));
            end = found < 0 ? 0 : found + kEmptyLine.size();
        }
    }
    const qsizetype soFar = end > 0 ? end : bytes.size();
    const qsizetype extra =
        m_chunkExtraBytes + std::max<qsizetype>(soFar - kPlainChunkHeadBytes, 0);
    if (extra > m_limits.headBytes) {
        fail({431, "the body's chunk extensions and trailers are longer than "
                       + QByteArray::number(m_limits.headBytes) + " bytes"});
        return {};
    }
    if (end > 0) {
        m_chunkExtraBytes = extra;
    }
    return bytes.first(end);
}

void HttpRequestReader::Private::parse(QByteArrayView part)
{
    error_code error;
    const std::size_t taken = m_parser->put(
        boost::asio::buffer(part.data(), static_cast<std::size_t>(part.size())), error);
    m_taken += static_cast<qsizetype>(taken);
    m_scanned = 0;
    if (error == http::error::body_limit) {
        fail({413, "the request's body is longer than " + QByteArray::number(m_maxBodyBytes)
                       + " bytes"});
    } else if (error == http::error::need_more) {
        fail({400, "each chunk of the body must begin with its size in a line that ends in CR LF"});
    } else if (error) {
        fail({400, "the request's body is not valid HTTP/1.1: "
                       + QByteArray::fromStdString(error.message())});
    }
}

const QByteArray &HttpRequestReader::Private::body() const
{
    static const QByteArray kNone;
    return m_parser ? m_parser->body() : kNone;
}

QByteArray HttpRequestReader::Private::takeRest()
{
    Q_ASSERT(m_step == Step::HeadComplete);
    m_step = Step::Taken;
    const QByteArray behind = rest().sliced(m_headBytes).toByteArray();
    m_bytes = QByteArray();
    m_taken = 0;
    return behind;
}

std::unique_ptr<HttpRequestReader::Private> HttpRequestReader::Private::successor()
{
    Q_ASSERT(m_step == Step::Complete);
    if (rest().isEmpty()) {
        return nullptr;
    }
    auto next = std::make_unique<Private>(m_limits);
    next->m_bytes = std::move(m_bytes);
    next->m_taken = m_taken;
    return next;
}

HttpRequestReader::Status HttpRequestReader::Private::fail(Problem problem)
{
    m_step = Step::Failed;
    m_problem = std::move(problem);
    m_bytes = QByteArray();
    m_taken = 0;
    return Status::Failed;
}

void HttpRequestReader::Private::skipEmptyLines()
{
    while (m_emptyLines < kEmptyLines && rest().startsWith(kLineEnd)) {
        m_taken += kLineEnd.size();
        ++m_emptyLines;
    }
}

/// Whether a line has ended in what came since the last call.
bool HttpRequestReader::Private::hasNewLineEnd()
{
    const bool isFound = rest().indexOf('\n', m_scanned) >= 0;
    m_scanned = rest().size();
    return isFound;
}

HttpRequestReader::HttpRequestReader(HttpLimits limits)
    : m_limits(limits)
{}

HttpRequestReader::~HttpRequestReader() = default;
HttpRequestReader::HttpRequestReader(HttpRequestReader &&) noexcept = default;
HttpRequestReader &HttpRequestReader::operator=(HttpRequestReader &&) noexcept = default;

void HttpRequestReader::append(std::span<const char> bytes)
{
    if (!d) {
        d = std::make_unique<Private>(m_limits);
    }
    d->append(bytes);
}

HttpRequestReader::Status HttpRequestReader::next()
{
    return d ? d->next() : Status::NeedMore;
}

const HttpRequest &HttpRequestReader::request() const
{
    return d->request();
}

bool HttpRequestReader::hasBody() const
{
    return d->hasBody();
}

bool HttpRequestReader::hasBodyLength() const
{
    return d->hasBody() || d->request().count("Content-Length") > 0;
}

bool HttpRequestReader::expectsContinue() const
{
    return d->isBodyAwaited() && d->request().version >= 11
           && d->request().hasToken("Expect", "100-continue");
}

void HttpRequestReader::acceptBody(qint64 maxBytes)
{
    d->acceptBody(maxBytes);
}

const QByteArray &HttpRequestReader::body() const
{
    return d->body();
}

void HttpRequestReader::finish()
{
    d = d->successor();
}

bool HttpRequestReader::isIdle() const
{
    return !d || d->isIdle();
}

QByteArray HttpRequestReader::takeRest()
{
    return d->takeRest();
}

int HttpRequestReader::failureStatus() const
{
    return d->problem().status;
}

const QByteArray &HttpRequestReader::problem() const
{
    return d->problem().text;
}

} // namespace relay
