#include "base/logging.h"
#include "base/process_signals.h"
#include "base/standard_descriptors.h"
#include "base/version.h"
#include "config/config_text.h"
#include "config/load_settings.h"
#include "config/ops_token.h"
#include "config/secrets.h"
#include "net/epoll_dispatcher.h"
#include "net/open_file_limit.h"

#include "command_line.h"
#include "daemon.h"

#include <QCoreApplication>
#include <QLoggingCategory>

#include <unistd.h>

#include <cstdio>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcMain, "relay.app")

/// What relayd's exit status says; --help and relayd(1) list it.
enum ExitStatus {
    Ended = 0,
    CannotStart = 1,
    Misconfigured = 2,
};

void print(std::FILE *stream, const QString &text)
{
    std::fputs(text.toUtf8().constData(), stream);
}

void printLines(const QStringList &lines)
{
    for (const QString &line : lines) {
        print(stderr, line + QLatin1Char('\n'));
    }
}

int checkOnly(Settings &settings)
{
    if (const Outcome loaded = loadSecrets(settings); !loaded) {
        print(stderr, loaded.error().message + QLatin1Char('\n'));
        return CannotStart;
    }
    if (const auto complaint = complainOfTokenFile(settings.ops)) {
        print(stderr, *complaint + QLatin1Char('\n'));
    }
    print(stdout, QStringLiteral("the configuration is good\n"));
    return Ended;
}

/// Says why, on the log, and gives the status to end with.
int cannotStart(const Error &error)
{
    qCCritical(lcMain).noquote() << "cannot start:" << error.message;
    return CannotStart;
}

/// The first signal that asks for it ends the relay in order, a further SIGINT or SIGTERM immediately.
void obey(int signalNumber, ProcessSignals::Request request, Daemon &daemon)
{
    const QString name = signalName(signalNumber);
    switch (request) {
    case ProcessSignals::Request::Nothing:
        qCInfo(lcMain).noquote() << name << "is ignored: it has no meaning for relayd";
        return;
    case ProcessSignals::Request::End:
        qCInfo(lcMain).noquote() << name << "received";
        daemon.stop();
        return;
    case ProcessSignals::Request::EndNow:
        qCWarning(lcMain).noquote() << name << "received while stopping: ending immediately";
        flushLog();
        _exit(128 + signalNumber);
    }
}

int serve(Settings &settings)
{
    if (const Outcome raised = raiseOpenFileLimit(); !raised) {
        qCWarning(lcMain).noquote() << raised.error().message; // fewer clients, but a relay
    }
    if (const Outcome loaded = loadSecrets(settings); !loaded) {
        return cannotStart(loaded.error());
    }
    if (const auto complaint = complainOfTokenFile(settings.ops)) {
        qCWarning(lcMain).noquote() << *complaint;
    }
    Daemon daemon(settings);
    ProcessSignals processSignals([&daemon](int signalNumber, ProcessSignals::Request request) {
        obey(signalNumber, request, daemon);
    });
    if (const Outcome installed = processSignals.install(); !installed) {
        return cannotStart(installed.error());
    }
    // Queued, so that what the daemon does after its last signal is done.
    QObject::connect(&daemon, &Daemon::stopped, qApp, &QCoreApplication::quit,
                     Qt::QueuedConnection);
    if (const Outcome started = daemon.start(); !started) {
        return cannotStart(started.error());
    }
    const int status = QCoreApplication::exec();
    qCInfo(lcMain) << "stopped";
    return status;
}

int serveAndFlush(LoadedSettings &loaded, const std::optional<QString> &configFile)
{
    installLogging(loaded.settings.logging);
    if (loaded.isFileMissing) {
        qCInfo(lcMain).noquote() << *configFile << "does not exist: starting with the defaults";
    }
    for (const QString &warning : std::as_const(loaded.warnings)) {
        qCWarning(lcMain).noquote() << warning;
    }
    const int status = serve(loaded.settings);
    flushLog();
    return status;
}

int runRelayd(const QStringList &arguments)
{
    const Result<CommandLine> commandLine = parseCommandLine(arguments);
    if (!commandLine) {
        print(stderr, QStringLiteral("relayd: %1\n").arg(commandLine.error().message));
        return Misconfigured;
    }
    if (commandLine.value().action == CommandLine::Action::ShowText) {
        print(stdout, commandLine.value().text);
        return Ended;
    }

    const std::optional<QString> &configFile = commandLine.value().configFile;
    LoadedSettings loaded = loadSettings(configFile, QProcessEnvironment::systemEnvironment(),
                                         commandLine.value().filePresence);
    if (!loaded.isUsable()) {
        printLines(loaded.problems);
        return Misconfigured;
    }

    switch (commandLine.value().action) {
    case CommandLine::Action::PrintConfig:
        print(stdout, renderShownConfig(loaded.settings));
        return Ended;
    case CommandLine::Action::Check:
        printLines(loaded.warnings);
        if (loaded.isFileMissing) {
            print(stderr, *configFile + QStringLiteral(" does not exist: the defaults apply\n"));
        }
        return checkOnly(loaded.settings);
    case CommandLine::Action::ShowText:
    case CommandLine::Action::Run:
        break;
    }

    return serveAndFlush(loaded, configFile);
}

} // namespace

} // namespace relay

// A Result is asked before it is opened, so that nothing throws.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char **argv)
{
    relay::openStandardDescriptors();
    // Qt's own would be GLib's, which costs an accepted connection several times as much.
    QCoreApplication::setEventDispatcher(new relay::EpollDispatcher); // taken over
    QCoreApplication application(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("relayd"));
    QCoreApplication::setApplicationVersion(QString::fromLatin1(relay::kVersion));
    return relay::runRelayd(QCoreApplication::arguments());
}
