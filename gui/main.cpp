#include "base/version.h"

#include "choice.h"
#include "main_window.h"

#include <QApplication>

#include <cstdio>

namespace relay {

namespace {

/// What the exit status says; --help lists it.
enum ExitStatus {
    Ended = 0,
    CannotStart = 1,
    Misused = 2,
};

int runDashboard(const QStringList &arguments)
{
    const auto commandLine = gui::parseDashboardCommandLine(arguments);
    if (!commandLine) {
        std::fprintf(stderr, "relay-dashboard: %s\n", qPrintable(commandLine.error().message));
        return Misused;
    }
    if (!commandLine.value().text.isEmpty()) {
        std::fputs(qPrintable(commandLine.value().text), stdout);
        return Ended;
    }
    auto source = gui::makeSource(commandLine.value().choice);
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
    QApplication application(argc, argv);
    QCoreApplication::setOrganizationName(QStringLiteral("relay"));
    QCoreApplication::setApplicationName(QStringLiteral("relay-dashboard"));
    QCoreApplication::setApplicationVersion(QString::fromLatin1(relay::kVersion));
    QGuiApplication::setDesktopFileName(QStringLiteral("relay-dashboard"));
    return relay::runDashboard(QCoreApplication::arguments());
}
