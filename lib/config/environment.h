#pragma once

#include "config/settings_draft.h"

#include <QProcessEnvironment>

namespace relay {

/// Overrides settings by variables: RELAY_SERVER_PORT is server.port. A list's elements are separated by commas; channel
/// rules have no variable.
///
/// Errors: a bad value is a problem of the draft, and so is an empty one for a secret or for a key that names a file: a
/// secret that was not passed on must not open a door. A variable that begins with RELAY_ and names no setting is only
/// warned of: container platforms make such variables for a service that is called "relay".
void readEnvironment(const QProcessEnvironment &environment, SettingsDraft &draft);

} // namespace relay
