#include "wire/html_error.h"

#include "wire/media_type.h"

#include <array>

namespace relay {

namespace {

constexpr const char *kPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                                "form-action 'none'; frame-ancestors 'none'";

/// %1: status and phrase, %2: the sentence.
constexpr const char *kPage =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>%1</title>\n"
    "<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40em;"
    "margin:4em auto;padding:0 1em;overflow-wrap:anywhere}h1{font-size:1.4em}</style>\n"
    "</head>\n"
    "<body>\n"
    "<h1>%1</h1>\n"
    "<p>%2</p>\n"
    "</body>\n"
    "</html>\n";

} // namespace

bool prefersPage(const HttpRequest &request)
{
    static constexpr std::array<QByteArrayView, 2> kTypes{"application/json", "text/html"};
    return preferredType(request, kTypes) == std::size_t{1};
}

HttpResponse shownTo(bool prefersPage, HttpResponse response)
{
    if (response.status < 400 || response.sentence.isEmpty()) {
        return response;
    }
    response.varyBy("Accept");
    if (!prefersPage) {
        return response;
    }
    const QString title = QString::number(response.status) % QLatin1Char(' ')
                          % QString::fromLatin1(reasonPhrase(response.status));
    response.contentType = "text/html; charset=utf-8";
    // Both at once: a sentence may quote a name that holds %2.
    response.body = QString::fromLatin1(kPage)
                        .arg(title, QString::fromUtf8(response.sentence).toHtmlEscaped())
                        .toUtf8();
    response.fields.append(HttpField{"Content-Security-Policy", kPolicy});
    response.fields.append(HttpField{"X-Content-Type-Options", "nosniff"});
    return response;
}

} // namespace relay
