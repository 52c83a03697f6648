#pragma once

#include "metrics/catalogue.h"
#include "ops/ops_options.h"

#include <QByteArray>

namespace relay {

inline const QByteArray kGetHealth = "GET /-/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

inline const QByteArray kGetIndex = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A port that the system chooses.
inline OpsOptions anyPort()
{
    OpsOptions options;
    options.port = 0;
    return options;
}

/// A port that waits for nobody: what must time out does so at once.
inline OpsOptions impatient()
{
    OpsOptions options = anyPort();
    options.limits.requestTimeout = std::chrono::milliseconds(50);
    return options;
}

inline MetricsInput someMetrics()
{
    MetricsInput input;
    input.connectedClients = 42;
    input.protocolRuleLabels.fill("rule");
    return input;
}

} // namespace relay
