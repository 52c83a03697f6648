#include "auth/origin_policy.h"
#include "wire/media_type.h"
#include "wire/request_target.h"

#include "property.h"

#include <array>

using namespace relay;

namespace {

constexpr std::array<QByteArrayView, 3> kTypes{"text/html", "application/json",
                                               "text/event-stream"};

/// The obvious reading of a query: split, and decode what belongs to the first field of that name.
std::optional<QByteArray> parameterOf(const QByteArray &query, const QByteArray &name)
{
    for (const QByteArray &field : query.split('&')) {
        const qsizetype end = field.indexOf('=');
        const auto decoded = [](QByteArray text) {
            return QByteArray::fromPercentEncoding(text.replace('+', ' '));
        };
        if (decoded(end < 0 ? field : field.first(end)) == name) {
            return end < 0 ? QByteArray("") : decoded(field.sliced(end + 1));
        }
    }
    return std::nullopt;
}

void checkQuery(const QByteArray &query)
{
    const RequestTarget target{.host = "localhost", .path = "/a", .query = query};
    for (const QByteArray &name : {QByteArray("since"), QByteArray("last"), QByteArray("a")}) {
        const auto value = target.parameter(name);
        require(!value || value->size() <= query.size(), "a value is no longer than its query");
        require(value.has_value() == parameterOf(query, name).has_value(),
                "a field is there or not");
    }
}

void checkMediaTypes(const QByteArray &value)
{
    HttpRequest request;
    request.fields = {{"Accept", value}, {"Content-Type", value}};
    const auto best = preferredType(request, kTypes);
    require(!best || *best < kTypes.size(), "the best type is one of those that there are");
    const MediaType type = contentTypeOf(request);
    require(type.type == type.type.toLower() && type.charset == type.charset.toLower(),
            "a type is in lower case");
    require(type.type.size() + type.charset.size() <= value.size(),
            "a type is no longer than its field");
}

void checkOrigin(const QByteArray &origin, const QByteArray &host)
{
    static const OriginPolicy closed({}, OriginPolicy::OwnHost::AnyName);
    static const OriginPolicy local({}, OriginPolicy::OwnHost::LocalOnly);
    static const OriginPolicy open({QStringLiteral("*"), QStringLiteral("null")},
                                   OriginPolicy::OwnHost::AnyName);
    require(!local.allows(origin, host) || closed.allows(origin, host),
            "local is never wider than any name");
    require(!closed.allows(origin, host) || open.allows(origin, host) || origin.isEmpty(),
            "a list never narrows");
    require(closed.allows(origin, host) == closed.allows(origin, host.toUpper()),
            "case does not count in a host");
    require(!closed.allows("http://evil.example", "relay.example"),
            "a foreign origin is refused whatever came before");
}

} // namespace

// The input is lines: a query, an Accept or Content-Type field, an Origin, a Host.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    QByteArrayList lines =
        QByteArray(reinterpret_cast<const char *>(data), static_cast<qsizetype>(size)).split('\n');
    while (lines.size() < 4) {
        lines.append(QByteArray());
    }
    checkQuery(lines[0]);
    checkMediaTypes(lines[1]);
    checkOrigin(lines[2], lines[3]);
    return 0;
}
