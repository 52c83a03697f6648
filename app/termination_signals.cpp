#include "termination_signals.h"

#include <QSocketNotifier>

#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace relay {

namespace {

constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};

/// Where the handler writes; -1 while there is nobody to read. A handler reaches nothing but
/// globals.
volatile std::sig_atomic_t handlerWriteEnd = -1;

extern "C" void writeSignalNumber(int signalNumber)
{
    const int savedErrno = errno;
    const auto byte = static_cast<unsigned char>(signalNumber);
    // A full pipe holds signals enough: what is lost would say the same again.
    [[maybe_unused]] const ssize_t written = write(static_cast<int>(handlerWriteEnd), &byte, 1);
    errno = savedErrno;
}

Error systemError(const char *call)
{
    return Error{QStringLiteral("cannot wait for signals: %1: %2")
                     .arg(QLatin1StringView(call),
                          QString::fromStdString(std::system_category().message(errno)))};
}

} // namespace

TerminationSignals::TerminationSignals(QObject *parent)
    : QObject(parent)
{}

TerminationSignals::~TerminationSignals()
{
    for (const int signalNumber : kSignals) {
        std::signal(signalNumber, SIG_DFL);
    }
    const int writeEnd = static_cast<int>(handlerWriteEnd);
    handlerWriteEnd = -1;
    m_notifier.reset();
    if (m_readEnd >= 0) {
        close(m_readEnd);
        close(writeEnd);
    }
}

Outcome TerminationSignals::install()
{
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return systemError("pipe2");
    }
    m_readEnd = ends[0];
    handlerWriteEnd = ends[1];
    m_notifier = std::make_unique<QSocketNotifier>(m_readEnd, QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &TerminationSignals::readPending);

    std::signal(SIGPIPE, SIG_IGN);
    struct sigaction action
    {};
    action.sa_handler = writeSignalNumber;
    // The default comes back before the handler runs; interrupted calls of Qt's go on by
    // themselves.
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const int signalNumber : kSignals) {
        if (sigaction(signalNumber, &action, nullptr) != 0) {
            return systemError("sigaction");
        }
    }
    return success();
}

void TerminationSignals::readPending()
{
    std::array<unsigned char, 16> numbers{};
    const ssize_t count = read(m_readEnd, numbers.data(), numbers.size());
    for (ssize_t i = 0; i < count; ++i) {
        Q_EMIT terminationRequested(numbers[static_cast<std::size_t>(i)]);
    }
}

} // namespace relay
