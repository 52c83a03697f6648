#pragma once

#include "base/ids.h"
#include "base/mutex.h"
#include "channels/subscriber.h"
#include "hub/backpressure.h"
#include "hub/delivery.h"
#include "net/accepted_socket.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace relay {

/// A connection that the accepting thread hands to a worker.
struct Arrival
{
    AcceptedSocket accepted;
    ClientId id{};
    bool isOverLimit = false; ///< limits.connections was reached: to be answered 503
};

/// What another thread asks of a worker; called on the worker's thread, between turns.
using Task = std::function<void()>;

/// The one door into a worker from other threads: what comes in waits here until the end of the
/// worker's turn.
///
/// Thread: any pushes, the worker drains. Nothing is called while the lock is held.
/// Owner: Worker.
/// Limits: limits.inboxSize bytes of messages. It is not exceeded by much: the push that crosses it
/// turns Backpressure on, which ends all reading, until the worker drains it. Arrivals are bounded
/// by limits.connections.
class Inbox final : public Wakeable
{
public:
    /// `wake` makes the worker take another turn; it is called on the pushing thread.
    Inbox(qint64 maxBytes, Backpressure &backpressure, std::function<void()> wake);

    /// What a message costs besides its own: its place here.
    static constexpr qint64 kDeliveryCost = 32;

    /// Returns whether the worker must be woken, once no lock is held.
    [[nodiscard]] bool push(Delivery delivery);
    void wake() const override { m_wake(); }
    [[nodiscard]] bool push(Arrival arrival);
    /// Has the worker call this at the end of its turn, and takes another turn for it.
    void push(Task task);
    /// Asks the worker to close all its clients. The shortest grace asked for counts.
    void pushClose(std::chrono::milliseconds grace);

    /// Messages that wait, costs included.
    [[nodiscard]] qint64 waitingBytes() const { return m_bytes.load(std::memory_order_relaxed); }

    struct Content
    {
        std::vector<Delivery> deliveries;
        std::vector<Arrival> arrivals;
        std::vector<Task> tasks;
        std::optional<std::chrono::milliseconds> closeWithin;
    };
    /// Swaps what has come into `content`, whose vectors must be empty (their capacity is used
    /// again).
    void drain(Content &content);
    /// Only the messages: for a worker that writes within its turn.
    void drainDeliveries(std::vector<Delivery> &deliveries);

private:
    bool takeBytes() RELAY_REQUIRES(m_mutex);

    const qint64 m_maxBytes;
    Backpressure &m_backpressure;
    const std::function<void()> m_wake;

    mutable Mutex m_mutex;
    Content m_content RELAY_GUARDED_BY(m_mutex);
    std::atomic<qint64> m_bytes{0}; // written under m_mutex
    bool m_isEmpty RELAY_GUARDED_BY(m_mutex) = true;
};

} // namespace relay
