#include "descriptor_limit.h"

#include <sys/resource.h>

namespace relay::bench {

std::optional<Problem> raiseDescriptorLimit(int clients, int threads)
{
    // Beside the connections: an epoll each thread, the standard streams, and what resolving a name
    // and reading /proc open.
    const rlim_t needed = static_cast<rlim_t>(clients) + static_cast<rlim_t>(threads) + 16;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= needed) {
        return std::nullopt;
    }
    const std::string wanted = std::to_string(needed);
    return Problem{std::to_string(clients) + " clients need " + wanted
                   + " descriptors, and this shell may open " + std::to_string(limit.rlim_max)
                   + ". Raise the limit with `ulimit -n " + wanted
                   + "` (as root, or with LimitNOFILE= of the service, or in"
                     " /etc/security/limits.conf), or use fewer --clients"};
}

} // namespace relay::bench
