#pragma once

#include "base/result.h"

#include "gui/relay/relay_source.h"

#include <QString>
#include <QStringList>

#include <memory>

namespace relay::gui {

/// Which relay is to be watched, as the command line or the start page says.
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

/// Reads relay-dashboard's arguments; the first is the program's name. Qt's own (-platform …) are
/// known, and left to QApplication.
///
/// A QCoreApplication suffices. Options may begin with one dash, as Qt's do.
/// Errors: one line that says which argument is wrong.
struct DashboardCommandLine
{
    Choice choice;
    QString text; ///< to be printed instead: --help, --version
};
Result<DashboardCommandLine> parseDashboardCommandLine(const QStringList &arguments);

/// Makes what was chosen; Choice::Kind::Ask is none.
/// Errors: what is wrong with the URL, the token's file, the configuration; why a port cannot be
/// opened.
Result<std::unique_ptr<RelaySource>> makeSource(const Choice &choice);

} // namespace relay::gui
