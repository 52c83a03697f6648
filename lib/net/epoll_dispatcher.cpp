#include "net/epoll_dispatcher.h"

#include "base/clock.h"
#include "net/epoll_set.h"
#include "net/timer_queue.h"

#include <QCoreApplication>
#include <QScopedValueRollback>
#include <QSocketNotifier>
#include <QThread>

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <unordered_map>
#include <utility>

namespace relay {

using std::chrono::milliseconds;

namespace {

constexpr std::array kNotifierTypes = {QSocketNotifier::Read, QSocketNotifier::Write,
                                       QSocketNotifier::Exception};
/// By QSocketNotifier::Type.
constexpr std::array<std::uint32_t, 3> kEventOfNotifier = {EPOLLIN, EPOLLOUT, EPOLLPRI};

/// The notifiers of one descriptor, as a watcher. Kept for the next ones when the last is gone, so
/// that it is always alive while it dispatches.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): it is final
struct NotifierSet final : DescriptorWatcher
{
    explicit NotifierSet(const EpollSet &epollSet)
        : descriptors(epollSet)
    {}

    void descriptorReady(std::uint32_t events) override;
    [[nodiscard]] std::uint32_t wantedEvents() const;

    std::array<QSocketNotifier *, 3> notifiers{};
    /// Bits, by type: reported and not told yet.
    std::uint8_t pending = 0;
    const EpollSet &descriptors;
};

void NotifierSet::descriptorReady(std::uint32_t events)
{
    pending = 0;
    for (const auto type : kNotifierTypes) {
        // Hang-up and errors concern everyone: whoever reads or writes next learns of them.
        if (notifiers[type] && (events & (kEventOfNotifier[type] | EPOLLERR | EPOLLHUP))) {
            pending = static_cast<std::uint8_t>(pending | (1U << type));
        }
    }
    const std::uint64_t fetched = descriptors.fetches();
    for (const auto type : kNotifierTypes) {
        if (!(pending & (1U << type))) {
            continue;
        }
        pending = static_cast<std::uint8_t>(pending & ~(1U << type));
        QEvent event(QEvent::SockAct);
        QCoreApplication::sendEvent(notifiers[type], &event);
        if (fetched != descriptors.fetches()) {
            return; // a nested turn has told the others, or will find them ready
        }
    }
}

std::uint32_t NotifierSet::wantedEvents() const
{
    std::uint32_t events = 0;
    for (const auto type : kNotifierTypes) {
        events |= notifiers[type] ? kEventOfNotifier[type] : 0U;
    }
    return events;
}

const char *nameOf(QSocketNotifier::Type type)
{
    constexpr std::array kNames = {"Read", "Write", "Exception"};
    return kNames[type];
}

} // namespace

class EpollDispatcher::Private
{
public:
    NotifierSet *notifiersOf(int descriptor);
    NotifierSet &makeNotifiersOf(int descriptor);
    void runHook();
    [[nodiscard]] milliseconds untilNextTimer() const;

