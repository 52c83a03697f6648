#include "hub/client_visit.h"

#include "hub/client.h"
#include "hub/worker.h"

#include <algorithm>
#include <utility>

namespace relay {

void ClientVisit::start(std::vector<Worker *> workers, Visitor visitor, std::function<void()> done)
{
    if (workers.empty()) {
        done();
        return;
    }
    // NOLINTNEXTLINE(*-owning-memory): its constructor is private
    std::shared_ptr<ClientVisit>(
        new ClientVisit(std::move(workers), std::move(visitor), std::move(done)))
        ->goOn();
}

ClientVisit::ClientVisit(std::vector<Worker *> workers, Visitor visitor, std::function<void()> done)
    : m_workers(std::move(workers))
    , m_visitor(std::move(visitor))
    , m_done(std::move(done))
{}

void ClientVisit::goOn()
{
    m_workers[m_current]->inbox().push(Task([self = shared_from_this()] { self->visitSlice(); }));
}

void ClientVisit::visitSlice()
{
    Worker &worker = *m_workers[m_current];
    std::size_t left =
        std::min(m_left.value_or(worker.connectionCount()), worker.connectionCount());
    for (std::size_t visited = 0; left > 0 && visited < kSlice; ++visited) {
        Client &client = worker.connection(--left);
        if (client.room() != nullptr && m_visited.insert(client.id()).second) {
            m_visitor(client);
        }
    }
    m_left = left;
    if (left > 0) {
        goOn();
        return;
    }
    m_left.reset();
    if (++m_current < m_workers.size()) {
        goOn();
    } else {
        m_done();
    }
}

} // namespace relay
