#pragma once

#include "base/result.h"
#include "config/settings.h"
#include "hub/hub.h"
#include "ops/admin_api.h"
#include "ops/ops_server.h"

#include <QObject>

namespace relay {

/// The relay and its metrics port, from start to orderly end.
///
/// Thread: main.
/// Owner: main().
/// Errors: start() returns them, with what to do.
class Daemon : public QObject
{
    Q_OBJECT

public:
    /// loadSecrets() has completed the settings.
    explicit Daemon(const Settings &settings, QObject *parent = nullptr);

    /// Opens both ports and says in the log where they are.
    Outcome start();

    /// Tells load balancers (readyz) and clients (1001) that this is the end, then emits stopped(),
    /// at the latest after server.shutdown_timeout.
    void stop();

Q_SIGNALS:
    void stopped();

private:
    const Settings m_settings;
    Hub m_hub;
    OpsServer m_opsServer;
    AdminApi m_adminApi;
};

} // namespace relay
