#pragma once

#include "nanoseconds.h"

#include <atomic>

namespace relay::bench {

/// What the workers do, in this order.
enum class Phase : int {
    Connect, ///< open all connections
    Probe,   ///< the first client asks who receives
    Hold,    ///< only answer pings
    Load,    ///< publish and check
    Drain,   ///< publish nothing more; what is in flight arrives
    Stop,    ///< close all and end
};

/// When the load begins and ends, on the monotonic clock.
struct LoadPlan
{
    Nanoseconds begin = 0;   ///< the first message is due
    Nanoseconds measure = 0; ///< messages that are due from here on are timed
    Nanoseconds end = 0;     ///< no message is due from here on
    bool hasEcho = true;
};

/// What the run tells its workers.
///
/// Thread: the run writes, workers read. The plan is written before Phase::Load is told and not
/// after.
class Control
{
public:
    [[nodiscard]] Phase phase() const { return m_phase.load(std::memory_order_acquire); }
    /// Precondition: phase() has been Load.
    [[nodiscard]] const LoadPlan &plan() const { return m_plan; }

    void beginLoad(const LoadPlan &plan)
    {
        m_plan = plan;
        enter(Phase::Load);
    }
    void enter(Phase phase) { m_phase.store(phase, std::memory_order_release); }

private:
    std::atomic<Phase> m_phase = Phase::Connect;
    LoadPlan m_plan;
};

} // namespace relay::bench
