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
    int away = 0;         ///< dropped their connections, and are not back yet
    int probed = 0;       ///< reading clients that received a probe
    bool hasEcho = false; ///< one that sent one did
    Nanoseconds lastOpened = 0;
    std::uint64_t sent = 0;
    std::uint64_t expected = 0;  ///< deliveries of what was sent, if nobody's connection is lost
    std::uint64_t received = 0;  ///< by reading clients, each message once
    std::uint64_t malformed = 0; ///< of another length than was sent, or from no publisher
    std::uint64_t foreign = 0;   ///< of somebody else on the channel
    std::uint64_t strayed = 0;   ///< of another channel
    std::uint64_t pings = 0;
    std::uint64_t drops = 0;   ///< connections that were ended to be resumed
    std::uint64_t resumes = 0; ///< of those, taken up again
    int connectError = 0;      ///< of the first that could not connect
    std::string firstFailure;
    std::map<std::uint16_t, int> closeCodes;

    Tally &operator+=(const Tally &other);
};

} // namespace relay::bench
