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
    away += other.away;
    probed += other.probed;
    hasEcho = hasEcho || other.hasEcho;
    lastOpened = std::max(lastOpened, other.lastOpened);
    sent += other.sent;
    expected += other.expected;
    received += other.received;
    malformed += other.malformed;
    foreign += other.foreign;
    strayed += other.strayed;
    pings += other.pings;
    drops += other.drops;
    resumes += other.resumes;
    connectError = connectError != 0 ? connectError : other.connectError;
    firstFailure = firstFailure.empty() ? other.firstFailure : firstFailure;
    for (const auto &[code, count] : other.closeCodes) {
        closeCodes[code] += count;
    }
    return *this;
}

} // namespace relay::bench
