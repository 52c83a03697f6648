#include "config/secrets.h"

#include "config/ops_token.h"
#include "net/tls_configuration.h"

#include <utility>

namespace relay {

Outcome loadSecrets(Settings &settings)
{
    if (settings.tls.enabled) {
        auto tls = loadTlsConfiguration(settings.tls.certFile, settings.tls.keyFile);
        if (!tls) {
            return tls.error();
        }
        settings.hub.tls = std::move(tls).value();
    }
    auto token = loadToken(settings.ops);
    if (!token) {
        return token.error();
    }
    settings.metrics.token = std::move(token).value();
    return success();
}

} // namespace relay
