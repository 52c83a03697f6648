#pragma once

#include "ops/model/json_fields.h"

#include <QString>

#include <optional>
#include <tuple>

namespace relay {

/// Something that happened to a client: an event of `GET /-/api/stream`, whose type is `type`.
struct RelayEvent
{
    /// "connect", "disconnect", "slow" (reads slowly; with a close code: closed for that), "limit" (closed by another limit; without
    /// a client: `count` were refused by one), or "skipped" (so many events came at once that `count`
    /// were left out).
    QString type;
    double time = 0; ///< seconds since 1970-01-01 UTC
    std::optional<qint64> client;
    std::optional<QString> address; ///< the client's
    std::optional<QString> channel; ///< the name or pattern that the client has joined
    std::optional<int>
        closeCode; ///< of a client that was closed; an event stream that its client ended has none
    std::optional<QString> reason;
    std::optional<qint64> count;

    static constexpr auto jsonFields()
    {
        using E = RelayEvent;
        return std::tuple{field("type", &E::type),       field("time", &E::time),
                          field("client", &E::client),   field("address", &E::address),
                          field("channel", &E::channel), field("close_code", &E::closeCode),
                          field("reason", &E::reason),   field("count", &E::count)};
    }
    friend bool operator==(const RelayEvent &, const RelayEvent &) = default;
};

} // namespace relay
