#include "net/tcp_view.h"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <linux/sockios.h>
#include <linux/tcp.h> // newer than glibc's <netinet/tcp.h>, which lacks tcpi_notsent_bytes

namespace relay {

std::optional<TcpView> readTcpView(int descriptor)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    int queued = 0;
    if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0
        || ::ioctl(descriptor, SIOCOUTQ, &queued) != 0)
    {
        return std::nullopt;
    }
    // The two calls are not one moment.
    const quint64 unsent = std::min<quint64>(info.tcpi_notsent_bytes, static_cast<quint64>(queued));
    return TcpView{.rtt = std::chrono::microseconds(info.tcpi_rtt),
                   .rttVariance = std::chrono::microseconds(info.tcpi_rttvar),
                   .retransmits = info.tcpi_total_retrans,
                   .unacknowledgedBytes = static_cast<quint64>(queued) - unsent,
                   .unsentBytes = unsent};
}

} // namespace relay
