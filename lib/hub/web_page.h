#pragma once

#include "wire/http_request.h"
#include "wire/http_response.h"

#include <optional>

namespace relay {

/// What a browser gets for a channel's URL: a page that shows the channel live, compiled in from
/// resources/web. `path` is the URL's: the page links to its parts relative to it, and finds the channel's name in
/// its own address.
///
/// Thread: any. Each answers 304 to a browser that has the current version.
HttpResponse webPage(const QByteArray &path, const HttpRequest &request);

/// The page's parts, "/-/page.js" and so on. Returns nullopt for other paths.
std::optional<HttpResponse> webAsset(const QByteArray &path, const HttpRequest &request);

} // namespace relay
