#pragma once

#include "nanoseconds.h"
#include "problem.h"

#include <sys/types.h>

#include <ctime>

namespace relay::bench {

/// The server's process, seen from outside: what it costs.
///
/// Thread: any.
/// Errors: a process that has ended reads as 0.
class ServerProcess
{
public:
    /// Errors: no such process.
    static Checked<ServerProcess> find(pid_t pid);

    /// What all its threads have used so far. From the kernel's clock of the process, to the
    /// nanosecond: /proc/PID/stat counts in ticks of 10 ms.
    [[nodiscard]] Nanoseconds cpuTime() const;
    [[nodiscard]] std::size_t residentBytes() const;

private:
    ServerProcess(pid_t pid, clockid_t clock)
        : m_pid(pid)
        , m_clock(clock)
    {}

    pid_t m_pid;
    clockid_t m_clock;
};

} // namespace relay::bench
