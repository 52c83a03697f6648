#pragma once

#include "config/settings_draft.h"

#include <QProcessEnvironment>

namespace relay {

/// Overrides settings by variables: RELAY_SERVER_PORT is server.port. A list's elements are parted
/// by commas; the rules of channels have no variable.
///
/// Errors: a bad value is a problem of the draft. A variable that begins with RELAY_ and names no
/// setting is only warned of: container platforms make such variables of a service that is called
/// "relay".
void readEnvironment(const QProcessEnvironment &environment, SettingsDraft &draft);

} // namespace relay
