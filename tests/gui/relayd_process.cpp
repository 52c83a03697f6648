#include "relayd_process.h"

#include "support/wait_for.h"

#include <QProcessEnvironment>
#include <QRegularExpression>

namespace relay::gui {

namespace {

/// What stands in the place of the group; 0 until it is there.
quint16 portIn(const QString &text, const QString &pattern)
{
    return QRegularExpression(pattern).match(text).captured(1).toUShort();
}

} // namespace

RelaydProcess::~RelaydProcess()
{
    kill();
}

bool RelaydProcess::start()
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const QString &name : environment.keys()) {
        if (name.startsWith(QLatin1String("RELAY_"))) {
            environment.remove(name);
        }
    }
    environment.insert(QStringLiteral("RELAY_SERVER_PORT"), QString::number(m_port));
    environment.insert(QStringLiteral("RELAY_METRICS_PORT"), QString::number(m_opsPort));
    m_process.setProcessEnvironment(environment);
    m_log.clear();
    m_process.start(QStringLiteral(RELAYD_PROGRAM), QStringList());
    // The ops port is the last that it opens.
    const QString opsPattern = QStringLiteral("metrics at http://127\\.0\\.0\\.1:(\\d+)/metrics");
    const bool listens = test::waitFor([&] {
        readLog();
        return portIn(m_log, opsPattern) != 0 || m_process.state() == QProcess::NotRunning;
    });
    m_opsPort = portIn(m_log, opsPattern);
    m_port = portIn(m_log, QStringLiteral("ws://127\\.0\\.0\\.1:(\\d+)/"));
    return listens && m_port != 0 && m_opsPort != 0;
}

void RelaydProcess::kill()
{
    m_process.kill();
    m_process.waitForFinished(static_cast<int>(std::chrono::milliseconds(test::kPatience).count()));
}

QUrl RelaydProcess::channelUrl(const QString &channel) const
{
    return QUrl(QStringLiteral("ws://127.0.0.1:%1/%2").arg(m_port).arg(channel));
}

QUrl RelaydProcess::opsUrl() const
{
    return QUrl(QStringLiteral("http://127.0.0.1:%1").arg(m_opsPort));
}

void RelaydProcess::readLog()
{
    m_log += QString::fromUtf8(m_process.readAllStandardError());
}

} // namespace relay::gui
