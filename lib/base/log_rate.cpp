#include "base/log_rate.h"

#include <algorithm>
#include <utility>

namespace relay {

bool LogRate::admits(const QByteArray &category, QtMsgType type, TimePoint now)
{
    if (m_linesPerSecond == 0) {
        return true;
    }
    Window &window = windowOf(category, type, now);
    if (window.lines < m_linesPerSecond) {
        ++window.lines;
        return true;
    }
    ++window.leftOut;
    return false;
}

std::vector<LogRate::LeftOut> LogRate::takeLeftOut(TimePoint now)
{
    std::vector<LeftOut> all;
    for (Window &window : m_windows) {
        if (now - window.start >= kWindow || now == TimePoint::max()) {
            end(window);
        }
        if (window.untold > 0) {
            all.push_back({window.category, window.type, std::exchange(window.untold, 0)});
        }
    }
    return all;
}

bool LogRate::hasLeftOut() const
{
    return std::any_of(m_windows.begin(), m_windows.end(), [](const Window &window) {
        return window.leftOut > 0 || window.untold > 0;
    });
}

LogRate::Window &LogRate::windowOf(const QByteArray &category, QtMsgType type, TimePoint now)
{
    const auto found =
        std::find_if(m_windows.begin(), m_windows.end(), [&](const Window &candidate) {
            return candidate.type == type && candidate.category == category;
        });
    if (found == m_windows.end()) {
        return m_windows.emplace_back(Window{category, type, now});
    }
    if (now - found->start >= kWindow) {
        end(*found);
        found->start = now;
        found->lines = 0;
    }
    return *found;
}

void LogRate::end(Window &window)
{
    window.untold += std::exchange(window.leftOut, 0);
}

} // namespace relay
