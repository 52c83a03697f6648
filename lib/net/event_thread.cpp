#include "net/event_thread.h"

#include "net/epoll_dispatcher.h"

namespace relay {

EventThread::EventThread(const QString &name, EventThreadUser &user)
    : m_user(user)
{
    setObjectName(name);
    auto *dispatcher = new EpollDispatcher; // setEventDispatcher() takes it over
    dispatcher->setTurnEndHook([this] { m_user.turnEnded(); });
    setEventDispatcher(dispatcher);
    const MutexLock lock(m_mutex);
    m_dispatcher = dispatcher;
}

EventThread::~EventThread()
{
    stop();
}

void EventThread::stop()
{
    {
        const MutexLock lock(m_mutex);
        quit();
    }
    wait();
    // QThread orders what run() did before this; but the thread sanitizer sees only this lock.
    const MutexLock lock(m_mutex);
}

void EventThread::wakeUp()
{
    const MutexLock lock(m_mutex);
    if (m_dispatcher != nullptr) {
        m_dispatcher->wakeUp();
    }
}

void EventThread::run()
{
    m_user.threadStarted();
    exec();
    m_user.threadFinishing();
    const MutexLock lock(m_mutex);
    m_dispatcher = nullptr;
}

} // namespace relay
