#include "wire/http_date.h"

#include <array>
#include <cstdio>
#include <utility>

namespace relay {

namespace {

// Not strftime(3)'s, which follow the locale that Qt sets.
constexpr std::array<const char *, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char *, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

} // namespace

QByteArray toHttpDate(std::time_t time)
{
    std::tm utc{};
    ::gmtime_r(&time, &utc);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                  kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                  kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                  utc.tm_min, utc.tm_sec);
    return text.data();
}

DateField::DateField()
    : DateField([] { return std::time(nullptr); })
{}

DateField::DateField(WallClock clock)
    : m_clock(std::move(clock))
{}

const QByteArray &DateField::value()
{
    if (const std::time_t now = m_clock(); now != m_time || m_value.isEmpty()) {
        m_time = now;
        m_value = toHttpDate(now);
    }
    return m_value;
}

} // namespace relay
