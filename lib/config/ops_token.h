#pragma once

#include "base/result.h"
#include "config/settings.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QString>

#include <optional>

namespace relay {

/// Shorter ones can be guessed.
inline constexpr qsizetype kMinTokenBytes = 16;
inline constexpr qsizetype kMaxTokenBytes = 512;

/// Whether it can be sent as a bearer token: visible ASCII, of a length within those bounds.
bool isOpsToken(QByteArrayView token);

/// The token in this file; white space around it is left out.
/// Errors: the file cannot be read, or holds no token; the text names it, not what is in it.
Result<QByteArray> readTokenFile(const QString &path);

/// The operators' token, from the settings or the file that they name; empty when there is none.
/// Errors: readTokenFile()'s, with the key.
Result<QByteArray> loadToken(const Settings::Operators &ops);

/// What an operator should mend about the token's file, though a relay can start with it; nothing
/// when all is well.
std::optional<QString> complainOfTokenFile(const Settings::Operators &ops);

} // namespace relay
