#include "wire/http_request_reader.h"

#include "wire/http_body_parser.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace relay {

namespace {

/// Empty lines that are skipped before a request; some clients send one behind a body.
constexpr int kEmptyLines = 2;

constexpr QByteArrayView kLineEnd("\r\n");

bool isDigits(QByteArrayView text)
{
    return !text.isEmpty()
           && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What leaves room for two opinions on where a request's body ends. RFC 9112 (section 6) asks for
/// some of it, and allows to refuse the rest.
HttpProblem ambiguousBody(const HttpRequest &request)
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
    [[nodiscard]] const HttpProblem &problem() const { return m_problem; }

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
    Status fail(HttpProblem problem);
    void skipEmptyLines();
    bool hasNewLineEnd();

    HttpLimits m_limits;
    Step m_step = Step::Head;
    QByteArray m_bytes;
    qsizetype m_taken = 0;   ///< how much of m_bytes is done with
    qsizetype m_scanned = 0; ///< how much of rest() hasNewLineEnd() has seen
    int m_emptyLines = 0;
    HttpRequest m_request;
    qsizetype m_headBytes = 0; ///< of rest(), while the step is HeadComplete
    bool m_isBodyBegun = false;
    std::optional<HttpBodyParser> m_body; ///< of a request that has one
    HttpProblem m_problem;
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
    if (HttpProblem problem = ambiguousBody(parsed.request); problem.status != 0) {
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
    return hasBody() && !m_isBodyBegun
           && (m_step == Step::HeadComplete
               || (m_step == Step::Body && m_body->problem().status == 0));
}

void HttpRequestReader::Private::acceptBody(qint64 maxBytes)
{
    Q_ASSERT(m_step == Step::HeadComplete);
    m_step = Step::Body;
    if (hasBody()) {
        m_body.emplace(rest().first(m_headBytes), maxBytes, m_limits.headBytes);
    }
    m_taken += m_headBytes;
}

HttpRequestReader::Status HttpRequestReader::Private::readBody()
{
    if (m_body) {
        m_taken += m_body->take(rest());
        if (m_body->problem().status != 0) {
            return fail(m_body->problem());
        }
        if (!m_body->isDone()) {
            return Status::NeedMore;
        }
    }
    m_step = Step::Complete;
    return Status::Complete;
}

const QByteArray &HttpRequestReader::Private::body() const
{
    static const QByteArray kNone;
    return m_body ? m_body->body() : kNone;
}

QByteArray HttpRequestReader::Private::takeRest()
{
    Q_ASSERT(m_step == Step::HeadComplete);
    m_step = Step::Taken;
    QByteArray behind = rest().sliced(m_headBytes).toByteArray();
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

HttpRequestReader::Status HttpRequestReader::Private::fail(HttpProblem problem)
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
