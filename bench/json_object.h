#pragma once

#include <cstdint>
#include <string>

namespace relay::bench {

/// A JSON object in one line: pairs in the order in which they are added.
///
/// Thread: a value.
class JsonObject
{
public:
    void add(const char *key, double value);
    void add(const char *key, std::uint64_t value);
    void add(const char *key, int value);
    void add(const char *key, bool value);
    void add(const char *key, const std::string &value);

    [[nodiscard]] std::string text() const;

private:
    std::string m_text; ///< `"key":value,` for each
};

} // namespace relay::bench
