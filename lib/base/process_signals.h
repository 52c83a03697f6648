#pragma once

#include "base/result.h"

#include <csignal>
#include <functional>
#include <memory>
#include <vector>

class QSocketNotifier;

namespace relay {

/// The signals of the process, told to its event loop, so that none of them ends it without a word to its clients.
///
/// - SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU and SIGPWR ask for an orderly end; a further SIGINT or SIGTERM for an
///   immediate one. A signal that comes twice by itself, as SIGHUP does when a terminal closes, changes nothing.
/// - SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT and the real-time signals mean nothing.
/// - SIGPIPE and SIGXFSZ are ignored: the write that caused one fails, which is enough.
/// - What was ignored when the program started stays ignored (nohup ignores SIGHUP), and what somebody handles (a
///   profiler) stays with them; except SIGINT and SIGTERM.
/// - SIGABRT and what the processor raises (SIGSEGV and its like) keep their default: they ask for a core dump.
///
/// The handler only writes the number to a descriptor that the event loop reads. For SIGINT and SIGTERM it serves once,
/// then the default is back: a second one ends the process even if the event loop hangs.
/// Thread: the one that made it, with an event loop.
/// Owner: main(); one at a time, as signal handlers belong to the process.
/// Errors: install() returns them.
class ProcessSignals
{
public:
    enum class Request {
        End,    ///< in order; once
        EndNow, ///< without waiting for anybody
        Nothing ///< the signal has no meaning here
    };
    using Handler = std::function<void(int signalNumber, Request request)>;

    /// `handler` is called in the event loop.
    explicit ProcessSignals(Handler handler);
    /// Gives all signals the meaning back that they had.
    ~ProcessSignals();
    ProcessSignals(const ProcessSignals &) = delete;
    ProcessSignals &operator=(const ProcessSignals &) = delete;

    Outcome install();

private:
    void take(int signalNumber);
    void readPending();
    Outcome replace(int signalNumber, const struct sigaction &action);

    struct Replaced
    {
        int signalNumber;
        struct sigaction action;
    };

    const Handler m_handler;
    int m_readEnd = -1;
    std::unique_ptr<QSocketNotifier> m_notifier;
    std::vector<Replaced> m_replaced;
    bool m_isEnding = false; ///< End was requested
    bool m_isAsked = false;  ///< SIGINT or SIGTERM has come
};

/// The name of a signal, "SIGTERM", for people.
QString signalName(int signalNumber);

} // namespace relay
