#pragma once

#include <QtGlobal>

#include <chrono>
#include <optional>

namespace relay {

/// The kernel's view of a connection: tcp(7), TCP_INFO, and what its queue holds.
struct TcpView
{
    std::chrono::microseconds rtt{}; ///< smoothed
    std::chrono::microseconds rttVariance{};
    quint64 retransmits = 0;         ///< segments, ever
    quint64 unacknowledgedBytes = 0; ///< sent, and not acknowledged by the peer
    quint64 unsentBytes = 0;
};

/// Nothing when it is not a connected TCP socket.   Cost: two system calls.
std::optional<TcpView> readTcpView(int descriptor);

} // namespace relay
