#pragma once

#include "base/result.h"
#include "config/load_settings.h"

#include <QString>
#include <QStringList>

#include <optional>

namespace relay {

/// What relayd was asked to do.
struct CommandLine
{
    enum class Action {
        Run,
        Check,       ///< only say whether the configuration is good
        PrintConfig, ///< only print the settings in effect
        ShowText,    ///< only print `text`: --help, --version
    };
    Action action = Action::Run;
    std::optional<QString> configFile; ///< none: defaults and environment only
    ConfigFile filePresence = ConfigFile::Required;
    QString text; ///< what ShowText prints, with its newline
};

/// Reads relayd's arguments; the first is the program's name.
///
/// Thread: main, with a QCoreApplication.
/// Errors: one line that says which argument is wrong.
Result<CommandLine> parseCommandLine(const QStringList &arguments);

} // namespace relay
