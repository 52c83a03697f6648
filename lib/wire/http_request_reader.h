#pragma once

#include "wire/http_request.h"

#include <QByteArray>

#include <memory>
#include <span>

namespace relay {

/// Takes a connection's bytes and gives its requests, one after the other, head first and then body
/// (RFC 9112): Content-Length and chunked bodies, keep-alive, pipelining. Parsed by Boost.Beast. No
/// socket, no clock.
///
/// The owner appends what it has read and calls next() until it says NeedMore. A request's head is
/// reported before its body, so that who answers it can decide how long a body may be, or that
/// there shall be none:
///
///     NeedMore → HeadComplete → (acceptBody) NeedMore → Complete → (finish) NeedMore → …
///
/// What proxies read in different ways is refused (request smuggling): Content-Length beside
/// Transfer-Encoding, more than one Content-Length or a list of them, a transfer coding other than
/// `chunked`, chunks in HTTP/1.0, a bare line feed. Up to two empty lines before a request are
/// skipped (RFC 9112, section 2.2). Chunk extensions and trailers are checked and left out.
///
/// Thread: confined to its owner's.
/// Owner: a connection, by value. Idle, it owns no memory.
/// Limits: HttpLimits for the head; acceptBody()'s for the body, counted decoded, and allocated only
/// as it arrives. All chunk extensions and trailers of a body together are held to headBytes. What
/// is pipelined behind an unfinished request is kept: the owner stops reading while it answers.
/// Cost: that of the bytes, however they are cut, and a look at the lines of a head anew for each
/// that arrives alone.
/// Errors: Failed, with the status and sentence for the answer; after it only the destructor does
/// anything.
class HttpRequestReader
{
public:
    explicit HttpRequestReader(HttpLimits limits);
    ~HttpRequestReader();
    HttpRequestReader(HttpRequestReader &&) noexcept;
    HttpRequestReader &operator=(HttpRequestReader &&) noexcept;
    Q_DISABLE_COPY(HttpRequestReader)

    enum class Status {
        NeedMore,
        HeadComplete, ///< request() is known; said until acceptBody() or takeRest() is called
        Complete,     ///< body() is whole; said until finish() is called
        Failed,       ///< failureStatus() and problem()
    };

    void append(std::span<const char> bytes);
    /// Goes as far as it can with what was appended.
    [[nodiscard]] Status next();

    /// From HeadComplete to finish().
    [[nodiscard]] const HttpRequest &request() const;
    /// Whether the head announces a body: by Transfer-Encoding, or a Content-Length that is not 0.
    [[nodiscard]] bool hasBody() const;
    /// Whether the client waits to be told that it may send the body (RFC 9110, section 10.1.1).
    /// Not once a part of the body is there, and not when acceptBody() has refused it.
    [[nodiscard]] bool expectsContinue() const;
    /// After HeadComplete: reads on, to a body of at most so many bytes. A longer one fails with
    /// 413, at once when Content-Length says so.
    void acceptBody(qint64 maxBytes);
    /// After Complete.
    [[nodiscard]] const QByteArray &body() const;
    /// After Complete: the next request may follow.
    void finish();

    /// Whether nothing of a request has arrived since the last one was finished.
    [[nodiscard]] bool isIdle() const;
    /// Takes what was sent behind the head of an upgrade. After HeadComplete, without acceptBody();
    /// ends the reading.
    [[nodiscard]] QByteArray takeRest();

    /// After Failed: 400, 413, 431 or 501 (a transfer coding but chunked).
    [[nodiscard]] int failureStatus() const;
    /// After Failed: a sentence for the answer's body.
    [[nodiscard]] const QByteArray &problem() const;

private:
    class Private;
    HttpLimits m_limits;
    std::unique_ptr<Private> d; ///< from the first byte of a request to finish()
};

} // namespace relay
