#include "formatted.h"

#include <array>
#include <cstdarg>
#include <cstdio>

namespace relay::bench {

std::string formatted(const char *format, ...)
{
    std::array<char, 512> buffer{};
    va_list arguments;
    va_start(arguments, format);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 forgets the va_start() above
    std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
    va_end(arguments);
    return buffer.data();
}

} // namespace relay::bench
