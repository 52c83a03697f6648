#pragma once

#include <QProcess>
#include <QString>
#include <QUrl>

namespace relay::gui {

/// relayd as its own process, on ports that the system chose; it can be killed, and started again on
/// the same ones.
///
/// Thread: the test's, whose event loop runs while it waits.
/// Errors: answers; log() says why.
class RelaydProcess
{
public:
    RelaydProcess() = default;
    ~RelaydProcess();
    RelaydProcess(const RelaydProcess &) = delete;
    RelaydProcess &operator=(const RelaydProcess &) = delete;

    /// Starts it; false when it does not come to listen.
    [[nodiscard]] bool start();
    /// SIGKILL: its connections break, nobody is told anything. Returns when it is gone.
    void kill();

    /// Where clients join this channel.
    [[nodiscard]] QUrl channelUrl(const QString &channel) const;
    [[nodiscard]] QUrl opsUrl() const;
    [[nodiscard]] const QString &log() const { return m_log; }

private:
    void readLog();

    QProcess m_process;
    QString m_log;
    quint16 m_port = 0;
    quint16 m_opsPort = 0;
};

} // namespace relay::gui
