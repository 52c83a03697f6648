#pragma once

#include "base/ids.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

namespace relay {

class Client;
class Worker;

/// Visits every client that has joined a room, one worker after the other, a slice of them a turn:
/// whoever watches the relay does not keep it from relaying.
///
/// Clients that come meanwhile may be left out; who stays for all of it is visited exactly once.
/// Thread: start() is called on the hub's; the visitor and `done` on the workers'.
/// Owner: itself, until it is done. If a worker ends before, nobody is told.
class ClientVisit : public std::enable_shared_from_this<ClientVisit>
{
public:
    /// What is visited in one turn: well under a millisecond.
    static constexpr std::size_t kSlice = 512;

    using Visitor = std::function<void(Client &)>;
    /// `done` is called on the last worker.
    static void start(std::vector<Worker *> workers, Visitor visitor, std::function<void()> done);

private:
    ClientVisit(std::vector<Worker *> workers, Visitor visitor, std::function<void()> done);

    void goOn();
    void visitSlice();

    const std::vector<Worker *> m_workers;
    const Visitor m_visitor;
    const std::function<void()> m_done;
    std::size_t m_current = 0;
    /// Places below it are still to be visited; nothing: all of this worker's.
    std::optional<std::size_t> m_left;
    /// A client moves to a lower place when another one ends: it may be met twice, never missed.
    std::unordered_set<ClientId> m_visited;
};

} // namespace relay
