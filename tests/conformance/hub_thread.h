#pragma once

#include "hub/hub.h"

#include <QObject>
#include <QThread>

#include <memory>

namespace relay::test {

/// A relay on a thread of its own, so that a test may block while it talks to it.
///
/// Thread: the test's.   Owner: the test.
/// Errors: port() is 0 when the relay does not listen.
class HubThread
{
public:
    /// Starts a relay on a port that the system chooses; the options' port is not looked at.
    explicit HubThread(HubOptions options);
    ~HubThread();
    HubThread(const HubThread &) = delete;
    HubThread &operator=(const HubThread &) = delete;

    [[nodiscard]] quint16 port() const { return m_port; }
    /// The relay, for the calls that any thread may make.
    [[nodiscard]] const Hub &hub() const { return *m_hub; }

private:
    QThread m_thread;
    QObject m_context; ///< lives on m_thread: what is invoked on it runs there
    std::unique_ptr<Hub> m_hub;
    quint16 m_port = 0;
};

} // namespace relay::test
