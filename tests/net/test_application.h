#pragma once

#include "net/epoll_dispatcher.h"

#include <QCoreApplication>

namespace relay::test {

/// An application whose main thread runs on the dispatcher under test.
class EpollApplication
{
public:
    EpollApplication(int &argc, char **argv)
        : m_application(argc, argv)
    {}

private:
    bool m_isInstalled = install();
    QCoreApplication m_application;

    static bool install()
    {
        QCoreApplication::setEventDispatcher(new EpollDispatcher); // QCoreApplication owns it
        return true;
    }
};

/// An application on Qt's own Unix dispatcher, for its threads too: what the dispatcher under test is compared with.
class UnixApplication
{
public:
    UnixApplication(int &argc, char **argv)
        : m_application(argc, argv)
    {}

private:
    bool m_isChosen = qputenv("QT_NO_GLIB", "1");
    QCoreApplication m_application;
};

} // namespace relay::test
