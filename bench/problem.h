#pragma once

#include <string>
#include <variant>

namespace relay::bench {

/// What went wrong, in words for the person who has to mend it: what happened, where, and what to
/// do.
struct Problem
{
    std::string message;
};

/// A value, or the reason why there is none. (relay::Result does the same with a QString; this
/// program links no Qt.)
template <typename T>
using Checked = std::variant<T, Problem>;

} // namespace relay::bench
