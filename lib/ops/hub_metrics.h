#pragma once

#include "base/clock.h"
#include "metrics/catalogue.h"

#include <QByteArray>

#include <functional>

namespace relay {

class Hub;

/// What the hub has to say for the metrics' page; without the process' stats.
/// Thread: the hub's.
MetricsInput metricsOf(const Hub &hub);

/// What OpsServer asks for each page: the hub's numbers, and those of this process and its log. The hub must outlive it.
std::function<MetricsInput()> metricsSource(const Hub &hub);

/// What OpsServer asks for each health check: a sentence that says which workers hang and for how long;
/// empty when none does. The hub must outlive it. `clock` is for tests.
std::function<QByteArray()> healthSource(const Hub &hub, TimePoint (*clock)() = &Clock::now);

} // namespace relay
