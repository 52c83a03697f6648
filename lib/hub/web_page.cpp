#include "hub/web_page.h"

#include <QCryptographicHash>
#include <QFile>

#include <algorithm>
#include <array>
#include <vector>

// Outside of all namespaces, as Q_INIT_RESOURCE asks. A static library's resources are not found
// without it.
static void initResources()
{
    Q_INIT_RESOURCE(relay_web);
}

namespace relay {

namespace {

/// All of the page is its own; it connects back to where it came from.
constexpr const char *kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Asset
{
    QByteArray path; ///< empty for the page itself
    QByteArray type;
    QByteArray body;
    QByteArray tag; ///< ETag
};

Asset load(const char *path, const char *file, const char *type)
{
    QFile source(QStringLiteral(":/relay/web/") % QLatin1String(file));
    Asset asset{path, type, {}, {}};
    if (source.open(QIODevice::ReadOnly)) {
        asset.body = source.readAll();
    }
    asset.tag = '"'
                + QCryptographicHash::hash(asset.body, QCryptographicHash::Sha256).toHex().left(16)
                + '"';
    return asset;
}

/// In the page: the way from its URL to the relay's root. Links are relative, so that they also work where a
/// proxy serves the relay under a path prefix, which only the browser knows.
constexpr QByteArrayView kRootPlaceholder = "@root@";

/// The page as it is for a channel of that path.
Asset pageFor(const Asset &page, const QByteArray &path)
{
    const qsizetype depth = std::max(qsizetype{1}, path.count('/')) - 1;
    Asset made = page;
    made.body.replace(kRootPlaceholder, depth == 0 ? "./" : QByteArray("../").repeated(depth));
    made.tag = page.tag.chopped(1) + '-' + QByteArray::number(depth) + '"';
    return made;
}

/// Loaded once, at the first request.
const std::vector<Asset> &assets()
{
    static const std::vector<Asset> kAssets = [] {
        initResources();
        return std::vector<Asset>{
            load("", "page.html", "text/html; charset=utf-8"),
            load("/-/page.js", "page.js", "text/javascript; charset=utf-8"),
            load("/-/client.js", "client.js", "text/javascript; charset=utf-8"),
            load("/-/snippets.js", "snippets.js", "text/javascript; charset=utf-8"),
            load("/-/page.css", "page.css", "text/css; charset=utf-8"),
            load("/-/icon.svg", "icon.svg", "image/svg+xml"),
        };
    }();
    return kAssets;
}

/// Weak tags are the same here (RFC 9110, section 13.1.2): a proxy that compresses makes them so.
bool isKnown(const Asset &asset, const HttpRequest &request)
{
    return request.hasToken("If-None-Match", asset.tag)
           || request.hasToken("If-None-Match", QByteArray("W/" + asset.tag))
           || request.hasToken("If-None-Match", "*");
}

HttpResponse answer(const Asset &asset, const HttpRequest &request)
{
    HttpResponse response;
    response.fields = {{"Cache-Control", "no-cache"},
                       {"ETag", asset.tag},
                       {"Vary", "Accept"},
                       {"Content-Security-Policy", kContentSecurityPolicy},
                       {"X-Content-Type-Options", "nosniff"},
                       {"Referrer-Policy", "no-referrer"}};
    if (isKnown(asset, request)) {
        response.status = 304;
        return response;
    }
    response.contentType = asset.type;
    response.body = asset.body;
    return response;
}

} // namespace

HttpResponse webPage(const QByteArray &path, const HttpRequest &request)
{
    return answer(pageFor(assets().front(), path), request);
}

std::optional<HttpResponse> webAsset(const QByteArray &path, const HttpRequest &request)
{
    const auto asset = std::find_if(assets().begin() + 1, assets().end(),
                                    [&](const Asset &a) { return a.path == path; });
    return asset == assets().end() ? std::nullopt : std::optional(answer(*asset, request));
}

} // namespace relay
