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
    bool isFileMissing = false; ///< ConfigFile::IfItExists, and it does not

    [[nodiscard]] bool isUsable() const { return problems.isEmpty(); }
};

enum class ConfigFile {
    Required,
    IfItExists ///< otherwise the defaults; one that exists and cannot be read is an error nevertheless
};

/// Defaults, then the file if one is named, then the environment; then the rules that several settings must keep together.
///
/// Thread: any.
/// Errors: all of them, in the result.
LoadedSettings loadSettings(const std::optional<QString> &configFile,
                            const QProcessEnvironment &environment,
                            ConfigFile presence = ConfigFile::Required);

} // namespace relay
