#pragma once

#include "base/mutex.h"

#include <QThread>

namespace relay {

class EpollDispatcher;

/// What runs on an EventThread; every call is made on it.
class EventThreadUser
{
public:
    /// Before the first turn: make what must live in the thread.
    virtual void threadStarted() = 0;
    /// The end of each turn, before the thread waits for the next event. Must not run an event
    /// loop.
    virtual void turnEnded() = 0;
    /// After the last turn: destroy what threadStarted() made.
    virtual void threadFinishing() = 0;

protected:
    ~EventThreadUser() = default;
};

/// A thread whose event loop stands on an EpollDispatcher.
///
/// Thread: made, started and stopped by its owner's; wakeUp() and quit() from any.
class EventThread final : public QThread
{
    Q_OBJECT
    Q_DISABLE_COPY_MOVE(EventThread)

public:
    /// `name` is what `top -H` shows (at most 15 characters). The user must outlive the thread's
    /// run.
    EventThread(const QString &name, EventThreadUser &user);
    ~EventThread() override;

    /// Ends the loop, and returns when the thread has ended. Again: nothing.
    /// Thread: the owner's.
    void stop();
    /// Makes the loop take another turn, soon and at least once after this call.
    /// Thread: any.
    void wakeUp();

protected:
    void run() override;

private:
    EventThreadUser &m_user;
    Mutex m_mutex;
    // Owned by QThread, which destroys it when the thread ends; null from then on.
    EpollDispatcher *m_dispatcher RELAY_GUARDED_BY(m_mutex) = nullptr;
};

} // namespace relay
