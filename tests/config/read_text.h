#pragma once

#include "config/config_file.h"

#include <QByteArray>
#include <QTest>

namespace relay::test {

/// What a relay.yaml of this text comes to.
inline SettingsDraft read(const QByteArray &text)
{
    SettingsDraft draft;
    readConfigText(text, QStringLiteral("relay.yaml"), draft);
    draft.finish();
    return draft;
}

/// A data row: a text and the problem that it has.
inline void bad(const char *name, const char *text, const char *problem)
{
    QTest::newRow(name) << QByteArray(text) << QString::fromUtf8(problem);
}

} // namespace relay::test

/// What a row of test data says of the settings that were read.
Q_DECLARE_METATYPE(bool (*)(const relay::Settings &))
