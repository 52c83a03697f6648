#include "net/open_file_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace relay {

int openFileLimit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 1024; // POSIX's customary default; getrlimit(2) cannot fail for a valid resource
    }
    return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()));
}

Outcome raiseOpenFileLimit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) {
            return success();
        }
    }
    return Error{QStringLiteral("cannot raise the limit of open files: %1")
                     .arg(QString::fromLocal8Bit(
                         std::strerror(errno)))}; // NOLINT(concurrency-mt-unsafe): at start
}

} // namespace relay
