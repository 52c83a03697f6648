#include "command_line.h"

#include "base/version.h"

#include <QCommandLineParser>

namespace relay {

namespace {

const char *const kDescription =
    "relayd relays WebSocket messages: what one client sends, every client receives, at once and "
    "in\n"
    "one order.\n"
    "\n"
    "Without --config-file it reads no file: it starts with the defaults and the environment's\n"
    "RELAY_... variables (RELAY_SERVER_PORT=9000 is the key server.port). See relayd(1).\n"
    "\n"
    "It runs in the foreground and logs to standard error. SIGTERM and SIGINT end it after every "
    "client\n"
    "was told; a second one ends it at once.\n"
    "\n"
    "Exit status: 0 it ended as asked, 1 it cannot start (port in use, bad certificate), 2 the "
    "command\n"
    "line or the configuration is wrong.";

/// Qt's own texts end in a full stop, which stands badly before what is added.
Error usageError(QString what)
{
    if (what.endsWith(QLatin1Char('.'))) {
        what.chop(1);
    }
    return Error{what + QStringLiteral(" (relayd --help lists the options)")};
}

} // namespace

Result<CommandLine> parseCommandLine(const QStringList &arguments)
{
    const QCommandLineOption configFile({QStringLiteral("c"), QStringLiteral("config-file")},
                                        QStringLiteral("Read the configuration from <file>."),
                                        QStringLiteral("file"));
    const QCommandLineOption check(
        QStringLiteral("check"), QStringLiteral("Check the configuration and its certificates, say "
                                                "what is wrong, and end."));
    const QCommandLineOption printConfig(
        QStringLiteral("print-config"),
        QStringLiteral("Print the configuration in effect, every key, "
                       "as a configuration file, and end."));
    // Not the parser's own: its help lists Qt's options too, which a daemon does not have.
    const QCommandLineOption help({QStringLiteral("h"), QStringLiteral("help")},
                                  QStringLiteral("Print this text, and end."));
    const QCommandLineOption version({QStringLiteral("v"), QStringLiteral("version")},
                                     QStringLiteral("Print the version, and end."));
    QCommandLineParser parser;
    parser.setApplicationDescription(QString::fromLatin1(kDescription));
    parser.addOptions({configFile, check, printConfig, help, version});

    if (!parser.parse(arguments)) {
        return usageError(parser.errorText());
    }
    if (parser.isSet(help)) {
        return CommandLine{CommandLine::Action::ShowText, {}, parser.helpText()};
    }
    if (parser.isSet(version)) {
        return CommandLine{CommandLine::Action::ShowText,
                           {},
                           QStringLiteral("relayd %1\n").arg(QLatin1StringView(kVersion))};
    }
    if (const QStringList extra = parser.positionalArguments(); !extra.isEmpty()) {
        return usageError(QStringLiteral("unexpected argument '%1'").arg(extra.first()));
    }
    const QStringList files = parser.values(configFile);
    if (files.size() > 1) {
        return usageError(QStringLiteral("--config-file is given %1 times").arg(files.size()));
    }
    if (!files.isEmpty() && files.first().isEmpty()) {
        return usageError(QStringLiteral("--config-file names no file"));
    }
    if (parser.isSet(check) && parser.isSet(printConfig)) {
        return usageError(QStringLiteral("--check and --print-config exclude each other"));
    }

    CommandLine result;
    if (!files.isEmpty()) {
        result.configFile = files.first();
    }
    if (parser.isSet(check)) {
        result.action = CommandLine::Action::Check;
    } else if (parser.isSet(printConfig)) {
        result.action = CommandLine::Action::PrintConfig;
    }
    return result;
}

} // namespace relay
