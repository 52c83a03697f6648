#pragma once

#include "problem.h"

#include <optional>

namespace relay::bench {

/// Raises this process's soft limit on descriptors to the hard one, and says what to do if that
/// does not do for so many clients.
std::optional<Problem> raiseDescriptorLimit(int clients, int threads);

} // namespace relay::bench
