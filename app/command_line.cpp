#include "command_line.h"

#include "base/version.h"

#include <QCommandLineParser>

namespace relay {

namespace {

const char *const kDescription =
    "relayd is a real-time server in which every URL is a channel: clients publish with POST or "
    "over\n"
    "a WebSocket and listen with WebSocket or EventSource. Everyone connected to a URL receives "
    "every\n"
    "message sent to it, in the same order, and after a lost connection what it missed.\n"
    "\n"
    "Without --config-file it reads no file: it starts with the defaults and the RELAY_... "
    "variables\n"
    "of the environment (RELAY_SERVER_PORT=9000 sets the key server.port). See relayd(1).\n"
    "\n"
    "It runs in the foreground and logs to standard error. SIGTERM, SIGINT and SIGHUP end it "
    "after\n"
    "every client was told (close code 1001); a second SIGTERM or SIGINT ends it immediately.\n"
    "\n"
    "Exit status: 0 it ended as requested; 1 it cannot start (a port is in use, a certificate is\n"
    "wrong); 2 the command line or the configuration is wrong.";

/// Qt's own texts end in a full stop, which stands badly before what is added.
Error usageError(QString what)
{
    if (what.endsWith(QLatin1Char('.'))) {
        what.chop(1);
    }
    return Error{what + QStringLiteral(" (relayd --help lists the options)")};
}

CommandLine shown(const QString &text)
{
    CommandLine result;
    result.action = CommandLine::Action::ShowText;
    result.text = text;
    return result;
}

} // namespace

Result<CommandLine> parseCommandLine(const QStringList &arguments)
{
    const QCommandLineOption configFile({QStringLiteral("c"), QStringLiteral("config-file")},
                                        QStringLiteral("Read the configuration from <file>."),
                                        QStringLiteral("file"));
    const QCommandLineOption configFileIfExists(
        QStringLiteral("config-file-if-exists"),
        QStringLiteral("The same, but start with the defaults if there is no such file."),
        QStringLiteral("file"));
    const QCommandLineOption check(
        QStringLiteral("check"),
        QStringLiteral("Check the configuration and its certificates, list the errors, and exit."));
    const QCommandLineOption printConfig(
        QStringLiteral("print-config"),
        QStringLiteral("Print the configuration in effect as a configuration file with every key, "
                       "and exit. Secrets are shown as (hidden)."));
    // Not the parser's own: its help lists Qt's options too, which a daemon does not have.
    const QCommandLineOption help({QStringLiteral("h"), QStringLiteral("help")},
                                  QStringLiteral("Print this text and exit."));
    const QCommandLineOption version({QStringLiteral("v"), QStringLiteral("version")},
                                     QStringLiteral("Print the version and exit."));
    QCommandLineParser parser;
    parser.setApplicationDescription(QString::fromLatin1(kDescription));
    parser.addOptions({configFile, configFileIfExists, check, printConfig, help, version});

    if (!parser.parse(arguments)) {
        return usageError(parser.errorText());
    }
    if (parser.isSet(help)) {
        return shown(parser.helpText());
    }
    if (parser.isSet(version)) {
        return shown(QStringLiteral("relayd %1\n").arg(QLatin1StringView(kVersion)));
    }
    if (const QStringList extra = parser.positionalArguments(); !extra.isEmpty()) {
        return usageError(QStringLiteral("unexpected argument '%1'").arg(extra.first()));
    }
    const QStringList files = parser.values(configFile) + parser.values(configFileIfExists);
    if (files.size() > 1) {
        return usageError(QStringLiteral("%1 configuration files are given: at most one is read")
                              .arg(files.size()));
    }
    if (!files.isEmpty() && files.first().isEmpty()) {
        return usageError(QStringLiteral("the name of the configuration file is empty"));
    }
    if (parser.isSet(check) && parser.isSet(printConfig)) {
        return usageError(QStringLiteral("--check and --print-config cannot be combined"));
    }

    CommandLine result;
    if (!files.isEmpty()) {
        result.configFile = files.first();
        result.filePresence =
            parser.isSet(configFileIfExists) ? ConfigFile::IfItExists : ConfigFile::Required;
    }
    if (parser.isSet(check)) {
        result.action = CommandLine::Action::Check;
    } else if (parser.isSet(printConfig)) {
        result.action = CommandLine::Action::PrintConfig;
    }
    return result;
}

} // namespace relay
