#include "config/ops_token.h"

#include <QFile>

#include <algorithm>

namespace relay {

bool isToken(QByteArrayView token)
{
    return token.size() >= kMinTokenBytes && token.size() <= kMaxTokenBytes
           && std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

Result<QByteArray> loadToken(const Settings::Operators &ops)
{
    if (ops.tokenFile.isEmpty()) {
        return ops.token.toUtf8();
    }
    QFile file(ops.tokenFile);
    if (!file.open(QIODevice::ReadOnly)) {
        return Error{QStringLiteral("ops.token_file: cannot read %1: %2")
                         .arg(ops.tokenFile, file.errorString())};
    }
    const QByteArray token = file.read(2 * kMaxTokenBytes).trimmed();
    if (!isToken(token)) {
        return Error{
            QStringLiteral("ops.token_file: %1 does not hold a token: one line of %2 to %3 "
                           "letters, digits and signs (openssl rand -hex 16 makes one)")
                .arg(ops.tokenFile)
                .arg(kMinTokenBytes)
                .arg(kMaxTokenBytes)};
    }
    return token;
}

std::optional<QString> complainOfTokenFile(const Settings::Operators &ops)
{
    constexpr QFileDevice::Permissions kOfEverybody =
        QFileDevice::ReadOther | QFileDevice::WriteOther;
    if (ops.tokenFile.isEmpty() || !(QFile::permissions(ops.tokenFile) & kOfEverybody)) {
        return std::nullopt;
    }
    return QStringLiteral("ops.token_file: every user of this machine can read or change %1 "
                          "(chmod o-rwx keeps them out)")
        .arg(ops.tokenFile);
}

} // namespace relay
