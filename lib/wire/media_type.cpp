#include "wire/media_type.h"

#include <QByteArrayList>

#include <algorithm>
#include <array>

namespace relay {

namespace {

struct Range
{
    QByteArray type;
    double weight = 1;
};

QByteArray parameter(const QByteArrayList &parts, QByteArrayView name)
{
    for (const QByteArray &part : parts.mid(1)) {
        const qsizetype equals = part.indexOf('=');
        if (equals > 0 && part.first(equals).trimmed().compare(name, Qt::CaseInsensitive) == 0) {
            QByteArray value = part.sliced(equals + 1).trimmed();
            if (value.size() >= 2 && value.startsWith('"') && value.endsWith('"')) {
                value = value.sliced(1, value.size() - 2);
            }
            return value.toLower();
        }
    }
    return {};
}

QList<Range> acceptedRanges(const HttpRequest &request)
{
    QList<Range> ranges;
    for (const HttpField &field : request.fields) {
        if (field.name.compare("Accept", Qt::CaseInsensitive) != 0) {
            continue;
        }
        for (const QByteArray &element : field.value.split(',')) {
            const QByteArrayList parts = element.split(';');
            const QByteArray weight = parameter(parts, "q");
            bool isNumber = true;
            const double q = weight.isEmpty() ? 1 : weight.toDouble(&isNumber);
            ranges.append({parts.first().trimmed().toLower(), isNumber ? q : 0});
        }
    }
    return ranges;
}

/// How narrowly a range covers a type: 3 is the type itself, 1 all types, 0 not at all.
int precision(const QByteArray &range, QByteArrayView type)
{
    if (range == type) {
        return 3;
    }
    if (range.endsWith("/*") && type.startsWith(QByteArrayView(range).chopped(1))) {
        return 2;
    }
    return range == "*/*" || range == "*" ? 1 : 0;
}

/// The narrowest of the ranges that cover the type, the first of equals; null when none does.
const Range *narrowest(const QList<Range> &ranges, QByteArrayView type)
{
    const Range *best = nullptr;
    int bestPrecision = 0;
    for (const Range &range : ranges) {
        if (const int p = precision(range.type, type); p > bestPrecision) {
            best = &range;
            bestPrecision = p;
        }
    }
    return best;
}

} // namespace

MediaType contentTypeOf(const HttpRequest &request)
{
    const QByteArrayList parts = request.value("Content-Type").split(';');
    return {.type = parts.first().trimmed().toLower(), .charset = parameter(parts, "charset")};
}

bool isTextType(QByteArrayView type)
{
    return type.startsWith("text/") || type == "application/json"
           || type == "application/x-www-form-urlencoded"
           || (type.startsWith("application/") && type.endsWith("+json"));
}

std::variant<BodyKind, HttpResponse> bodyKindOf(const HttpRequest &request)
{
    const MediaType type = contentTypeOf(request);
    if (type.type.isEmpty()) {
        return BodyKind::TextIfUtf8;
    }
    if (!isTextType(type.type)) {
        return BodyKind::Binary;
    }
    static constexpr std::array<QByteArrayView, 4> kCharsets{"utf-8", "utf8", "us-ascii", "ascii"};
    const bool isUtf8 =
        type.charset.isEmpty()
        || std::find(kCharsets.begin(), kCharsets.end(), type.charset) != kCharsets.end();
    if (!isUtf8) {
        return errorResponse(415, "unsupported_charset",
                             "Text must be UTF-8. Send other charsets as "
                             "application/octet-stream.");
    }
    return BodyKind::Text;
}

std::variant<bool, HttpResponse> isTextBody(BodyKind kind, const QByteArray &body)
{
    if (kind == BodyKind::Binary) {
        return false;
    }
    const bool isUtf8 = body.isValidUtf8();
    if (kind == BodyKind::Text && !isUtf8) {
        return errorResponse(400, "not_utf8",
                             "The body is not valid UTF-8. Send binary messages as "
                             "application/octet-stream.");
    }
    return isUtf8;
}

std::optional<std::size_t> preferredType(const HttpRequest &request,
                                         std::span<const QByteArrayView> types)
{
    if (request.count("Accept") == 0) {
        return 0;
    }
    const QList<Range> ranges = acceptedRanges(request);
    std::optional<std::size_t> best;
    double bestWeight = 0;
    const auto offer = [&](std::size_t type, double weight) {
        if (weight > bestWeight) {
            best = type;
            bestWeight = weight;
        }
    };
    for (const Range &range : ranges) {
        for (std::size_t type = 0; type < types.size(); ++type) {
            if (range.type == types[type]) {
                offer(type, range.weight);
            }
        }
    }
    for (std::size_t type = 0; type < types.size(); ++type) {
        const Range *range = narrowest(ranges, types[type]);
        if (range != nullptr && range->type != types[type]) {
            offer(type, range->weight);
        }
    }
    return best;
}

} // namespace relay
