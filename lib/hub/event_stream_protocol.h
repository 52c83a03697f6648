#pragma once

#include "hub/client_protocol.h"
#include "hub/subscription.h"
#include "wire/http_response.h"

namespace relay {

class Client;
class Worker;

/// A listener by EventSource (WHATWG HTML, section 9.2): an HTTP answer without an end. It shares
/// the messages, the queue and the slow-client policy of all listeners. When it is closed the stream
/// ends, and the browser comes back by itself, with the id of the last event that it saw.
///
/// Thread: its client's worker.
/// Owner: Client.
/// Limits: eventSource.heartbeat: a comment is sent that often, which finds out dead connections.
class EventStreamProtocol final : public ClientProtocol
{
public:
    explicit EventStreamProtocol(Client &client);

    /// Sends the head, and joins.
    void start(const HttpResponse &head, const Subscription &subscription);

    void received(std::span<const char>) override {} // nothing can be asked any more
    void expired() override;
    void peerEnded() override;
    void shutDown() override;
    void sayGoodbye(const DisconnectInfo &info) override;

private:
    Client &m_client;
    Worker &m_worker;
};

} // namespace relay
