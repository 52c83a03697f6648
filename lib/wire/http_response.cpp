#include "wire/http_response.h"

#include "wire/http_grammar.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/span_body.hpp>
#include <string>
#include <utility>

namespace relay {

namespace {

namespace http = boost::beast::http;

using Message = http::response<http::span_body<const char>>;

/// A field's value without control characters: a line break in it would end the field and begin
/// another.
std::string fieldValue(QByteArrayView value)
{
    std::string safe(value.data(), static_cast<std::size_t>(value.size()));
    std::replace_if(
        safe.begin(), safe.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    return safe;
}

/// Whether an answer of this status has a body at all (RFC 9110, section 6.4.1).
bool mayHaveBody(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/// The options of this connection; an answer with an Upgrade field must name it among them (RFC
/// 9110, section 7.8).
std::string connectionOptions(const HttpResponse &response)
{
    const bool hasUpgrade =
        std::any_of(response.fields.begin(), response.fields.end(), [](const HttpField &field) {
            return equalsIgnoringCase(field.name, "Upgrade");
        });
    const std::string persistence = response.keepAlive ? "keep-alive" : "close";
    return hasUpgrade ? "upgrade, " + persistence : persistence;
}

/// The head without the body's length.
Message toHead(const HttpResponse &response)
{
    Message message;
    message.version(11);
    message.result(static_cast<unsigned>(response.status));
    message.set(http::field::server, "relay");
    if (!response.date.isEmpty()) {
        message.set(http::field::date, fieldValue(response.date));
    }
    for (const HttpField &field : response.fields) {
        message.insert(field.name.toStdString(), fieldValue(field.value));
    }
    message.set(http::field::connection, connectionOptions(response));
    if (mayHaveBody(response.status) && !response.contentType.isEmpty()) {
        message.set(http::field::content_type, fieldValue(response.contentType));
    }
    return message;
}

Message toMessage(const HttpResponse &response)
{
    Message message = toHead(response);
    if (mayHaveBody(response.status)) {
        const auto bodyBytes = static_cast<std::size_t>(response.body.size());
        message.content_length(bodyBytes);
        message.body() = {response.body.constData(), bodyBytes};
    }
    return message;
}

/// Appends what the serializer offers, and tells it how much that was.
struct Appender
{
    http::serializer<false, http::span_body<const char>> &serializer;
    QByteArray &out;

    template <typename Buffers>
    void operator()(boost::beast::error_code &, const Buffers &buffers) const
    {
        std::size_t bytes = 0;
        for (const boost::asio::const_buffer buffer : boost::beast::buffers_range_ref(buffers)) {
            out.append(static_cast<const char *>(buffer.data()),
                       static_cast<qsizetype>(buffer.size()));
            bytes += buffer.size();
        }
        serializer.consume(bytes);
    }
};

QByteArray write(const Message &message, bool headOnly)
{
    http::serializer<false, http::span_body<const char>> serializer(message);
    serializer.split(true); // the head in buffers of its own, so that it can be had alone

    QByteArray out;
    boost::beast::error_code error;
    while (!serializer.is_done() && !(headOnly && serializer.is_header_done()) && !error) {
        serializer.next(error, Appender{serializer, out});
    }
    return out;
}

} // namespace

void HttpResponse::varyBy(const QByteArray &field)
{
    const auto vary = std::find_if(fields.begin(), fields.end(), [](const HttpField &f) {
        return equalsIgnoringCase(f.name, "Vary");
    });
    if (vary == fields.end()) {
        fields.append(HttpField{"Vary", field});
    } else {
        vary->value += ", " + field;
    }
}

QByteArray HttpResponse::serialize(bool headOnly) const
{
    return write(toMessage(*this), headOnly);
}

QByteArray HttpResponse::serializeStreamHead() const
{
    HttpResponse stream = *this;
    stream.keepAlive = false;
    return write(toHead(stream), true);
}

QByteArray reasonPhrase(int status)
{
    const auto phrase = http::obsolete_reason(static_cast<http::status>(status));
    return {phrase.data(), static_cast<qsizetype>(phrase.size())};
}

HttpResponse plainResponse(int status, const QByteArray &text)
{
    HttpResponse response;
    response.status = status;
    response.contentType = "text/plain; charset=utf-8";
    response.body = text + '\n';
    response.sentence = text;
    return response;
}

HttpResponse jsonResponse(int status, QByteArray json)
{
    HttpResponse response;
    response.status = status;
    response.contentType = "application/json";
    response.body = json.append('\n');
    return response;
}

HttpResponse errorResponse(int status, const char *code, const QByteArray &sentence)
{
    const QJsonObject object{{QStringLiteral("error"), QLatin1String(code)},
                             {QStringLiteral("message"), QString::fromUtf8(sentence)}};
    HttpResponse response =
        jsonResponse(status, QJsonDocument(object).toJson(QJsonDocument::Compact));
    response.sentence = sentence;
    return response;
}

HttpResponse retryLater(HttpResponse response)
{
    response.fields.append(HttpField{"Retry-After", "1"});
    return response;
}

} // namespace relay
