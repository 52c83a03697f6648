#pragma once

#include "config/settings.h"

#include <QProcessEnvironment>
#include <QString>
#include <QStringList>

#include <optional>

namespace relay {

/// What a program starts with: settings, or the reasons why it must not start.
struct LoadedSettings
{
    Settings settings;    ///< to be used only when there is no problem
    QStringList problems; ///< one line each: where, key, what, and what to do
    QStringList warnings;

    [[nodiscard]] bool isUsable() const { return problems.isEmpty(); }
};

/// Defaults, then the file when there is one, then the environment; then the rules that several
/// settings must keep together.
///
/// Thread: any.
/// Errors: all of them, in the result.
LoadedSettings loadSettings(const std::optional<QString> &configFile,
                            const QProcessEnvironment &environment);

} // namespace relay
