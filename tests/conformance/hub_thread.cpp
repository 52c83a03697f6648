#include "conformance/hub_thread.h"

#include <QMetaObject>

#include <utility>

namespace relay::test {

HubThread::HubThread(HubOptions options)
{
    options.port = 0;
    m_context.moveToThread(&m_thread);
    m_thread.start();
    QMetaObject::invokeMethod(
        &m_context,
        [this, &options] {
            m_hub = std::make_unique<Hub>(std::move(options));
            if (m_hub->listen()) {
                m_port = m_hub->port();
            }
        },
        Qt::BlockingQueuedConnection);
}

HubThread::~HubThread()
{
    QMetaObject::invokeMethod(
        &m_context, [this] { m_hub.reset(); }, Qt::BlockingQueuedConnection);
    m_thread.quit();
    m_thread.wait();
}

} // namespace relay::test
