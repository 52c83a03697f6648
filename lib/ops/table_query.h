#pragma once

#include "ops/model/json_fields.h"
#include "ops/model/page.h"
#include "wire/http_response.h"
#include "wire/request_target.h"

#include <QByteArray>
#include <QString>

#include <algorithm>
#include <concepts>
#include <tuple>
#include <variant>
#include <vector>

namespace relay {

/// How a table is asked for: ?sort=<field>&order=asc|desc&filter=<text>&offset=N&limit=N.
struct TableQuery
{
    QByteArray sort = {}; ///< a field's JSON name; empty: the row's first
    bool isDescending = false;
    QString filter = {}; ///< rows that contain it, whatever the case
    qsizetype offset = 0;
    qsizetype limit = 100;
};

/// Errors: 400 for a number that is none, or an order that is neither. `maxLimit` bounds the limit
/// silently.
std::variant<TableQuery, HttpResponse> readTableQuery(const RequestTarget &target,
                                                      qsizetype maxLimit);

/// Sorts by the field of that name; false when there is none, or it has no order.
///
/// A row's first field is its name, and no other row has it: it orders those that are alike, so that
/// one page begins where another one ended, in whatever order the rows came.
template <JsonStruct Row>
bool sortRows(std::vector<const Row *> &rows, QByteArrayView name, bool isDescending)
{
    constexpr auto kName = std::get<0>(Row::jsonFields()).member;
    bool isSorted = false;
    const auto sortBy = [&]<typename Member>(const JsonField<Row, Member> &one) {
        if constexpr (std::totally_ordered<Member>) {
            if (name == one.name) {
                isSorted = true;
                std::stable_sort(rows.begin(), rows.end(), [&](const Row *a, const Row *b) {
                    const Member &left = (isDescending ? b : a)->*one.member;
                    const Member &right = (isDescending ? a : b)->*one.member;
                    return left < right || (!(right < left) && a->*kName < b->*kName);
                });
            }
        }
    };
    std::apply([&](const auto &...fields) { (sortBy(fields), ...); }, Row::jsonFields());
    return isSorted;
}

/// The page of the rows that the query wants, sorted; 400 when there is no such field.
template <JsonStruct Row>
std::variant<Page<Row>, HttpResponse> pageOf(const QList<Row> &rows, const TableQuery &query)
{
    std::vector<const Row *> sorted;
    sorted.reserve(static_cast<std::size_t>(rows.size()));
    for (const Row &row : rows) {
        sorted.push_back(&row);
    }
    const QByteArrayView first(std::get<0>(Row::jsonFields()).name);
    if (!sortRows(sorted, query.sort.isEmpty() ? first : query.sort, query.isDescending)) {
        return errorResponse(400, "bad_parameter",
                             "Nothing can be sorted by \"" + query.sort + "\".");
    }
    Page<Row> page;
    page.total = rows.size();
    page.offset = query.offset;
    const qsizetype begin = std::min(query.offset, rows.size());
    const qsizetype count = std::min(query.limit, rows.size() - begin);
    for (qsizetype i = begin; i < begin + count; ++i) {
        page.rows.append(*sorted[static_cast<std::size_t>(i)]);
    }
    return page;
}

} // namespace relay
