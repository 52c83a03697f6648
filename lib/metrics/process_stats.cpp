#include "metrics/process_stats.h"

#include <QFile>
#include <QList>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <ctime>
#include <dirent.h>
#include <memory>

namespace relay {

namespace {

/// Fields of /proc/<pid>/stat as proc(5) numbers them, from 1. The first two (pid and name) are cut
/// off before the rest is split, since a name may hold blanks and parentheses.
constexpr qsizetype kFirstField = 3;
constexpr qsizetype kUserTicks = 14;
constexpr qsizetype kSystemTicks = 15;
constexpr qsizetype kStartTicks = 22;
constexpr qsizetype kVirtualBytes = 23;
constexpr qsizetype kResidentPages = 24;

QByteArray readWhole(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

double countOpenDescriptors()
{
    struct stat status = {};
    if (::stat("/proc/self/fd", &status) == 0 && status.st_size > 0) {
        return static_cast<double>(status.st_size); // since Linux 6.2
    }
    const std::unique_ptr<DIR, int (*)(DIR *)> directory(::opendir("/proc/self/fd"), &::closedir);
    if (!directory) {
        return 0;
    }
    // Not counted: ".", ".." and the descriptor that reads the directory.
    double entries = -3;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this function's own
    while (::readdir(directory.get()) != nullptr) {
        ++entries;
    }
    return entries;
}

double secondsOf(clockid_t clock)
{
    std::timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Not btime of /proc/stat: a service may see processes only (ProcSubset=pid).
double bootTime()
{
    return secondsOf(CLOCK_REALTIME) - secondsOf(CLOCK_BOOTTIME);
}

double softDescriptorLimit()
{
    rlimit limit = {};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

} // namespace

std::optional<ProcessStats> parseProcStat(QByteArrayView stat, const ProcUnits &units)
{
    const qsizetype nameEnd = stat.lastIndexOf(')');
    if (nameEnd < 0) {
        return std::nullopt;
    }
    const QList<QByteArray> fields = stat.sliced(nameEnd + 1).toByteArray().simplified().split(' ');
    if (fields.size() <= kResidentPages - kFirstField) {
        return std::nullopt;
    }
    bool valid = true;
    const auto number = [&](qsizetype field) {
        bool ok = false;
        const double value = fields[field - kFirstField].toDouble(&ok);
        valid = valid && ok;
        return value;
    };
    ProcessStats stats;
    stats.cpuSeconds = (number(kUserTicks) + number(kSystemTicks)) / units.ticksPerSecond;
    stats.startTimeSeconds = units.bootTimeSeconds + number(kStartTicks) / units.ticksPerSecond;
    stats.virtualBytes = number(kVirtualBytes);
    stats.residentBytes = number(kResidentPages) * units.pageBytes;
    return valid ? std::optional(stats) : std::nullopt;
}

ProcessStatsReader::ProcessStatsReader()
    : m_units{static_cast<double>(::sysconf(_SC_CLK_TCK)),
              static_cast<double>(::sysconf(_SC_PAGESIZE)), bootTime()}
{}

std::optional<ProcessStats> ProcessStatsReader::read() const
{
    std::optional<ProcessStats> stats =
        parseProcStat(readWhole(QStringLiteral("/proc/self/stat")), m_units);
    if (stats) {
        stats->openDescriptors = countOpenDescriptors();
        stats->maxDescriptors = softDescriptorLimit();
    }
    return stats;
}

} // namespace relay
