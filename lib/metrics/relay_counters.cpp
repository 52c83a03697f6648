#include "metrics/relay_counters.h"

#include <numeric>

namespace relay {

namespace {

void addTo(quint64 &total, const Counter &counter)
{
    total += counter.value();
}

template <typename Total, typename Count, std::size_t Size>
void addTo(std::array<Total, Size> &totals, const std::array<Count, Size> &counters)
{
    for (std::size_t i = 0; i < Size; ++i) {
        addTo(totals[i], counters[i]);
    }
}

} // namespace

RelaySnapshot &RelaySnapshot::operator+=(const RelayCounters &counters)
{
    addTo(connections, counters.connections);
    addTo(disconnections, counters.disconnections);
    addTo(disconnectionsByCode, counters.disconnectionsByCode);
    addTo(messages, counters.messages);
    addTo(receivedBytes, counters.receivedBytes);
    addTo(sentBytes, counters.sentBytes);
    addTo(deliveries, counters.deliveries);
    addTo(neverQueued, counters.neverQueued);
    addTo(writtenLater, counters.writtenLater); // and the next: before what they are a part of
    addTo(dropped, counters.dropped);
    addTo(queued, counters.queued);
    addTo(handshakeFailures, counters.handshakeFailures);
    addTo(limitHits, counters.limitHits);
    addTo(protocolViolations, counters.protocolViolations);
    addTo(eventStreams, counters.eventStreams);
    addTo(eventStreamsEnded, counters.eventStreamsEnded);
    addTo(resumes, counters.resumes);
    addTo(httpRequests, counters.httpRequests);
    addTo(pingsSent, counters.pingsSent);
    addTo(inboxPauses, counters.inboxPauses);
    addTo(turnWaits, counters.turnWaits);
    turnSeconds += counters.turnSeconds.snapshot();
    publishToWrite += counters.publishToWrite.snapshot();
    return *this;
}

quint64 RelaySnapshot::waiting() const
{
    return queued - writtenLater - std::accumulate(dropped.begin(), dropped.end(), quint64{0});
}

} // namespace relay
