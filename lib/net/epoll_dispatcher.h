#pragma once

#include <QAbstractEventDispatcher>

#include <cstdint>
#include <functional>
#include <memory>

namespace relay {

/// Who is told of a descriptor's readiness without a QSocketNotifier in between.
class DescriptorWatcher
{
public:
    /// `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR as epoll_wait(2) gave them (level-triggered).
    ///
    /// May watch, change and unwatch any descriptor, its own too, and delete any watcher: one that is unwatched is not told
    /// any more, not even of an event that this turn had already fetched, nor is a new watcher of a reused descriptor told of
    /// its predecessor's.
    virtual void descriptorReady(std::uint32_t events) = 0;

protected:
    ~DescriptorWatcher() = default;
};

/// Qt's event dispatcher over epoll(7): a wake-up costs what is ready, not what is open.
///
/// Does all that Qt's own does (socket notifiers, precise, coarse and very coarse timers, posted events, wakeUp() and interrupt()
/// from any thread, nested processEvents()) and two things more that the relay's workers use: descriptors watched without a
/// notifier object, and a hook at the end of each turn.
///
/// A turn is one round of processEvents(): posted events, then what epoll reported, then due timers, then the hook. The hook
/// runs before every epoll_wait, blocking or not: what the turn's events left to be written is written then, once.
///
/// Thread: given to a QThread before it starts (QThread::setEventDispatcher) and confined to it but for wakeUp() and interrupt().
/// Owner: the QThread.   Errors: the constructor aborts when the kernel gives no epoll descriptor (there is no way to go on).
class EpollDispatcher final : public QAbstractEventDispatcher
{
    Q_OBJECT

public:
    explicit EpollDispatcher(QObject *parent = nullptr);
    ~EpollDispatcher() override;

    /// The dispatcher of the current thread. Precondition: that is an EpollDispatcher.
    static EpollDispatcher &current();

    /// Tells `watcher` of `events` on `descriptor` until unwatch(). One watcher a descriptor; not together with notifiers on
    /// the same one. The watcher is not owned.
    void watch(int descriptor, std::uint32_t events, DescriptorWatcher &watcher);
    /// Changes what a watched descriptor is watched for. 0: only errors and hang-up.
    void rewatch(int descriptor, std::uint32_t events);
    /// Must be called before the descriptor is closed.
    void unwatch(int descriptor);

    /// Runs at the end of each turn. It must not run an event loop.
    void setTurnEndHook(std::function<void()> hook);

    bool processEvents(QEventLoop::ProcessEventsFlags flags) override;
    void registerSocketNotifier(QSocketNotifier *notifier) override;
    void unregisterSocketNotifier(QSocketNotifier *notifier) override;
    void registerTimer(int timerId, qint64 interval, Qt::TimerType timerType, QObject *object) override;
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
