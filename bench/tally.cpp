#include "tally.h"

#include <algorithm>

namespace relay::bench {

Tally &Tally::operator+=(const Tally &other)
{
    open += other.open;
    reading += other.reading;
    failed += other.failed;
    dropped += other.dropped;
    evicted += other.evicted;
    probed += other.probed;
    hasEcho = hasEcho || other.hasEcho;
    lastOpened = std::max(lastOpened, other.lastOpened);
    sent += other.sent;
    received += other.received;
    malformed += other.malformed;
    foreign += other.foreign;
    pings += other.pings;
    connectError = connectError != 0 ? connectError : other.connectError;
    firstFailure = firstFailure.empty() ? other.firstFailure : firstFailure;
    for (const auto &[code, count] : other.closeCodes) {
        closeCodes[code] += count;
    }
    return *this;
}

} // namespace relay::bench
