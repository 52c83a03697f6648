#pragma once

#include "net/descriptor_watcher.h"

#include <QAbstractEventDispatcher>

#include <cstdint>
#include <functional>
#include <memory>

namespace relay {

/// Qt's event dispatcher over epoll(7): a wake-up costs what is ready, not what is open.
///
/// Does all that Qt's own does (socket notifiers, precise, coarse and very coarse timers, posted
/// events, wakeUp() and interrupt() from any thread, nested processEvents()) and two things more
/// that the relay's workers use: descriptors watched without a notifier object, and a hook at the
/// end of each turn.
///
/// A turn is one processEvents():
///
///  1. awake(), then the posted events;
///  2. aboutToBlock(), if the turn may wait;
///  3. the turn-end hook: it writes once what step 1 of this turn and steps 5 and 6 of the last turn left to be written. If it
///     posts events or wakes the dispatcher, step 4 does not wait;
///  4. one epoll_wait (after an interrupt() the turn ends here instead);
///  5. what the kernel reported, to watchers and notifiers, at most 512 descriptors;
///  6. the timers that are due, each at most once;
///  7. the hook again, but only if 5 or 6 dispatched something and no further turn is known to follow: the caller is not
///     QEventLoop::exec(), or was told to stop.
///
/// So a thread that runs exec() has one hook and one epoll_wait a turn, and a caller of a single processEvents() finds everything
/// written when it returns. (One gap: a loop whose exit() another thread calls between two turns ends without a last hook; a
/// caller that ends a loop this way must flush itself.)
///
/// Nested turns: a turn inside a callback takes over from the outer one; what that had fetched and
/// not yet dispatched is dropped, and fetched again if it still holds (all watching is
/// level-triggered). A timer is not delivered while its own event is being handled.
/// ExcludeSocketNotifiers leaves out watchers, too.
///
/// Timers keep milliseconds, as Qt's do: the wait is rounded up to the next one, so a precise timer
/// is never early. epoll_pwait2 could be finer; no interval in Qt 6.4 is, and it would need a
/// fallback for kernels and sandboxes without it.
///
/// Thread: given to a QThread before it starts (QThread::setEventDispatcher), or to the main thread
/// before QCoreApplication (QCoreApplication::setEventDispatcher), and confined to it but for
/// wakeUp() and interrupt().
/// Owner: the QThread.
/// Limits: 16 bytes a descriptor, 48 more if notifiers were ever used on it.
/// Errors: the constructor aborts when the kernel gives no epoll descriptor (there is no way to go
/// on); a descriptor that the kernel refuses to watch is warned of and never reported. One that
/// cannot be polled (a file) is always ready.
class EpollDispatcher final : public QAbstractEventDispatcher
{
    Q_OBJECT
    Q_DISABLE_COPY_MOVE(EpollDispatcher)

public:
    explicit EpollDispatcher(QObject *parent = nullptr);
    ~EpollDispatcher() override;

    /// The dispatcher of the current thread. Precondition: that is an EpollDispatcher.
    static EpollDispatcher &current();

    /// Tells `watcher` of `events` on `descriptor` until unwatch(). One watcher a descriptor; not
    /// together with notifiers on the same one. The watcher is not owned.
    void watch(int descriptor, std::uint32_t events, DescriptorWatcher &watcher);
    /// Changes what a watched descriptor is watched for. 0: only errors and hang-up.
    void rewatch(int descriptor, std::uint32_t events);
    /// Must be called before the descriptor is closed.
    void unwatch(int descriptor);

    /// Runs at the end of each turn, where the class comment says. It must not run an event loop
    /// nor set another hook.
    void setTurnEndHook(std::function<void()> hook);

    bool processEvents(QEventLoop::ProcessEventsFlags flags) override;
    void registerSocketNotifier(QSocketNotifier *notifier) override;
    void unregisterSocketNotifier(QSocketNotifier *notifier) override;
    void
    registerTimer(int timerId, qint64 interval, Qt::TimerType timerType, QObject *object) override;
    bool unregisterTimer(int timerId) override;
    bool unregisterTimers(QObject *object) override;
    QList<TimerInfo> registeredTimers(QObject *object) const override;
    int remainingTime(int timerId) override;
    void wakeUp() override;
    void interrupt() override;

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace relay
