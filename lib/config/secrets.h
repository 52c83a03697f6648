#pragma once

#include "base/result.h"
#include "config/settings.h"

namespace relay {

/// Puts what the settings name as files where the layers below look for it: certificate and key into
/// hub.tls, the operators' token into metrics.token.
///
/// Thread: any.
/// Errors: loadTlsConfiguration()'s and loadToken()'s, which say what to do.
Outcome loadSecrets(Settings &settings);

} // namespace relay
