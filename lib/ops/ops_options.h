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
    /// A caller that shows it may read and change everything; see Access. Empty: there is none.
    QByteArray token;
    /// Whether reading on loopback needs no token although there is one. Changes need it in any case.
    bool readWithoutToken = false;

    struct Limits
    {
        /// Connections that are served at once. One more takes the place of the one that has been idle for longest, if one
        /// has been for a second; otherwise it gets an answer only if it asks for health (else 503). There are as
        /// many places for those, and for connections that have been answered and not ended yet. Past these, too, the
        /// oldest that was answered gives way, or the oldest that has not asked yet; else the connection is closed.
        int maxConnections = 64;
        /// Milliseconds, default 10 s, each for: the silence before a request, a request's head
        /// from its first byte to its last, its body from there to its last, and an answer until
        /// the kernel has taken all of it. Then the connection is closed (a half request: 408).
        std::chrono::milliseconds requestTimeout = std::chrono::seconds(10);
    } limits;
};

} // namespace relay
