#pragma once

#include "ops/model/json_fields.h"
#include "ops/model/page.h"
#include "wire/http_response.h"
#include "wire/request_target.h"

#include <QByteArray>
#include <QString>

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <variant>

namespace relay {

/// How a table is asked for: ?sort=<field>&order=asc|desc&filter=<text>&offset=N&limit=N.
struct TableQuery
{
    QByteArray sort = {}; ///< a field's JSON name; empty: as it comes
    bool isDescending = false;
    QString filter = {}; ///< rows that contain it, whatever the case
    qsizetype offset = 0;
    qsizetype limit = 100;
};

/// Errors: 400 for a number that is none, or an order that is neither. `maxLimit` bounds the limit
/// silently.
std::variant<TableQuery, HttpResponse> readTableQuery(const RequestTarget &target,
                                                      qsizetype maxLimit);

namespace detail {

template <typename T>
inline constexpr bool isSortable = !JsonStruct<T> && !IsList<T>::value;
template <typename T>
inline constexpr bool isSortable<std::optional<T>> = isSortable<T>;

} // namespace detail

/// Sorts by the field of that name; false when there is none, or it has no order.
template <JsonStruct Row>
bool sortRows(QList<Row> &rows, QByteArrayView name, bool isDescending)
{
    bool isSorted = false;
    const auto sortBy = [&]<typename Member>(const JsonField<Row, Member> &one) {
        if constexpr (detail::isSortable<Member>) {
            if (name == one.name) {
                isSorted = true;
                std::stable_sort(rows.begin(), rows.end(), [&](const Row &a, const Row &b) {
                    return isDescending ? b.*one.member < a.*one.member
                                        : a.*one.member < b.*one.member;
                });
            }
        }
    };
    std::apply([&](const auto &...fields) { (sortBy(fields), ...); }, Row::jsonFields());
    return isSorted;
}

/// The page of the rows that the query wants, sorted; 400 when there is no such field.
template <JsonStruct Row>
std::variant<Page<Row>, HttpResponse> pageOf(QList<Row> rows, const TableQuery &query)
{
    if (!query.sort.isEmpty() && !sortRows(rows, query.sort, query.isDescending)) {
        return errorResponse(400, "bad_parameter",
                             "Nothing can be sorted by \"" + query.sort + "\".");
    }
    Page<Row> page;
    page.total = rows.size();
    page.offset = query.offset;
    page.rows = rows.mid(query.offset, query.limit);
    return page;
}

} // namespace relay