    EpollSet descriptors;
    std::unordered_map<int, NotifierSet> notifiers;
    TimerQueue timers;
    std::function<void()> hook;
    bool isInHook = false;
    std::atomic<bool> isInterrupted{false};
};

NotifierSet *EpollDispatcher::Private::notifiersOf(int descriptor)
{
    const auto found = notifiers.find(descriptor);
    return found == notifiers.end() ? nullptr : &found->second;
}

NotifierSet &EpollDispatcher::Private::makeNotifiersOf(int descriptor)
{
    return notifiers.try_emplace(descriptor, descriptors).first->second;
}

void EpollDispatcher::Private::runHook()
{
    if (!hook || isInHook) {
        return;
    }
    const QScopedValueRollback<bool> guard(isInHook, true);
    hook();
}

milliseconds EpollDispatcher::Private::untilNextTimer() const
{
    const auto deadline = timers.nextDeadline();
    if (!deadline) {
        return milliseconds(-1);
    }
    constexpr milliseconds kLongest(std::numeric_limits<int>::max());
    const auto left = std::chrono::ceil<milliseconds>(*deadline - Clock::now());
    return std::clamp(left, milliseconds::zero(), kLongest);
}

EpollDispatcher::EpollDispatcher(QObject *parent)
    : QAbstractEventDispatcher(parent)
    , d(std::make_unique<Private>())
{}

EpollDispatcher::~EpollDispatcher() = default;

EpollDispatcher &EpollDispatcher::current()
{
    auto *dispatcher = qobject_cast<EpollDispatcher *>(QAbstractEventDispatcher::instance());
    Q_ASSERT(dispatcher);
    return *dispatcher;
}

void EpollDispatcher::watch(int descriptor, std::uint32_t events, DescriptorWatcher &watcher)
{
    Q_ASSERT(thread() == QThread::currentThread());
    Q_ASSERT(descriptor >= 0 && !d->descriptors.isWatched(descriptor));
    d->descriptors.add(descriptor, events, watcher);
}

void EpollDispatcher::rewatch(int descriptor, std::uint32_t events)
{
    Q_ASSERT(thread() == QThread::currentThread());
    Q_ASSERT(d->descriptors.isWatched(descriptor));
    d->descriptors.change(descriptor, events);
}

void EpollDispatcher::unwatch(int descriptor)
{
    Q_ASSERT(thread() == QThread::currentThread());
    if (d->descriptors.isWatched(descriptor)) {
        d->descriptors.remove(descriptor);
    }
}

void EpollDispatcher::setTurnEndHook(std::function<void()> hook)
{
    Q_ASSERT(!d->isInHook);
    d->hook = std::move(hook);
}

bool EpollDispatcher::processEvents(QEventLoop::ProcessEventsFlags flags)
{
    d->isInterrupted.store(false);
    Q_EMIT awake();
    QCoreApplication::sendPostedEvents();

    const bool withTimers = !flags.testFlag(QEventLoop::X11ExcludeTimers);
    const bool mayWait = flags.testFlag(QEventLoop::WaitForMoreEvents) && !d->descriptors.isWoken();
    if (mayWait) {
        Q_EMIT aboutToBlock();
    }
    d->runHook();
    if (d->isInterrupted.load()) {
        return false;
    }

    auto timeout = milliseconds::zero();
    if (mayWait) {
        timeout = withTimers ? d->untilNextTimer() : milliseconds(-1);
    }
    int dispatched = 0;
    if (flags.testFlag(QEventLoop::ExcludeSocketNotifiers)) {
        d->descriptors.waitForWakeUp(timeout);
    } else {
        dispatched = d->descriptors.waitAndDispatch(timeout);
    }
    TimerQueue::Fired fired;
    if (withTimers && d->timers.nextDeadline()) {
        fired = d->timers.fire(Clock::now());
    }

    const bool comesBack = flags.testFlag(QEventLoop::EventLoopExec) && !d->isInterrupted.load();
    if (dispatched + fired.timers > 0 && !comesBack) {
        d->runHook();
    }
    // Timers without an interval do not count, as in Qt's own: "while (processEvents());" shall
    // end.
    return d->descriptors.takeWakeUp() || dispatched + fired.events > 0;
}

void EpollDispatcher::registerSocketNotifier(QSocketNotifier *notifier)
{
    if (notifier->thread() != thread() || thread() != QThread::currentThread()) {
        qWarning("QSocketNotifier: socket notifiers cannot be enabled from another thread");
        return;
    }
    const auto descriptor = static_cast<int>(notifier->socket());
    NotifierSet &set = d->makeNotifiersOf(descriptor);
    QSocketNotifier *&slot = set.notifiers[notifier->type()];
    if (slot && slot != notifier) {
        qWarning("QSocketNotifier: descriptor %d has more than one notifier of type %s; the "
                 "latest is told",
                 descriptor, nameOf(notifier->type()));
    }
    slot = notifier;
    if (d->descriptors.isWatched(descriptor)) {
        d->descriptors.change(descriptor, set.wantedEvents());
    } else {
        d->descriptors.add(descriptor, set.wantedEvents(), set);
    }
}

void EpollDispatcher::unregisterSocketNotifier(QSocketNotifier *notifier)
{
    if (notifier->thread() != thread() || thread() != QThread::currentThread()) {
        qWarning("QSocketNotifier: socket notifiers cannot be disabled from another thread");
        return;
    }
    const auto descriptor = static_cast<int>(notifier->socket());
    NotifierSet *set = d->notifiersOf(descriptor);
    if (!set || set->notifiers[notifier->type()] != notifier) {
        return;
    }
    set->notifiers[notifier->type()] = nullptr;
    set->pending = static_cast<std::uint8_t>(set->pending & ~(1U << notifier->type()));
    if (const std::uint32_t events = set->wantedEvents()) {
        d->descriptors.change(descriptor, events);
    } else {
        d->descriptors.remove(descriptor);
    }
}

void EpollDispatcher::registerTimer(int timerId,
                                    qint64 interval,
                                    Qt::TimerType timerType,
                                    QObject *object)
{
    if (timerId < 1 || interval < 0 || !object) {
        qWarning("EpollDispatcher::registerTimer: invalid arguments");
        return;
    }
    if (object->thread() != thread() || thread() != QThread::currentThread()) {
        qWarning("QObject::startTimer: timers cannot be started from another thread");
        return;
    }
    d->timers.add(timerId, milliseconds(interval), timerType, object, Clock::now());
}

bool EpollDispatcher::unregisterTimer(int timerId)
{
    Q_ASSERT(thread() == QThread::currentThread());
    return d->timers.remove(timerId);
}

bool EpollDispatcher::unregisterTimers(QObject *object)
{
    Q_ASSERT(thread() == QThread::currentThread());
    return d->timers.removeAll(object);
}

QList<QAbstractEventDispatcher::TimerInfo> EpollDispatcher::registeredTimers(QObject *object) const
{
    return d->timers.timersOf(object);
}

int EpollDispatcher::remainingTime(int timerId)
{
    return static_cast<int>(d->timers.remaining(timerId, Clock::now()).count());
}

void EpollDispatcher::wakeUp()
{
    d->descriptors.wake();
}

void EpollDispatcher::interrupt()
{
    d->isInterrupted.store(true);
    wakeUp();
}

} // namespace relay
