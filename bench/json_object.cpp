#include "json_object.h"

#include "formatted.h"

namespace relay::bench {

void JsonObject::add(const char *key, double value)
{
    m_text += formatted("\"%s\":%.10g,", key, value);
}

void JsonObject::add(const char *key, std::uint64_t value)
{
    m_text += formatted("\"%s\":%llu,", key, static_cast<unsigned long long>(value));
}

void JsonObject::add(const char *key, int value)
{
    m_text += formatted("\"%s\":%d,", key, value);
}

void JsonObject::add(const char *key, bool value)
{
    m_text += formatted("\"%s\":%s,", key, value ? "true" : "false");
}

void JsonObject::add(const char *key, const std::string &value)
{
    m_text += formatted(R"("%s":")", key);
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            m_text += '\\';
            m_text += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            m_text += formatted("\\u%04x", static_cast<unsigned>(c));
        } else {
            m_text += c;
        }
    }
    m_text += "\",";
}

std::string JsonObject::text() const
{
    return "{" + m_text.substr(0, m_text.size() - (m_text.empty() ? 0 : 1)) + "}";
}

} // namespace relay::bench
