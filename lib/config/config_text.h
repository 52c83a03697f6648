#pragma once

#include "config/settings.h"

#include <QString>

/// The configuration as text, from the schema.
namespace relay {

/// A whole relay.yaml: every key with its comment and the settings' value. Reading it gives the
/// same settings.
QString renderConfig(const Settings &settings);

/// The same for people: "(hidden)" stands for each secret that is set. It cannot be read back while there is one.
QString renderShownConfig(Settings settings);

/// The relay.yaml that is shipped: every key at its default.
QString renderSampleConfig();

/// docs/configuration.md: every key in tables.
QString renderConfigReference();

} // namespace relay
