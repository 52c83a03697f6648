#include "base/process_signals.h"

#include <QSocketNotifier>

#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace relay {

namespace {

constexpr std::array kEnding{SIGHUP, SIGQUIT, SIGXCPU, SIGPWR};
/// Those by which an operator asks; a second one means it.
constexpr std::array kAsking{SIGINT, SIGTERM};
constexpr std::array kMeaningless{SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT};
constexpr std::array kToldByTheirCall{SIGPIPE, SIGXFSZ};

template <std::size_t Size>
bool contains(const std::array<int, Size> &numbers, int number)
{
    return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

/// Where the handler writes; -1 while there is nobody to read. A handler reaches nothing but globals.
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

struct sigaction actionOf(void (*handler)(int), int flags = 0)
{
    struct sigaction action
    {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    return action;
}

} // namespace

ProcessSignals::ProcessSignals(Handler handler)
    : m_handler(std::move(handler))
{}

ProcessSignals::~ProcessSignals()
{
    for (const Replaced &replaced : m_replaced) {
        sigaction(replaced.signalNumber, &replaced.action, nullptr);
    }
    const int writeEnd = static_cast<int>(handlerWriteEnd);
    handlerWriteEnd = -1;
    m_notifier.reset();
    if (m_readEnd >= 0) {
        close(m_readEnd);
        close(writeEnd);
    }
}

Outcome ProcessSignals::install()
{
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return systemError("pipe2");
    }
    m_readEnd = ends[0];
    handlerWriteEnd = ends[1];
    m_notifier = std::make_unique<QSocketNotifier>(m_readEnd, QSocketNotifier::Read);
    QObject::connect(m_notifier.get(), &QSocketNotifier::activated, m_notifier.get(),
                     [this] { readPending(); });

    // Interrupted calls of Qt's go on by themselves.
    const auto told = actionOf(writeSignalNumber, SA_RESTART);
    // The default comes back before the handler runs.
    const auto toldOnce = actionOf(writeSignalNumber, SA_RESTART | static_cast<int>(SA_RESETHAND));
    std::vector<std::pair<int, struct sigaction>> wanted;
    wanted.reserve(NSIG);
    for (const int number : kAsking) {
        wanted.emplace_back(number, toldOnce);
    }
    for (const int number : kEnding) {
        wanted.emplace_back(number, told);
    }
    for (const int number : kMeaningless) {
        wanted.emplace_back(number, told);
    }
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
        wanted.emplace_back(number, told);
    }
    for (const int number : kToldByTheirCall) {
        wanted.emplace_back(number, actionOf(SIG_IGN));
    }
    for (const auto &[number, action] : wanted) {
        if (Outcome set = replace(number, action); !set) {
            return set;
        }
    }
    return success();
}

Outcome ProcessSignals::replace(int signalNumber, const struct sigaction &action)
{
    struct sigaction before
    {};
    if (sigaction(signalNumber, nullptr, &before) != 0) {
        return systemError("sigaction");
    }
    const bool isDefault = (before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_DFL;
    if (!isDefault && !contains(kAsking, signalNumber)) {
        return success(); // somebody wants it otherwise
    }
    if (sigaction(signalNumber, &action, nullptr) != 0) {
        return systemError("sigaction");
    }
    m_replaced.push_back({signalNumber, before});
    return success();
}

void ProcessSignals::readPending()
{
    std::array<unsigned char, 64> numbers{};
    const ssize_t count = read(m_readEnd, numbers.data(), numbers.size());
    for (ssize_t i = 0; i < count; ++i) {
        take(numbers[static_cast<std::size_t>(i)]);
    }
}

void ProcessSignals::take(int signalNumber)
{
    const bool isAsking = contains(kAsking, signalNumber);
    if (!isAsking && !contains(kEnding, signalNumber)) {
        m_handler(signalNumber, Request::Nothing);
        return;
    }
    const bool isAskedAgain = isAsking && std::exchange(m_isAsked, true);
    if (isAskedAgain) {
        m_handler(signalNumber, Request::EndNow);
    } else if (!std::exchange(m_isEnding, true)) {
        m_handler(signalNumber, Request::End);
    }
}

QString signalName(int signalNumber)
{
    const char *const name = sigabbrev_np(signalNumber);
    return name != nullptr ? QLatin1StringView("SIG") + QLatin1StringView(name)
                           : QStringLiteral("signal %1").arg(signalNumber);
}

} // namespace relay
