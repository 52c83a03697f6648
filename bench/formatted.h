#pragma once

#include <string>

namespace relay::bench {

/// As printf() would write it, at most 511 bytes.
__attribute__((format(printf, 1, 2))) std::string formatted(const char *format, ...);

} // namespace relay::bench
