#include "server_process.h"

#include <unistd.h>

#include <fstream>

namespace relay::bench {

Checked<ServerProcess> ServerProcess::find(pid_t pid)
{
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        return Problem{"--pid " + std::to_string(pid) + ": there is no such process"};
    }
    return ServerProcess(pid, clock);
}

Nanoseconds ServerProcess::cpuTime() const
{
    timespec time{};
    if (clock_gettime(m_clock, &time) != 0) {
        return 0;
    }
    return time.tv_sec * kSecond + time.tv_nsec;
}

std::size_t ServerProcess::residentBytes() const
{
    std::ifstream file("/proc/" + std::to_string(m_pid) + "/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

} // namespace relay::bench
