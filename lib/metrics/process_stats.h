#pragma once

#include <QByteArrayView>
#include <QtGlobal>

#include <optional>

namespace relay {

/// What the system says of this process: the values of Prometheus' standard process_* metrics.
struct ProcessStats
{
    double cpuSeconds = 0; ///< user and system, all threads
    double residentBytes = 0;
    double virtualBytes = 0;
    double openDescriptors = 0;
    double maxDescriptors = 0;   ///< the soft limit
    double startTimeSeconds = 0; ///< since 1970-01-01 UTC
};

/// The units that the kernel counts in.
struct ProcUnits
{
    double ticksPerSecond = 100;
    double pageBytes = 4096;
    double bootTimeSeconds = 0; ///< since 1970-01-01 UTC
};

/// Reads CPU, memory and start time from the text of /proc/<pid>/stat (proc(5)); nothing when it is
/// not such a text. The descriptors are left at 0: they stand elsewhere.
std::optional<ProcessStats> parseProcStat(QByteArrayView stat, const ProcUnits &units);

/// Reads the stats of the own process from /proc.
///
/// Thread: any, one at a time.   Cost: three system calls, and one for every few hundred
/// descriptors on kernels before 6.2.
/// Errors: nothing is given where /proc is not mounted; the metrics are then left out.
class ProcessStatsReader
{
public:
    ProcessStatsReader();

    [[nodiscard]] std::optional<ProcessStats> read() const;

private:
    ProcUnits m_units; ///< read once: the start would move with the clock otherwise
};

} // namespace relay
