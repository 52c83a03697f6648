#pragma once

#include "base/result.h"
#include "config/setting.h"

#include <QString>

/// Setting values from and to text. Errors' messages are whole sentences about the value: "99999 is
/// not a port (0 to 65535)".
namespace relay {

/// Reads one scalar, or for a TextList one element, and checks it against the setting's type,
/// bounds and choices.
Result<SettingValue> parseScalar(const Setting &setting, const QString &text);

/// Reads a list's elements. Precondition: the setting is a TextList.
Result<SettingValue> parseList(const Setting &setting, const QStringList &elements);

/// The value as YAML on one line; reading it gives the same value.
QString formatValue(const Setting &setting, const SettingValue &value);

/// What the setting has when nothing is said: its default as formatValue(), or the key whose value
/// it takes.
QString formatDefault(const Setting &setting, const SettingValue &defaultValue);

/// What the setting takes, for help and tables: "0 to 65535", "disconnect or drop_oldest"; empty
/// where the type says it all.
QString allowedValues(const Setting &setting);

/// The type in words: "port", "duration".
QString typeName(ValueType type);

/// Text from outside as it stands in a message: in quotes unless it is one plain word, shortened,
/// controls escaped.
QString quoted(const QString &text);

} // namespace relay
