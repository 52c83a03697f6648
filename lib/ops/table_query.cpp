#include "ops/table_query.h"

#include "base/utf8_text.h"

#include <optional>

namespace relay {

namespace {

std::optional<HttpResponse>
readNumber(const RequestTarget &target, QByteArrayView name, qsizetype &value)
{
    const auto text = target.parameter(name);
    if (!text) {
        return std::nullopt;
    }
    bool isNumber = false;
    value = text->toLongLong(&isNumber);
    if (isNumber && value >= 0) {
        return std::nullopt;
    }
    return errorResponse(400, "bad_parameter",
                         "The parameter " + name.toByteArray() + " is a number from 0 on.");
}

} // namespace

std::variant<TableQuery, HttpResponse> readTableQuery(const RequestTarget &target,
                                                      qsizetype maxLimit)
{
    TableQuery query;
    query.sort = target.parameter("sort").value_or(QByteArray());
    query.filter = textOf(target.parameter("filter").value_or(QByteArray()));
    const QByteArray order = target.parameter("order").value_or("asc");
    if (order != "asc" && order != "desc") {
        return errorResponse(400, "bad_parameter", "The parameter order is asc or desc.");
    }
    query.isDescending = order == "desc";
    if (auto refused = readNumber(target, "offset", query.offset)) {
        return *std::move(refused);
    }
    if (auto refused = readNumber(target, "limit", query.limit)) {
        return *std::move(refused);
    }
    query.limit = std::min(query.limit, maxLimit);
    return query;
}

} // namespace relay
