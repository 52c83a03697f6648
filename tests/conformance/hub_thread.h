#pragma once

#include "hub/hub.h"

#include <QThread>

#include <latch>

namespace relay::test {

/// A relay on a thread of its own, so that a test may block while it talks to it.
///
/// Thread: the test's.   Owner: the test.
/// Errors: port() is 0 when the relay does not listen.
class HubThread final : private QThread
{
    Q_DISABLE_COPY_MOVE(HubThread)

public:
    /// Starts a relay on a port that the system chooses; the options' port is not looked at.
    explicit HubThread(HubOptions options);
    ~HubThread() override;

    [[nodiscard]] quint16 port() const { return m_port; }
    /// The relay, for the calls that any thread may make.
    [[nodiscard]] const Hub &hub() const { return *m_hub; }

private:
    void run() override;

    HubOptions m_options;
    // Latches, because the thread sanitizer does not see what Qt waits by.
    std::latch m_isReady{1};
    std::latch m_hasEnded{1};
    const Hub *m_hub = nullptr; ///< lives in run()
    quint16 m_port = 0;
};

} // namespace relay::test
