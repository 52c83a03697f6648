#pragma once

#include <QtGlobal>

#include <array>
#include <span>

namespace relay {

/// The key that a client's payload is XORed with (RFC 6455, section 5.3).
using MaskKey = std::array<quint8, 4>;

/// Writes `masked` XORed with `key` to `out`, which has room for as many bytes. `offset` is where
/// `masked` begins in its frame's payload: the key's phase. `out` may be where `masked` lies, but
/// must not overlap it otherwise.
void unmask(char *out, std::span<const char> masked, const MaskKey &key, quint64 offset = 0);

} // namespace relay
