#pragma once

#include "wire/http_request.h"
#include "wire/http_response.h"

#include <optional>

namespace relay {

/// What a browser gets for a channel's URL: a page that shows the channel live, compiled in from
/// resources/web. The page is the same for every channel and finds its name in its own address.
///
/// Thread: any. Each may answer 304 to who has it already.
HttpResponse webPage(const HttpRequest &request);

/// The page's parts, "/-/page.js" and so on; nothing for other paths.
std::optional<HttpResponse> webAsset(const QByteArray &path, const HttpRequest &request);

} // namespace relay
