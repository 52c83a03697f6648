#pragma once

#include "metrics/catalogue.h"

#include <functional>

namespace relay {

class Hub;

/// What the hub has to say for the metrics' page; without the process' stats.
/// Thread: any.
MetricsInput metricsOf(const Hub &hub);

/// What OpsServer asks for each page: the hub's numbers, and those of this process and its log. The hub must outlive it.
std::function<MetricsInput()> metricsSource(const Hub &hub);

} // namespace relay
