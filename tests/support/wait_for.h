#pragma once

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QTimer>

#include <chrono>

namespace relay::test {

/// Far beyond what any case needs on a loaded machine under a sanitizer: only a failure waits so
/// long.
inline constexpr std::chrono::seconds kPatience{30};

/// Runs the thread's event loop until `condition` holds; false when it did not within `patience`.
///
/// It looks after every event, and every two milliseconds for what changes without one (counters of
/// other threads, sockets that no event loop watches).
template <typename Condition>
[[nodiscard]] bool waitFor(Condition condition, std::chrono::milliseconds patience = kPatience)
{
    QTimer tick;
    tick.setTimerType(Qt::PreciseTimer);
    tick.start(std::chrono::milliseconds(2));
    const QDeadlineTimer deadline(patience, Qt::PreciseTimer);
    while (!condition()) {
        if (deadline.hasExpired()) {
            return false;
        }
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    }
    return true;
}

} // namespace relay::test
