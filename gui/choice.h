#pragma once

#include "base/result.h"

#include "gui/relay/relay_source.h"

#include <QString>
#include <QStringList>

#include <memory>

namespace relay::gui {

/// Which relay to watch, from the command line or the start page.
struct Choice
{
    enum class Kind {
        Ask, ///< show the start page
        Remote,
        Embedded
    };
    Kind kind = Kind::Ask;
    QString url;        ///< Remote
    QString tokenFile;  ///< Remote; empty: no token
    QString configFile; ///< Embedded; empty: the defaults
};

/// Reads relay-dashboard's arguments; the first is the program's name. Qt's own options (-platform …) are
/// accepted, and left to QApplication.
///
/// A QCoreApplication suffices. Options may begin with one dash, as Qt's do.
/// Errors: one line that says which argument is wrong.
struct DashboardCommandLine
{
    Choice choice;
    QString text; ///< to print instead: --help, --version
};
Result<DashboardCommandLine> parseDashboardCommandLine(const QStringList &arguments);

/// Makes the chosen relay; returns nullptr for Choice::Kind::Ask.
/// Errors: a problem with the URL, the token's file or the configuration, or why a port cannot be
/// opened.
Result<std::unique_ptr<RelaySource>> makeSource(const Choice &choice);

} // namespace relay::gui
