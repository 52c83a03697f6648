#pragma once

#include <cstdio>
#include <cstdlib>

namespace relay {

/// Ends the run with this sentence unless the property holds; libFuzzer then keeps the input.
inline void require(bool holds, const char *property)
{
    if (!holds) {
        std::fprintf(stderr, "\nBroken: %s\n", property);
        std::abort();
    }
}

} // namespace relay
