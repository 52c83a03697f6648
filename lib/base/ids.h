#pragma once

#include <QMetaType>
#include <QtGlobal>

namespace relay {

/// One connection, for as long as the process lives: 1, 2, 3 … in the order of acceptance, never
/// reused.
enum class ClientId : quint64 {
};

/// No client: the sender of what Hub::publish() sends.
inline constexpr ClientId kNoClient{0};

constexpr quint64 toNumber(ClientId id)
{
    return static_cast<quint64>(id);
}

} // namespace relay

Q_DECLARE_METATYPE(relay::ClientId)
