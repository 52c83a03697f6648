#include "config/ops_token.h"

#include <QFile>

#include <algorithm>

namespace relay {

bool isOpsToken(QByteArrayView token)
{
    return token.size() >= kMinTokenBytes && token.size() <= kMaxTokenBytes
           && std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

Result<QByteArray> readTokenFile(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        return Error{QStringLiteral("cannot read %1: %2").arg(path, file.errorString())};
    }
    const QByteArray token = file.read(2 * kMaxTokenBytes).trimmed();
    if (!isOpsToken(token)) {
        return Error{
            QStringLiteral("%1 does not hold a token: one line of %2 to %3 letters, digits "
                           "and signs (openssl rand -hex 16 makes one)")
                .arg(path)
                .arg(kMinTokenBytes)
                .arg(kMaxTokenBytes)};
    }
    return token;
}

Result<QByteArray> loadToken(const Settings::Operators &ops)
{
    if (ops.tokenFile.isEmpty()) {
        return ops.token.toUtf8();
    }
    Result<QByteArray> token = readTokenFile(ops.tokenFile);
    return token ? token : Error{QStringLiteral("ops.token_file: %1").arg(token.error().message)};
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
