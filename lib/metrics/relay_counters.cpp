#include "metrics/relay_counters.h"

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
    addTo(dropped, counters.dropped);
    addTo(handshakeFailures, counters.handshakeFailures);
    addTo(limitHits, counters.limitHits);
    addTo(protocolViolations, counters.protocolViolations);
    addTo(eventStreams, counters.eventStreams);
    addTo(eventStreamsEnded, counters.eventStreamsEnded);
    addTo(resumes, counters.resumes);
    addTo(httpRequests, counters.httpRequests);
    addTo(pingsSent, counters.pingsSent);
    addTo(inboxPauses, counters.inboxPauses);
    publishToWrite += counters.publishToWrite.snapshot();
    return *this;
}

} // namespace relay
