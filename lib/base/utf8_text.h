#pragma once

#include <QByteArrayView>
#include <QString>
#include <QStringDecoder>

namespace relay {

/// As QString::fromUtf8(), which however drops a U+FEFF at the front: what a client sent must come
/// back whole, and two names must not look alike.
inline QString textOf(QByteArrayView utf8)
{
    return QStringDecoder(QStringDecoder::Utf8, QStringConverter::Flag::ConvertInitialBom)(utf8);
}

} // namespace relay
