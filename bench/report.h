#pragma once

#include "options.h"
#include "run.h"

#include <string>

namespace relay::bench {

/// The result as a person reads it, with a plot of the latencies.
std::string textReport(const Options &options, const RunResult &result);

/// The result as one JSON object in one line. Keys carry their unit; what was not measured is not
/// there.
std::string jsonReport(const Options &options, const RunResult &result);

/// Rows `up to 1.02 ms  ███▌  12.3 %`, a doubling each, from the first that has samples to the
/// last.
std::string latencyPlot(const Histogram &latency);

} // namespace relay::bench
