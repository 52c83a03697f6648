#include "conformance/hub_thread.h"

#include <QLoggingCategory>

#include <utility>

namespace relay::test {

HubThread::HubThread(HubOptions options)
    : m_options(std::move(options))
{
    // QTest names the row with every message, and must not while the test goes to the next one.
    QLoggingCategory::setFilterRules(QStringLiteral("relay.*.info=false"));
    m_options.port = 0;
    start();
    m_isReady.wait();
}

HubThread::~HubThread()
{
    quit();
    m_hasEnded.wait();
    wait();
}

void HubThread::run()
{
    {
        Hub hub(m_options);
        m_hub = &hub;
        if (hub.listen()) {
            m_port = hub.port();
        }
        m_isReady.count_down();
        exec();
    }
    m_hasEnded.count_down();
}

} // namespace relay::test
