#pragma once

#include "ops/model/json_fields.h"

#include <QList>

#include <tuple>

namespace relay {

/// A page of a table: `total` rows there are, of which `rows` begin at `offset`.
template <typename Row>
struct Page
{
    qint64 total = 0;
    qint64 offset = 0;
    QList<Row> rows;

    static constexpr auto jsonFields()
    {
        return std::tuple{field("total", &Page::total), field("offset", &Page::offset),
                          field("rows", &Page::rows)};
    }
    friend bool operator==(const Page &, const Page &) = default;
};

} // namespace relay
