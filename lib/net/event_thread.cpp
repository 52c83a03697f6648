#include "net/event_thread.h"

#include "net/epoll_dispatcher.h"

namespace relay {

EventThread::EventThread(const QString &name, EventThreadUser &user)
    : m_user(user)
    , m_dispatcher(new EpollDispatcher)
{
    setObjectName(name);
    m_dispatcher->setTurnEndHook([this] { m_user.turnEnded(); });
    setEventDispatcher(m_dispatcher);
}

EventThread::~EventThread()
{
    quit();
    wait();
}

void EventThread::wakeUp()
{
    m_dispatcher->wakeUp();
}

void EventThread::run()
{
    m_user.threadStarted();
    exec();
    m_user.threadFinishing();
}

} // namespace relay
