#pragma once

#include "nanoseconds.h"

#include <cstdint>
#include <map>
#include <string>

namespace relay::bench {

/// What a worker has done so far; the sum over the workers is what the run goes by.
struct Tally
{
    int open = 0;         ///< connections, of all clients
    int reading = 0;      ///< of those that read at once
    int failed = 0;       ///< could not connect, or the handshake was refused
    int dropped = 0;      ///< connections of reading clients that ended during the run
    int evicted = 0;      ///< of slow and stalled clients: what a relay may do with them
    int probed = 0;       ///< reading clients that received a probe
    bool hasEcho = false; ///< the one that sent it did
    Nanoseconds lastOpened = 0;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;  ///< by reading clients, each message once
    std::uint64_t malformed = 0; ///< of another length than was sent, or from no publisher
    std::uint64_t foreign = 0;   ///< of somebody else on the channel
    std::uint64_t pings = 0;
    int connectError = 0; ///< of the first that could not connect
    std::string firstFailure;
    std::map<std::uint16_t, int> closeCodes;

    Tally &operator+=(const Tally &other);
};

} // namespace relay::bench
