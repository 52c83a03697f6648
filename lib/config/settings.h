#pragma once

#include "base/logging.h"
#include "hub/options.h"
#include "ops/ops_options.h"

#include <QString>

#include <chrono>

namespace relay {

/// Everything that can be configured, at its default until a file or the environment says
/// otherwise.
///
/// The parts that other layers are built with are those layers' own structs; what each key is
/// called, and what it may be, is said in config/schema. loadSecrets() loads what is named as a file.
/// Thread: a value.
struct Settings
{
    HubOptions hub; ///< but hub.tls, which `tls` below says

    /// Certificate and key of the clients' port, as files.
    struct Tls
    {
        bool enabled = false;
        QString certFile; ///< PEM: the certificate, then its intermediates
        QString keyFile;  ///< PEM, not encrypted
    } tls;

    OpsOptions metrics; ///< but metrics.token, which `ops` below says

    /// Who may steer the relay on that port.
    struct Operators
    {
        QString token;     ///< empty: none
        QString tokenFile; ///< holds the token instead; see loadToken()
    } ops;

    LoggingOptions logging;

    /// How long clients have, once the relay stops, to take what is queued and answer the closing
    /// handshake.
    std::chrono::milliseconds shutdownTimeout = std::chrono::seconds(10);
};

} // namespace relay
