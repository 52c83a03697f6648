#include "base/logging.h"
#include "base/process_signals.h"
#include "base/standard_descriptors.h"
#include "base/version.h"

#include "gui/choice.h"
#include "gui/main_window.h"

#include <QApplication>

#include <unistd.h>

#include <cstdio>

namespace relay {

namespace {

/// The meaning of the exit status; the manual lists it.
enum ExitStatus {
    Ended = 0,
    CannotStart = 1,
    Misused = 2,
};

/// Reads the arguments without a display: --help and error messages must work without one.
Result<gui::DashboardCommandLine> readCommandLine(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    return gui::parseDashboardCommandLine(QCoreApplication::arguments());
}

/// As if the window were closed: an embedded relay tells its clients.
void obey(int signalNumber, ProcessSignals::Request request)
{
    if (request == ProcessSignals::Request::End) {
        QApplication::quit();
    } else if (request == ProcessSignals::Request::EndNow) {
        _exit(128 + signalNumber);
    }
}

int runDashboard(const gui::Choice &choice)
{
    ProcessSignals processSignals(obey);
    if (const Outcome installed = processSignals.install(); !installed) {
        std::fprintf(stderr, "relay-dashboard: %s\n", qPrintable(installed.error().message));
        return CannotStart;
    }
    auto source = gui::makeSource(choice);
    if (!source) {
        std::fprintf(stderr, "relay-dashboard: %s\n", qPrintable(source.error().message));
        return CannotStart;
    }
    gui::MainWindow window;
    if (auto chosen = std::move(source).value()) {
        window.watch(std::move(chosen));
    }
    window.show();
    return QApplication::exec();
}

} // namespace

} // namespace relay

// A Result is asked before it is opened, so that nothing throws.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char **argv)
{
    relay::openStandardDescriptors();
    QCoreApplication::setOrganizationName(QStringLiteral("relay"));
    QCoreApplication::setApplicationName(QStringLiteral("relay-dashboard"));
    QCoreApplication::setApplicationVersion(QString::fromLatin1(relay::kVersion));
    const auto commandLine = relay::readCommandLine(argc, argv);
    if (!commandLine) {
        std::fprintf(stderr, "relay-dashboard: %s\n", qPrintable(commandLine.error().message));
        return relay::Misused;
    }
    if (!commandLine.value().text.isEmpty()) {
        std::fputs(qPrintable(commandLine.value().text), stdout);
        return relay::Ended;
    }
    const QApplication application(argc, argv); // takes Qt's own arguments
    QGuiApplication::setDesktopFileName(QStringLiteral("relay-dashboard"));
    const int status = relay::runDashboard(commandLine.value().choice);
    relay::flushLog();
    return status;
}
