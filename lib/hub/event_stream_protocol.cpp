#include "hub/event_stream_protocol.h"

#include "hub/client.h"
#include "hub/no_room.h"
#include "hub/worker.h"
#include "wire/close_code.h"
#include "wire/event_stream.h"

namespace relay {

EventStreamProtocol::EventStreamProtocol(Client &client)
    : m_client(client)
    , m_worker(client.worker())
{}

void EventStreamProtocol::start(const HttpResponse &head, const Subscription &subscription)
{
    m_client.queueLast(head.serializeStreamHead());
    m_client.watchDeadline(m_worker.options().eventSource.heartbeat);
    m_client.join(subscription);
}

void EventStreamProtocol::expired()
{
    if (m_client.hasBeenSlowTooLong()) {
        m_client.punishSlowness();
    }
    if (!m_client.isOpen()) {
        return;
    }
    if (m_client.queuedBytes() == 0) { // else it is to be written to anyway
        m_client.queueLast(eventHeartbeat());
    }
    m_client.watchDeadline(m_worker.options().eventSource.heartbeat);
}

void EventStreamProtocol::peerEnded()
{
    m_client.close(DisconnectReason::PeerClosed); // how every EventSource goes
    m_client.end(QString::fromLatin1(describe(DisconnectReason::PeerClosed).text));
}

/// The channel became full between the request and the joining: its head is on its way already.
void EventStreamProtocol::sayGoodbye(const DisconnectInfo &info)
{
    if (info.closeCode == close_code::kTryAgainLater) {
        m_client.queueLast(
            fullEvent(DisconnectReason::ChannelFull, m_worker.options().eventSource.retry));
    }
}

void EventStreamProtocol::shutDown()
{
    m_client.close(DisconnectReason::ServerShutdown);
}

} // namespace relay
