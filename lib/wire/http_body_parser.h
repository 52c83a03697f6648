#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <memory>

namespace relay {

/// Why a request is refused; nothing is wrong while the status is 0.
struct HttpProblem
{
    int status = 0;
    QByteArray text; ///< a sentence for the answer's body
};

/// Decodes the body of one request (RFC 9112, sections 6 and 7) with Boost.Beast: a body of
/// Content-Length bytes, or chunks. Chunk extensions and trailers are checked and left out. No
/// socket, no clock.
///
/// Thread: confined to its owner's.
/// Owner: HttpRequestReader, while a request's body comes in.
/// Limits: `maxBytes` for the decoded body, allocated only as it arrives; `maxExtraBytes` for all
/// extensions and trailers together.
/// Errors: problem(), 400, 413 or 431; then nothing more is taken.
class HttpBodyParser
{
public:
    /// `head` is a whole head that announces a body and leaves no doubt how long it is.
    HttpBodyParser(QByteArrayView head, qint64 maxBytes, qsizetype maxExtraBytes);
    ~HttpBodyParser();
    Q_DISABLE_COPY_MOVE(HttpBodyParser)

    /// Takes what it can from the front of `bytes`, and returns how much. What it leaves must stand
    /// in front of the next call's bytes.
    qsizetype take(QByteArrayView bytes);

    [[nodiscard]] bool isDone() const;
    [[nodiscard]] const QByteArray &body() const;
    [[nodiscard]] const HttpProblem &problem() const { return m_problem; }

private:
    class Parser;

    /// The part of `bytes` that the parser gets at once; empty when more must arrive first.
    QByteArrayView nextPart(QByteArrayView bytes);
    QByteArrayView chunkHead(QByteArrayView bytes);
    qsizetype chunkHeadEnd(QByteArrayView bytes);
    qsizetype parse(QByteArrayView part);

    std::unique_ptr<Parser> m_parser;
    qint64 m_maxBytes;
    qsizetype m_maxExtraBytes;
    qsizetype m_extraBytes = 0;
    qsizetype m_scanned = 0; ///< of the bytes: seen already, without the end of a chunk's head
    HttpProblem m_problem;
};

} // namespace relay
