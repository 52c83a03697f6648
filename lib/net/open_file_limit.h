#pragma once

#include "base/result.h"

namespace relay {

/// How many descriptors this process may have open (the soft RLIMIT_NOFILE).
/// Thread: any.
int openFileLimit();

/// Raises the soft limit to the hard one, which needs no privilege.
/// Thread: main, at start.
Outcome raiseOpenFileLimit();

} // namespace relay
