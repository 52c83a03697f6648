#pragma once

#include <QByteArray>
#include <QString>

#include <chrono>

namespace relay {

/// What the ops port is told once. Defaults are those of relay.yaml (section `metrics`).
struct OpsOptions
{
    /// Whether the port is opened at all; false leaves a relay without metrics and health checks.
    bool enabled = true;
    /// Address to listen on. Loopback: whoever reaches the port may read the metrics.
    QString address = QStringLiteral("127.0.0.1");
    /// TCP port; 0 lets the system choose (OpsServer::port() tells).
    quint16 port = 9464;
    /// Who shows it may read and change all there is; see Access. Empty: there is none.
    QByteArray token;

    struct Limits
    {
        /// Connections at once. One more takes the place of the one that has been idle for longest, if
        /// one has been for a second; else it is answered 503, and past twice as many closed without
        /// an answer.
        int maxConnections = 64;
        /// Milliseconds, default 10 s, each for: the silence before a request, a request's head
        /// from its first byte to its last, its body from there to its last, and an answer until
        /// the kernel has taken all of it. Then the connection is closed (a half request: 408).
        std::chrono::milliseconds requestTimeout = std::chrono::seconds(10);
    } limits;
};

} // namespace relay
