#pragma once

#include "wire/http_request_reader.h"

#include <QByteArray>
#include <QList>

namespace relay {

inline constexpr qint64 kMaxBody = 100;

struct Taken
{
    QByteArray target;
    QByteArray body;
    bool hasBody = false;
    bool keepAlive = true;

    bool operator==(const Taken &) const = default;
};

/// What a connection sees of a reader that it feeds.
struct Reading
{
    QList<Taken> requests;
    int failure = 0;
    QByteArray problem;
};

/// Goes on as far as it can, as a connection does at each arrival.
inline void drain(HttpRequestReader &reader, Reading &reading, qint64 maxBody = kMaxBody)
{
    while (true) {
        switch (reader.next()) {
        case HttpRequestReader::Status::NeedMore:
            return;
        case HttpRequestReader::Status::HeadComplete:
            reader.acceptBody(maxBody);
            break;
        case HttpRequestReader::Status::Complete:
            reading.requests.append({reader.request().target, reader.body(), reader.hasBody(),
                                     reader.request().keepAlive});
            reader.finish();
            break;
        case HttpRequestReader::Status::Failed:
            reading.failure = reader.failureStatus();
            reading.problem = reader.problem();
            return;
        }
    }
}

inline Reading
read(const QList<QByteArray> &parts, HttpLimits limits = {}, qint64 maxBody = kMaxBody)
{
    HttpRequestReader reader(limits);
    Reading reading;
    for (const QByteArray &part : parts) {
        reader.append(part);
        drain(reader, reading, maxBody);
    }
    return reading;
}

inline QList<QByteArray> oneByOne(const QByteArray &bytes)
{
    QList<QByteArray> parts;
    for (const char byte : bytes) {
        parts.append(QByteArray(1, byte));
    }
    return parts;
}

/// A POST with these lines between the Host field and the empty line.
inline QByteArray post(const QByteArray &lines, const QByteArray &body = {})
{
    return "POST /x HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n" + body;
}

inline QByteArray chunked(const QByteArray &body)
{
    return post("Transfer-Encoding: chunked\r\n", body);
}

inline const QByteArray kGet = "GET /get HTTP/1.1\r\nHost: a\r\n\r\n";

} // namespace relay
